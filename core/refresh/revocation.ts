// Whether a grant was revoked, asked online where the grant says whom: while there is a network, once every check has passed, at
// addresses the site lists. Without input and output: a decision refuses with REVOCATION_UNKNOWN and leaves a question; whoever
// has the network asks it, tells the answer, and has the payment decided again.
//
// What says "revoked" is remembered, and refuses without a network too; what says "not revoked" is good for a while.

import type { PolicyGrant } from '../artifacts/policy-grant.ts';
import { fail, type Outcome, PASS } from '../chain/check.ts';
import { JsonProblem, readJson } from '../json/reader.ts';
import { anyMember, isObject } from '../json/value.ts';
import type { LedgerKey } from '../ledger/ledger.ts';
import {
  ANSWER_LIMITS,
  REVOCATION_ENDPOINT_CHARACTERS,
  REVOCATION_RETRY_MS,
  REVOCATIONS_CACHED,
  REVOCATIONS_REMEMBERED,
} from '../limits.ts';
import type { Clock, Log } from '../ports/ports.ts';
import { type HeaderOf, mediaType } from './bundle-fetch.ts';
import type { RevocationSettings } from './settings.ts';

/** A GET that is to be sent. Redirects are not to be followed: they would lead past the list of hosts. */
export interface RevocationQuestion {
  readonly url: string;
  /** Host, with its port where one is stated: one of the configured ones. */
  readonly host: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: { readonly [name: string]: string };
  readonly timeoutMs: number;
  readonly maxBytes: number;
  /** The grant under its signer's key: another signer's grant of the same id is another one. */
  readonly grant: LedgerKey;
  /** Until when a revocation matters: the grant's expiry with the site's drift. */
  readonly untilMs: number;
}

/** What came of a question. */
export type RevocationAnswer = 'good' | 'revoked' | 'failed';

/** A grant that was asked about. */
interface Asked {
  readonly grant: LedgerKey;
  /** Why it is not known; undefined where it is not revoked. */
  readonly problem: string | undefined;
  /** Monotonic time until which that holds. */
  readonly untilMs: number;
}

const SCHEME = 'https://';
const HEADERS = Object.freeze({ accept: 'application/json', 'accept-encoding': 'identity' });
const ASK_FIRST = fail('REVOCATION_UNKNOWN', 'the revocation endpoint has to be asked first');
const REVOKED = fail('GRANT_REVOKED', 'its revocation endpoint says so');

/** See the head of the file. No answer makes it throw. */
export class RevocationChecks {
  /** Whether there is a network: without one nothing is asked, and grants are taken as offline. Told by who has it. */
  linkUp = false;
  readonly #settings: RevocationSettings;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #log: Log | undefined;
  /** Grants that are revoked, and until when that matters, as their signers say: no clock makes one forgotten. */
  readonly #revoked: LedgerKey[] = [];
  readonly #revokedUntilMs: number[] = [];
  readonly #asked: Asked[] = [];
  #question: RevocationQuestion | undefined;

