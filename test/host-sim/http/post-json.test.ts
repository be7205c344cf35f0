// Posting JSON under an API key to a server of this process.

import { expect, it } from 'vitest';
import type { LocalRequest } from '../../../host-sim/http/json-server.ts';
import { postJson } from '../../../host-sim/http/post-json.ts';

const answered = (status: number, value: object) => async () => ({
  status,
  headers: {},
  body: Buffer.from(JSON.stringify(value)),
});

it('sends the object as JSON, with the key, and gives the object that is answered', async () => {
  const sent: LocalRequest[] = [];
  const send = (request: LocalRequest) => {
    sent.push(request);
    return answered(201, { grantId: 'g-1' })();
  };
  expect(await postJson(send, '/grants', 'the-key', { subject: 'é' })).toEqual({ grantId: 'g-1' });
  expect(sent).toEqual([
    {
      method: 'POST',
      path: '/grants',
      headers: { 'content-type': 'application/json', authorization: 'Bearer the-key' },
      body: Buffer.from('{"subject":"é"}'),
    },
  ]);
});

it('where the server does not do it, says what was asked and why it is not done', async () => {
  const send = answered(403, { error: 'forbidden', detail: 'the key may not issue grants' });
  await expect(postJson(send, '/grants', 'the-key', {})).rejects.toThrow(
    '/grants: 403 forbidden: the key may not issue grants',
  );
});
