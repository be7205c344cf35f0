// Set-up of a device that comes without a root key and may fetch one, once, over TLS: what the authority publishes is read, shown
// by fingerprint, and what somebody who stands before the device confirms is kept. Nothing is trusted before, and nothing is
// fetched after. Without input and output, as everything in refresh.

import { kidOf, readKey } from '../artifacts/trust-bundle.ts';
import { encodeBase64Url } from '../encoding/base64.ts';
import { JsonProblem, readJson } from '../json/reader.ts';
import { anyMember, isArray, isObject, type JsonValue } from '../json/value.ts';
import {
  LOGGED_CHARACTERS,
  PUBLISHED_KEYS_LIMITS,
  REFRESH_TIMEOUT_MS,
  ROOT_KEY_CONFIRM_MS,
  ROOT_KEY_TRIES,
  ROOT_KEYS_SHOWN,
} from '../limits.ts';
import type { Crypto, Log } from '../ports/ports.ts';
import { type FetchOrder, type HeaderOf, mediaType } from '../refresh/bundle-fetch.ts';
import type { RootKey } from '../trust/configuration.ts';

/** Keeps what was confirmed, where the next start finds it. */
export interface RootKeyKeeper {
  /** @returns once it is durable; else why it is not kept */
  keep(key: RootKey): string | undefined;
}

/** A key that is shown. */
export interface ShownKey {
  readonly kid: string;
  /** See `keyFingerprint`. */
  readonly fingerprint: string;
}

/** What to do next. */
export type RootKeyStep =
  /** Send the GET to the authority, over TLS, and follow no redirect. */
  | { readonly kind: 'fetch'; readonly order: FetchOrder }
  /** Show these, and have one confirmed. */
  | { readonly kind: 'confirm'; readonly keys: readonly ShownKey[] }
  /** One is kept: the device starts again. */
  | { readonly kind: 'done' }
  /** This device fetches none. */
  | { readonly kind: 'refused'; readonly detail: string };

/** What a set-up needs. */
export interface RootKeySetupParts {
  readonly crypto: Pick<Crypto, 'sha256' | 'ed25519KeyUsable'>;
  readonly keeper: RootKeyKeeper;
  /** Whether the device's provisioning says that it fetches one. */
  readonly mayFetch: boolean;
  /** How many it has. */
  readonly rootKeys: number;
  readonly log?: Log;
}

const ORDER: FetchOrder = Object.freeze({
  path: '/.well-known/mpcp-keys.json',
  headers: Object.freeze({ accept: 'application/json', 'accept-encoding': 'identity', 'cache-control': 'no-cache' }),
  timeoutMs: REFRESH_TIMEOUT_MS,
  maxBytes: PUBLISHED_KEYS_LIMITS.bytes,
});

/** Members of a JWK that are private or symmetric (RFC 7518 §6, RFC 8037 §2). */
const SECRET: readonly string[] = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv'];
const GROUP = 4;

/**
 * The fingerprint of a key, for people to compare: the base64url of the SHA-256 of its 32 bytes, in groups of four characters.
 */
export function keyFingerprint(crypto: Pick<Crypto, 'sha256'>, key: Uint8Array): string {
  const hash = crypto.sha256();
  hash.update(key);
  const text = encodeBase64Url(hash.digest());
  const groups: string[] = [];
  for (let at = 0; at < text.length; at += GROUP) groups.push(text.slice(at, at + GROUP));
  return groups.join(' ');
}

/** See the head of the file. No answer makes it throw. */
export class RootKeySetup {
  readonly #parts: RootKeySetupParts;
  #keys: readonly { readonly key: RootKey; readonly shown: ShownKey }[] = [];
  #untilMs = 0;
  #tries = 0;
  #isDone = false;

  constructor(parts: RootKeySetupParts) {
    this.#parts = parts;
  }

