// Asks a grant's revocation endpoint what the core wants asked, over the link, and tells the core what comes back.

import type { RevocationChecks, RevocationQuestion } from '../../core/refresh/revocation.ts';
import { type Link, linkFailure } from './link.ts';
import { readAtMost } from './read-at-most.ts';

/** The device that asks. */
export interface AskingDevice {
  readonly link: Link;
  /** Where an https address is served in this simulation, which has no TLS. */
  reach(url: URL): URL;
}

/** Asks. It never throws. */
export async function askRevocation(
  device: AskingDevice,
  checks: RevocationChecks,
  question: RevocationQuestion,
): Promise<void> {
  const { url, headers, timeoutMs, maxBytes } = question;
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await device.link.fetch(device.reach(new URL(url)), { headers: { ...headers }, signal });
    const body = await readAtMost(response, maxBytes);
    if (body === undefined) checks.failed(question, `the answer has more than ${maxBytes} bytes`);
    else checks.answered(question, response.status, (name) => response.headers.get(name), body);
  } catch (error) {
    checks.failed(question, linkFailure(error, 'the revocation endpoint', timeoutMs).detail);
  }
}
