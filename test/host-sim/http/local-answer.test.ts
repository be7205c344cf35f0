// A server answers what comes from its own process by the same routes as what comes over a socket.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { DAY_BEGINS_MS } from '../../../host-sim/day/scene.ts';
import { PolicyAuthority } from '../../../host-sim/policy-authority/server.ts';
import { SimulatedClock } from '../../../host-sim/ports/clock.ts';
import { keyFromSeed } from '../../../host-sim/signing/keys.ts';

let authority: PolicyAuthority;
let ids = 0;
beforeAll(() => {
  const key = (kid: string, byte: number) => keyFromSeed(kid, new Uint8Array(32).fill(byte));
  authority = new PolicyAuthority({
    identity: { issuer: 'pa.example', grantKey: key('g-1', 1), bundleKey: key('r-1', 2) },
    clock: new SimulatedClock(DAY_BEGINS_MS),
    newId: () => `id-${++ids}`,
  });
});
afterAll(() => authority.close());

const post = (path: string, apiKey: string, body: object) =>
  authority.answer({
    method: 'POST',
    path,
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(body)),
  });

it('answers status, headers and body as over a socket', async () => {
  const path = '/trust-bundles?category=none';
  const headers = { accept: 'application/json' };
  const local = await authority.answer({ method: 'GET', path, headers });
  const url = await authority.listen();
  const remote = await fetch(new URL(path, url), { headers });
  expect(local.status).toBe(remote.status);
  expect(Buffer.from(local.body).toString()).toBe(await remote.text());
  for (const name of ['etag', 'content-type', 'cache-control'])
    expect(local.headers[name], name).toBe(remote.headers.get(name));
});

it('asks what comes from its own process for its key, too', async () => {
  expect((await post('/policies', 'nobody', { policyDocument: {} })).status).toBe(401);
});

it('gives what it issues the ids it was told to', async () => {
  const apiKey = await authority.issueApiKey('operator', ['admin']);
  const policy = await post('/policies', apiKey, { policyDocument: { name: 'p' } });
  const { policyHash } = JSON.parse(Buffer.from(policy.body).toString());
  const grant = await post('/grants', apiKey, {
    policyHash,
    subjectId: 'did:web:car.example',
    allowedRails: ['xrpl'],
    expiresAt: new Date(DAY_BEGINS_MS + 3_600_000).toISOString(),
  });
  expect(JSON.parse(Buffer.from(grant.body).toString()).grant.grantId).toBe('id-1');
});
