// A network that lies: between a device and the servers it asks, requests and answers are delayed, lost, changed, or answered by
// somebody else.

import type { JsonObject } from '../../core/json/value.ts';
import type { SeededRandom } from '../flash/random.ts';
import type { LocalAnswer } from '../http/json-server.ts';
import { signBundle } from '../signing/artifacts.ts';
import { publicJwk, type SigningKey } from '../signing/keys.ts';
import type { Network, NetworkAnswer } from '../simulation/simulated-link.ts';
import type { Timeline } from '../simulation/timeline.ts';
import type { LinkRequest } from '../virtual-device/link.ts';
import type { NetworkFault, NetworkTrouble } from './fault.ts';
import { certificateObjection } from './shown-certificate.ts';

/** What a lying network is made of. */
export interface LyingNetworkParts {
  readonly timeline: Timeline;
  readonly random: SeededRandom;
  /** Somebody's own key. */
  readonly stranger: SigningKey;
  /** What honest servers answer. */
  readonly honest: (url: URL, request: LinkRequest) => Promise<LocalAnswer>;
  /** What time it is, and what the device's clock shows. */
  readonly trueMs: () => number;
  readonly shownMs: () => number | undefined;
  /** The oldest answer with bundles that anybody has heard, by path and query. */
  readonly heard: Map<string, LocalAnswer>;
}

const PORTAL_PAGE = '<!doctype html><title>Welcome</title><p>Sign in to use this network.</p>';
/** For ever, as far as a device waits. */
const NEVER_MS = 3_600_000;

/** The network of one device. */
export class LyingNetwork {
  readonly #parts: LyingNetworkParts;
  readonly #faults = new Set<NetworkFault>();
  /** What a cache on the way has kept. */
  readonly #kept = new Map<string, LocalAnswer>();

  constructor(parts: LyingNetworkParts) {
    this.#parts = parts;
  }

  /** Whether anything is wrong at all. */
  get isHonest(): boolean {
    return this.#faults.size === 0;
  }

  begin(fault: NetworkFault): void {
    this.#faults.add(fault);
  }

  end(fault: NetworkFault): void {
    this.#faults.delete(fault);
    this.#kept.clear();
  }

  /** Takes a request, and gives what arrives for an answer. */
  readonly answer: Network = async (url, request) => {
    const troubles = this.#troubles(url);
    for (const { kind } of troubles) if (kind === 'unreachable') throw new Error('nobody answers');
    const wrong = troubles.flatMap((trouble) => (trouble.kind === 'wrong-certificate' ? [trouble.how] : []));
    // By a clock that is wrong an honest server's certificate is bad, too.
    for (const how of wrong.length > 0 ? wrong : [undefined]) {
      const objection = certificateObjection(how, url, this.#parts.trueMs(), this.#parts.shownMs());
      if (objection !== undefined) throw new Error(objection);
    }
    for (const trouble of troubles) if (trouble.kind === 'latency') await this.#parts.timeline.sleep(trouble.ms);
    let answer: NetworkAnswer = await this.#from(url, request, troubles);
    for (const trouble of troubles) {
      if (trouble.kind === 'lost') await this.#parts.timeline.sleep(NEVER_MS);
      answer = this.#changed(answer, trouble);
    }
    return answer;
  };

  /** What is wrong with a request. */
  #troubles(url: URL): readonly NetworkTrouble[] {
    const to = url.pathname.startsWith('/v1/devices/') ? 'operator' : 'authority';
    const troubles: NetworkTrouble[] = [];
    for (const fault of this.#faults)
      if ((fault.to ?? to) === to && this.#parts.random.next() < fault.share) troubles.push(fault.what);
    return troubles;
  }

  /** The answer of whoever gets the request. */
  async #from(url: URL, request: LinkRequest, troubles: readonly NetworkTrouble[]): Promise<LocalAnswer> {
    const { honest, heard } = this.#parts;
    const asks = (kind: NetworkTrouble['kind']) => troubles.some((trouble) => trouble.kind === kind);
    const key = `${url.pathname}${url.search}`;
    const isBundles = url.pathname === '/trust-bundles';
    if (isBundles && asks('replayed')) {
      const old = heard.get(key);
      if (old !== undefined) return old;
    }
    if (isBundles && asks('stale')) {
      const kept = this.#kept.get(key);
      if (kept !== undefined) return kept;
    }
    const mixed = troubles.find((trouble) => trouble.kind === 'other-merchant');
    const asked = new URL(url);
    if (mixed !== undefined && isBundles) asked.searchParams.set('merchant', mixed.merchant);
    const answer = await honest(asked, request);
    if (isBundles && mixed === undefined && answer.status === 200) {
      if (!heard.has(key)) heard.set(key, answer);
      if (asks('stale')) this.#kept.set(key, answer);
    }
    return answer;
  }

  #changed(answer: NetworkAnswer, trouble: NetworkTrouble): NetworkAnswer {
    const { random } = this.#parts;
    const { body } = answer;
    const own = (status: number, headers: Record<string, string>, text = ''): NetworkAnswer => ({
      status,
      headers,
      body: Buffer.from(text),
    });
    switch (trouble.kind) {
      case 'truncated':
        return { ...answer, body: body.slice(0, random.below(body.length + 1)) };
      case 'corrupted':
        return { ...answer, body: flipped(body, random) };
      case 'captive-portal':
        return own(200, { 'content-type': 'text/html; charset=utf-8' }, PORTAL_PAGE);
      case 'redirected':
        return own(302, { location: 'http://portal.example/sign-in' });
      case 'drip':
        return { ...answer, drip: { bytes: trouble.bytes, everyMs: trouble.everyMs } };
      case 'oversize': {
        const padded = new Uint8Array(Math.max(trouble.bytes, body.length)).fill(0x20);
        padded.set(body);
        // Where a length is stated, the rest is said to belong to it.
        const { 'content-length': _, ...headers } = answer.headers;
        return { ...answer, headers, body: padded };
      }
      case 'status': {
        const { status, retryAfterMs } = trouble;
        const wait = retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) };
        return own(
          status,
          { 'content-type': 'application/json', ...wait },
          '{"error":"storm","detail":"come back later"}',
        );
      }
      case 'forged':
        return answer.status === 200 ? this.#forged(answer, trouble.by) : answer;
      default:
        return answer;
    }
  }

  #forged(answer: NetworkAnswer, by: 'stranger' | 'altered'): NetworkAnswer {
    const { stranger } = this.#parts;
    const parsed = JSON.parse(Buffer.from(answer.body).toString()) as { bundles?: JsonObject[] };
    if (parsed.bundles === undefined) return answer;
    const bundles = parsed.bundles.map((bundle) => {
      const issuers = bundle.issuers as readonly { issuer: string; keys: readonly JsonObject[] }[];
      const widened = issuers.map((listed) => ({ ...listed, keys: [...listed.keys, { ...publicJwk(stranger) }] }));
      const changed = { ...bundle, issuers: widened } as JsonObject;
      return by === 'altered' ? changed : signBundle(changed, { ...stranger, kid: String(bundle.bundleKeyId) });
    });
    const { etag: _, 'content-length': __, ...headers } = answer.headers;
    return { ...answer, headers, body: Buffer.from(JSON.stringify({ bundles })) };
  }
}

function flipped(body: Uint8Array, random: SeededRandom): Uint8Array {
  const changed = Uint8Array.from(body);
  for (let i = 0; i < 3 && changed.length > 0; i++) {
    const at = random.below(changed.length);
    changed[at] = (changed[at] as number) ^ (1 << random.below(8));
  }
  return changed;
}