  constructor(settings: RevocationSettings, clock: Pick<Clock, 'monotonicMs'>, log?: Log) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
  }

  /** A decision begins: what the one before wanted to be asked is not its question. */
  begin(): void {
    this.#question = undefined;
  }

  /** What the last decision wants to be asked; undefined where asking would change nothing. */
  get question(): RevocationQuestion | undefined {
    return this.#question;
  }

  /**
   * The check of a payment whose grant has an endpoint.
   *
   * @param key the grant under its signer's key
   * @param driftMs for which an expired grant may still be taken
   */
  outcome(grant: PolicyGrant, endpoint: string, key: LedgerKey, driftMs: number): Outcome {
    this.begin();
    if (this.#revoked.includes(key)) return REVOKED;
    if (!this.linkUp) return PASS;
    const asked = this.find(key);
    if (asked !== undefined) return asked.problem === undefined ? PASS : this.unknown(grant, asked.problem);
    const address = addressOf(endpoint, this.#settings.hosts, grant.grantId);
    if (typeof address === 'string') return this.unknown(grant, address);
    const { timeoutMs } = this.#settings;
    const rest = { headers: HEADERS, timeoutMs, maxBytes: ANSWER_LIMITS.bytes };
    this.#question = { ...address, ...rest, grant: key, untilMs: grant.expiresAtMs + driftMs };
    return ASK_FIRST;
  }

  /**
   * Takes an answer.
   *
   * @param body its bytes, at most `maxBytes`: `{"revoked": true}` or `{"revoked": false}`
   */
  answered(question: RevocationQuestion, status: number, header: HeaderOf, body: Uint8Array): RevocationAnswer {
    if (status !== 200) return this.failed(question, `the revocation endpoint answered ${status}`);
    const type = header('content-type');
    if (typeof type === 'string' && mediaType(type) !== 'application/json')
      return this.failed(question, 'the answer of the revocation endpoint is not application/json');
    const revoked = revokedIn(body);
    if (revoked === undefined) return this.failed(question, 'the answer of the revocation endpoint does not say');
    if (revoked) this.remember(question);
    else this.note({ grant: question.grant, problem: undefined, untilMs: this.until(this.#settings.cacheMs) });
    this.#log?.emit({ event: 'revocation.answered', host: question.host, revoked });
    return revoked ? 'revoked' : 'good';
  }

  /** No answer came, or none that says anything. Asked again after a while. */
  failed(question: RevocationQuestion, detail: string): RevocationAnswer {
    this.note({ grant: question.grant, problem: detail, untilMs: this.until(REVOCATION_RETRY_MS) });
    this.#log?.emit({ event: 'revocation.failed', host: question.host, detail });
    return 'failed';
  }

  /** What becomes of a grant of which nobody knows. */
  private unknown(grant: PolicyGrant, why: string): Outcome {
    const { onFailure } = this.#settings;
    if (onFailure === 'accept') return PASS;
    // The caps are checked whether or not there is a network; here somebody has to have set one.
    if (onFailure === 'accept-offline-caps') {
      if (grant.offlineMaxCumulativePayment !== undefined) return PASS;
      return fail('REVOCATION_UNKNOWN', `${why}, and the grant has no offlineMaxCumulativePayment`);
    }
    return fail('REVOCATION_UNKNOWN', why);
  }

  private find(key: LedgerKey): Asked | undefined {
    const now = this.#clock.monotonicMs();
    for (let i = 0; i < this.#asked.length; i++) {
      const asked = this.#asked[i] as Asked;
      if (asked.grant === key) return now < asked.untilMs ? asked : undefined;
    }
    return undefined;
  }

  /** The oldest gives way: it is asked about again. */
  private note(asked: Asked): void {
    const all = this.#asked;
    const at = all.findIndex(({ grant }) => grant === asked.grant);
    if (at >= 0) all.splice(at, 1);
    else if (all.length === REVOCATIONS_CACHED) all.shift();
    all.push(asked);
  }

  /** Where there are too many, what expires first gives way: it is asked about again, where it has not expired. */
  private remember({ grant, untilMs }: RevocationQuestion): void {
    const asked = this.#asked.findIndex((one) => one.grant === grant);
    if (asked >= 0) this.#asked.splice(asked, 1);
    if (this.#revoked.includes(grant)) return;
    if (this.#revoked.length === REVOCATIONS_REMEMBERED) {
      const at = this.#revokedUntilMs.indexOf(Math.min(...this.#revokedUntilMs));
      this.#revoked.splice(at, 1);
      this.#revokedUntilMs.splice(at, 1);
    }
    this.#revoked.push(grant);
    this.#revokedUntilMs.push(untilMs);
  }

  private until(ms: number): number {
    return this.#clock.monotonicMs() + ms;
  }
}

/** Where to ask, or why nobody is asked there: a signer chooses the address, and must not reach what only the device can. */
function addressOf(
  endpoint: string,
  hosts: readonly string[],
  grantId: string,
): Pick<RevocationQuestion, 'url' | 'host' | 'path'> | string {
  if (endpoint.length > REVOCATION_ENDPOINT_CHARACTERS) return 'the revocation endpoint is too long';
  if (!endpoint.startsWith(SCHEME)) return 'the revocation endpoint is not https';
  if (!isPlain(endpoint)) return 'the revocation endpoint has characters that no address needs';
  const rest = endpoint.slice(SCHEME.length);
  const query = rest.indexOf('?');
  const slash = rest.indexOf('/');
  const end = slash >= 0 && (query < 0 || slash < query) ? slash : query;
  const host = (end < 0 ? rest : rest.slice(0, end)).toLowerCase();
  if (!hosts.includes(host)) return 'the host of the revocation endpoint is not one that the site lists';
  if (query >= 0 && rest.slice(query).includes('grantId=')) return 'the revocation endpoint names a grant of its own';
  const stated = end < 0 ? '/' : end === query ? `/${rest.slice(end)}` : rest.slice(end);
  const path = `${stated}${query < 0 ? '?' : '&'}grantId=${encodeURIComponent(grantId)}`;
  return { url: `${SCHEME}${host}${path}`, host, path };
}

/** Printable ASCII without what one reader of addresses takes for something else than another does. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f || code === 0x5c || code === 0x23) return false;
  }
  return true;
}

function revokedIn(body: Uint8Array): boolean | undefined {
  const answer = readJson(body, ANSWER_LIMITS);
  const revoked = !(answer instanceof JsonProblem) && isObject(answer) ? anyMember(answer, 'revoked') : undefined;
  return typeof revoked === 'boolean' ? revoked : undefined;
}
