// Asks a grant's revocation endpoint what the core wants asked, and tells it what comes back. The payer waits meanwhile.

import type { RevocationChecks, RevocationQuestion } from '../refresh/revocation.ts';
import { type HttpTransport, serverAt } from './http-client.ts';
import { askSmall } from './small-answer.ts';

/** The device that asks. */
export interface AskingDevice {
  readonly client: HttpTransport;
  readonly checks: RevocationChecks;
}

/** Asks. @param done is called once, when the core has been told */
export function askRevocation(device: AskingDevice, question: RevocationQuestion, done: () => void): void {
  const { client, checks } = device;
  const { host, path, headers, timeoutMs, maxBytes } = question;
  const server = serverAt(host, true);
  if (server === undefined || client.busy) {
    checks.failed(
      question,
      server === undefined ? 'the host of the endpoint is none' : 'another question is under way',
    );
    done();
    return;
  }
  askSmall(client, { server, method: 'GET', path, headers, timeoutMs, maxBytes }, (answer) => {
    if (answer.kind === 'failed') checks.failed(question, answer.detail);
    else checks.answered(question, answer.status, answer.header, answer.body);
    done();
  });
}
