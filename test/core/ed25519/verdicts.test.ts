// Every signature that the published vectors have, decided by node:crypto, by the core's own Ed25519, and by the tables of the
// keys: the verdicts are the same.

import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { negate, type Points } from '../../../core/ed25519/curve.ts';
import { decompressPublicKey, type TableSource } from '../../../core/ed25519/verify.ts';
import { createPortableCrypto } from '../../../core/ports/portable-crypto.ts';
import type { Crypto, MessageStream } from '../../../core/ports/ports.ts';
import { createEngine } from '../../../host-sim/conformance/engine.ts';
import { createNodeCrypto } from '../../../host-sim/ports/node-crypto.ts';
import { runConformance } from '../../../tools/conform/run.ts';
import { tableOf } from './table-fixtures.ts';

const interop = fileURLToPath(new URL('../../vectors/interop', import.meta.url));

/** A table for every key that can have one, made once. */
function tablesOfAll(): TableSource & { readonly made: Map<string, Points | undefined> } {
  const made = new Map<string, Points | undefined>();
  return {
    made,
    find(publicKey) {
      const name = Buffer.from(publicKey).toString('hex');
      if (!made.has(name)) {
        const point = decompressPublicKey(publicKey);
        made.set(name, point && tableOf(negate(point)));
      }
      return made.get(name);
    },
    has: () => false,
    wrong() {
      throw new Error('a table refused a good signature');
    },
  };
}

describe('all signatures of the published vectors', () => {
  it('have one verdict, good or bad', () => {
    const node = createNodeCrypto();
    const tables = tablesOfAll();
    const others = [createPortableCrypto(node), createPortableCrypto(node, tables)];
    const known = new Map<string, boolean>();
    const comparing: Crypto = {
      ...node,
      ed25519Verify(publicKey, signature, message) {
        const bytes = typeof message === 'function' ? bytesOf(message) : message;
        const verdict = node.ed25519Verify(publicKey, signature, bytes);
        const name = [publicKey, signature, bytes].map((part) => Buffer.from(part).toString('hex')).join(' ');
        if (!known.has(name)) {
          known.set(name, verdict);
          for (const other of others) expect(other.ed25519Verify(publicKey, signature, bytes)).toBe(verdict);
        }
        return verdict;
      },
      ed25519KeyUsable(publicKey) {
        const usable = node.ed25519KeyUsable(publicKey);
        for (const other of others) expect(other.ed25519KeyUsable(publicKey)).toBe(usable);
        return usable;
      },
    };
    expect(runConformance(interop, createEngine(comparing))).toMatchObject({ failed: 0 });
    const verdicts = [...known.values()];
    expect(verdicts.filter((isGood) => isGood).length).toBeGreaterThan(100);
    expect(verdicts.filter((isGood) => !isGood).length).toBeGreaterThan(20);
    expect(tables.made.size).toBeGreaterThan(5);
  });
});

function bytesOf(message: MessageStream): Uint8Array {
  const parts: Uint8Array[] = [];
  message((part) => parts.push(part.slice()));
  return Buffer.concat(parts);
}
