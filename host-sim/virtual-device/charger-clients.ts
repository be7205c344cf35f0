// The clients that a virtual charger sends requests by while it has power: one for its errands, and one for questions about grants, so
// that a payer need not wait until a fetch is over.

import type { HttpOrder, Server } from '../../core/network/http-client.ts';
import type { Clock } from '../../core/ports/ports.ts';
import type { Link } from './link.ts';
import { LinkClient } from './link-client.ts';

/** What they are made of. */
export interface ChargerClientsParts {
  readonly link: Link;
  readonly clock: Pick<Clock, 'wallMs'>;
  /** In DER: what servers are trusted by that have no certificate of their own. */
  readonly certificate: Uint8Array | undefined;
  /** Where the https address of a question is served in this simulation. Default: nowhere else. */
  readonly reach?: ((url: URL) => URL) | undefined;
  /** Runs what works on flash. Undefined where the power has gone meanwhile. */
  run<T>(work: () => T): T | undefined;
}

/** The clients of one start. */
export interface ChargerClients {
  readonly errands: LinkClient;
  readonly questions: LinkClient;
}

/** Makes them. */
export function chargerClients({
  link,
  clock,
  certificate: usual,
  reach = (url) => url,
  run,
}: ChargerClientsParts): ChargerClients {
  const known = ({ certificate = usual }: Server) => ({ certificate, nowMs: clock.wallMs() });
  const whom = ({ method }: HttpOrder) => (method === 'POST' ? 'the backend' : 'the Policy Authority');
  return {
    errands: new LinkClient({ link, run, reach: (url) => url, whom, known }),
    questions: new LinkClient({ link, run, reach, whom: () => 'the revocation endpoint', known }),
  };
}
