// Decentralized identifiers (W3C DID Core §3.1), and what the methods that MPCP deployments use say about their own part.

import { ed25519KeyUsable } from '../../core/ed25519/verify.ts';
import { decodeBase58 } from '../../core/encoding/base58.ts';
import { ed25519FromDidKey } from '../../core/encoding/did-key.ts';
import { xrplAddressProblem } from './addresses.ts';

/** did = "did:" method-name ":" method-specific-id, whose last part is not empty. No path, query or fragment. */
const DID = /^did:([a-z0-9]+):((?:(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})*:)*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})+)$/;

/** Public keys in a did:key: multicodec as an unsigned varint, and how many bytes follow it. */
const KEY_TYPES: readonly { readonly code: readonly [number, number]; readonly bytes: number }[] = [
  { code: [0xed, 0x01], bytes: 32 }, // ed25519-pub
  { code: [0xec, 0x01], bytes: 32 }, // x25519-pub
  { code: [0xe7, 0x01], bytes: 33 }, // secp256k1-pub
  { code: [0x80, 0x24], bytes: 33 }, // p256-pub
];

/** How a DID is checked. */
export interface DidRules {
  /** False lets a did:xrpl carry any address. */
  readonly checkAddresses: boolean;
}

/** Why text is not a DID, or undefined where it is one. Only methods named in this file are looked into. */
export function didProblem(text: string, rules: DidRules): string | undefined {
  const parts = DID.exec(text);
  if (parts === null) return `${text} is not a DID (did:method:identifier)`;
  const [, method, id] = parts as unknown as [string, string, string];
  switch (method) {
    case 'key':
      return decodableKey(text, id) ? undefined : `${text} carries no public key that could be decoded`;
    case 'xrpl':
      return xrplProblem(text, id, rules);
    case 'web':
      return webProblem(text, id);
    default:
      return undefined;
  }
}

function decodableKey(did: string, id: string): boolean {
  const ed25519 = ed25519FromDidKey(did);
  if (ed25519 !== undefined) return ed25519KeyUsable(ed25519);
  const bytes = id.startsWith('z') ? decodeBase58(id.slice(1), 40) : undefined;
  return (
    bytes !== undefined &&
    KEY_TYPES.some((type) => bytes[0] === type.code[0] && bytes[1] === type.code[1] && bytes.length === type.bytes + 2)
  );
}

/** did:xrpl:{network}:{classic address}; a payment's actor is compared with the address. */
function xrplProblem(did: string, id: string, rules: DidRules): string | undefined {
  const [network, address, ...rest] = id.split(':');
  if (!network || address === undefined || rest.length > 0) return `${did} is not did:xrpl:{network}:{address}`;
  return rules.checkAddresses ? prefixed(did, xrplAddressProblem(address)) : undefined;
}

/** did:web:{host}[:path…]; a port is percent-encoded. */
function webProblem(did: string, id: string): string | undefined {
  const host = (id.split(':')[0] as string).replace(/%3[Aa][0-9]{1,5}$/, '');
  const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
  return new RegExp(`^${label}(?:\\.${label})*$`).test(host) ? undefined : `${did} names no host`;
}

function prefixed(did: string, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `${did}: ${problem}`;
}
