// Asks a grant's revocation endpoint what the core wants asked, over the link, and tells the core what comes back.

import type { HeaderOf } from '../../core/refresh/bundle-fetch.ts';
import type { RevocationQuestion } from '../../core/refresh/revocation.ts';
import { type Link, type LinkAnswer, linkFailure } from './link.ts';
import { readAtMost } from './read-at-most.ts';
import type { KnownServer } from './tls-fetch.ts';

/** The device that asks. */
export interface AskingDevice {
  readonly link: Link;
  /** Where an https address is served in this simulation. */
  reach(url: URL): URL;
  readonly known?: KnownServer;
}

/** What sending a question needs of it. */
export type AskedQuestion = Pick<RevocationQuestion, 'url' | 'headers' | 'timeoutMs' | 'maxBytes'>;

/** What is told the answer: the core's checks. */
export interface ToldChecks<Question> {
  answered(question: Question, status: number, header: HeaderOf, body: Uint8Array): unknown;
  failed(question: Question, detail: string): unknown;
}

/** Asks. It throws nothing but what `checks` throws. */
export async function askRevocation<Question extends AskedQuestion>(
  device: AskingDevice,
  checks: ToldChecks<Question>,
  question: Question,
): Promise<void> {
  const { url, headers, timeoutMs, maxBytes } = question;
  let response: LinkAnswer;
  let body: Uint8Array | undefined;
  try {
    const { known } = device;
    response = await device.link.fetch(device.reach(new URL(url)), { headers: { ...headers }, timeoutMs, known });
    body = await readAtMost(response, maxBytes);
  } catch (error) {
    checks.failed(question, linkFailure(error, 'the revocation endpoint', timeoutMs).detail);
    return;
  }
  if (body === undefined) checks.failed(question, `the answer has more than ${maxBytes} bytes`);
  else checks.answered(question, response.status, (name) => response.headers.get(name), body);
}