  /** What to do next. What waits too long to be confirmed is fetched again. @param nowMs a monotonic time */
  next(nowMs: number): RootKeyStep {
    const { mayFetch, rootKeys } = this.#parts;
    if (this.#isDone) return { kind: 'done' };
    if (rootKeys > 0) return { kind: 'refused', detail: 'the device has a root key' };
    if (!mayFetch)
      return { kind: 'refused', detail: 'the provisioning of the device does not let it fetch a root key' };
    if (nowMs >= this.#untilMs) this.#keys = [];
    if (this.#keys.length === 0) return { kind: 'fetch', order: ORDER };
    return { kind: 'confirm', keys: this.#keys.map(({ shown }) => shown) };
  }

  /**
   * Takes the answer to the request.
   *
   * @param body its bytes, at most `maxBytes`: `{"version": "1.0", "keys": [JWK, …]}`
   * @returns why nothing of it is shown, or undefined
   */
  answered(nowMs: number, status: number, header: HeaderOf, body: Uint8Array): string | undefined {
    // Keys that are being shown are not exchanged under the eyes of whoever compares them.
    if (this.next(nowMs).kind !== 'fetch') return 'no root key was asked for';
    if (status !== 200) return this.refused(`the authority answered ${status}`);
    const type = header('content-type');
    if (typeof type === 'string' && mediaType(type) !== 'application/json')
      return this.refused('the answer is not application/json');
    const keys = this.read(body);
    if (typeof keys === 'string') return this.refused(keys);
    this.#keys = keys;
    this.#tries = 0;
    this.#untilMs = nowMs + ROOT_KEY_CONFIRM_MS;
    for (const { shown } of keys) this.#parts.log?.emit({ event: 'rootKey.shown', ...shown });
    return undefined;
  }

  /**
   * Somebody has compared a fingerprint with one that came another way, and confirms the key that has it.
   *
   * @param fingerprint as it was shown; blanks do not matter
   * @returns why it is not kept, or undefined where it is
   */
  confirm(nowMs: number, fingerprint: string): string | undefined {
    if (this.next(nowMs).kind !== 'confirm') return 'no root key waits to be confirmed';
    const found = this.#keys.find(({ shown }) => withoutBlanks(shown.fingerprint) === withoutBlanks(fingerprint));
    if (found === undefined) {
      if (++this.#tries >= ROOT_KEY_TRIES) this.#keys = [];
      return this.refused('no key that was shown has this fingerprint');
    }
    const problem = this.#parts.keeper.keep(found.key);
    if (problem !== undefined) return this.refused(`the root key could not be kept: ${problem}`);
    this.#isDone = true;
    this.#keys = [];
    this.#parts.log?.emit({ event: 'rootKey.kept', ...found.shown });
    return undefined;
  }

  /** Somebody has compared, and it is none of them: they are forgotten. */
  decline(): void {
    this.#keys = [];
    this.#parts.log?.emit({ event: 'rootKey.declined' });
  }

  private read(body: Uint8Array): readonly { readonly key: RootKey; readonly shown: ShownKey }[] | string {
    const value = readJson(body, PUBLISHED_KEYS_LIMITS);
    if (value instanceof JsonProblem) return `the answer cannot be read: ${value.message}`;
    const jwks = isObject(value) ? anyMember(value, 'keys') : undefined;
    if (!isArray(jwks)) return 'the answer is not {"keys": […]}';
    if (jwks.length > ROOT_KEYS_SHOWN) return `the answer has more than ${ROOT_KEYS_SHOWN} keys`;
    const found: { readonly key: RootKey; readonly shown: ShownKey }[] = [];
    for (const jwk of jwks) {
      if (hasSecret(jwk)) return 'the answer holds a private key: whoever publishes it is not to be trusted with any';
      const kid = kidOf(jwk);
      const { key: publicKey, active } = readKey(jwk);
      // Keys of other curves may stand beside.
      if (typeof publicKey === 'string' || !active || !this.#parts.crypto.ed25519KeyUsable(publicKey)) continue;
      if (kid === '') return 'a key has no kid';
      if (kid.length > LOGGED_CHARACTERS) return `a kid has more than ${LOGGED_CHARACTERS} characters`;
      if (!isPlain(kid)) return 'a kid has blanks, or characters that are not printable ASCII';
      if (found.some(({ shown }) => shown.kid === kid)) return 'two keys have one kid';
      const fingerprint = keyFingerprint(this.#parts.crypto, publicKey);
      found.push({ key: { kid, publicKey }, shown: { kid, fingerprint } });
    }
    return found.length === 0 ? 'the answer holds no key that can be used' : found;
  }

  private refused(detail: string): string {
    this.#parts.log?.emit({ event: 'rootKey.refused', detail });
    return detail;
  }
}

function hasSecret(jwk: JsonValue): boolean {
  if (!isObject(jwk)) return false;
  return SECRET.some((name) => anyMember(jwk, name) !== undefined);
}

/** A kid is shown beside a fingerprint, and comes from a server that nobody trusts yet: it is not to look like one, nor move a cursor. */
function isPlain(kid: string): boolean {
  for (let i = 0; i < kid.length; i++) {
    const code = kid.charCodeAt(i);
    if (code <= 0x20 || code >= 0x7f) return false;
  }
  return true;
}

function withoutBlanks(text: string): string {
  return text.split(' ').join('');
}
