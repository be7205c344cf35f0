// Has a server of this process make or change something: JSON under an API key, and the JSON that it answers.

import type { JsonObject } from '../../core/json/value.ts';
import type { LocalAnswer, LocalRequest } from './json-server.ts';

/**
 * Posts an object.
 *
 * @param send brings the request to its server, and gives the whole answer
 * @returns what is answered
 * @throws Error where the server does not do it: with the path, the status and what the server says
 */
export async function postJson(
  send: (request: LocalRequest) => Promise<LocalAnswer>,
  path: string,
  apiKey: string,
  body: object,
): Promise<JsonObject> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${apiKey}` };
  const answer = await send({ method: 'POST', path, headers, body: Buffer.from(JSON.stringify(body)) });
  const value = JSON.parse(Buffer.from(answer.body).toString()) as JsonObject;
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${value.error}: ${value.detail}`);
  return value;
}
