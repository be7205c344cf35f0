// Payers who present what is no payment to be read: broken off, too large, or of a shape that others could read differently.

import type { JsonObject, JsonValue } from '../../core/json/value.ts';
import { ARTIFACT_LIMITS } from '../../core/limits.ts';
import { presentationBytes } from '../wallet/presentation.ts';
import type { Cheats } from './cheat.ts';

/** What is of another type than any member that is signed for. */
const OTHER_TYPES: readonly JsonValue[] = [7, true, [[]], { a: 1 }];
/** CBOR that no length in it is true of: a map of 2^64 - 1 members, one without an end, a text longer than anything. */
const LYING_CBOR: readonly (readonly number[])[] = [
  [0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x63, 0x73, 0x62, 0x61],
  [0xbf, 0x63, 0x73, 0x62, 0x61, 0xa0],
  [0xa1, 0x7b, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x73, 0x62, 0x61],
];

/** See the head of the file. */
export const HOSTILE_BYTES = {
  /** Breaks off. */
  truncated: ({ honest, amountMinor, random }) => {
    const bytes = presentationBytes(honest);
    return { bytes: bytes.subarray(0, random.below(bytes.length)), amountMinor };
  },
  /** Sends bytes that mean nothing. */
  garbage: ({ amountMinor, random }) => ({
    bytes: Uint8Array.from({ length: 512 }, () => random.below(256)),
    amountMinor,
  }),
  /** Has its budget in it twice: others could take the other one. */
  'members-twice': ({ honest, amountMinor }) => {
    const raised = { ...honest.sba.authorization, maxAmountMinor: '999999999999' };
    const another = JSON.stringify({ ...honest.sba, authorization: raised });
    return { bytes: Buffer.from(`${JSON.stringify(honest).slice(0, -1)},"sba":${another}}`), amountMinor };
  },
  /** Nests deeper than a stack. */
  'nested-deeply': ({ amountMinor }) => ({
    bytes: Buffer.from(`{"grant":${'['.repeat(2000)}${']'.repeat(2000)}}`),
    amountMinor,
  }),
  /** Is longer than memory. */
  oversize: ({ honest, amountMinor }) => {
    const idempotencyKey = 'x'.repeat(40_000);
    return { bytes: presentationBytes({ ...honest, idempotencyKey }), amountMinor };
  },
  /** Has a list with more elements than anybody reads. */
  'list-long': ({ honest, amountMinor }) => {
    const many = Array.from({ length: ARTIFACT_LIMITS.elements + 1 }, () => 0);
    const settlementIntent = { ...(honest.settlementIntent as JsonObject), asset: many };
    return { bytes: presentationBytes({ ...honest, settlementIntent }), amountMinor };
  },
  /** Has a member that no presentation has. */
  'member-unknown': ({ honest, amountMinor }) => {
    const presentation = { approved: true, ...honest };
    return { bytes: presentationBytes(presentation), amountMinor };
  },
  /** Leaves out one of what its wallet has signed. */
  'member-missing': ({ honest, amountMinor, random }) => {
    const { authorization } = honest.sba;
    const names = Object.keys(authorization);
    const left = names[random.below(names.length)];
    const fewer = Object.fromEntries(Object.entries(authorization).filter(([name]) => name !== left));
    return { bytes: presentationBytes({ ...honest, sba: { ...honest.sba, authorization: fewer } }), amountMinor };
  },
  /** Has one of them of another type. */
  'type-changed': ({ honest, amountMinor, random }) => {
    const names = Object.keys(honest.sba.authorization);
    const name = names[random.below(names.length)] as string;
    const other = OTHER_TYPES[random.below(OTHER_TYPES.length)] as JsonValue;
    const authorization = { ...honest.sba.authorization, [name]: other };
    return { bytes: presentationBytes({ ...honest, sba: { ...honest.sba, authorization } }), amountMinor };
  },
  /** Has text in it that is no UTF-8. */
  'text-malformed': ({ honest, amountMinor }) => {
    const [before, after] = JSON.stringify({ ...honest, idempotencyKey: '§' }).split('§') as [string, string];
    return { bytes: Buffer.concat([Buffer.from(before), Uint8Array.of(0xc0, 0xaf), Buffer.from(after)]), amountMinor };
  },
  /** Sends CBOR whose lengths lie. */
  'cbor-lying': ({ amountMinor, random }) => ({
    bytes: Uint8Array.from(LYING_CBOR[random.below(LYING_CBOR.length)] as readonly number[]),
    amountMinor,
  }),
} as const satisfies Cheats;
