// The order of a log's blocks, beside a plain list.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BlockChain } from '../../../core/ledger/block-chain.ts';

const BLOCKS = 7;

it('is what a list would be, whatever is added at either end and taken out at the old one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('push', 'unshift', 'shift', 'clear'), fc.nat(BLOCKS - 1))),
      (acts) => {
        const chain = new BlockChain(BLOCKS);
        const list: number[] = [];
        for (const [act, block] of acts) {
          if (act === 'clear') {
            chain.clear();
            list.length = 0;
          } else if (act === 'shift' ? list.length === 0 : list.includes(block)) continue;
          else if (act === 'shift') {
            chain.shift();
            list.shift();
          } else {
            chain[act](block);
            list[act](block);
          }
          expect(Array.from({ length: chain.length }, (_, i) => chain.at(i))).toEqual(list);
          expect([chain.oldest, chain.newest]).toEqual([list[0], list.at(-1)]);
          for (let one = 0; one < BLOCKS + 2; one++) expect(chain.indexOf(one)).toBe(list.indexOf(one));
        }
      },
    ),
  );
});

it('takes four bytes a block', () => {
  expect(new BlockChain(64).memoryBytes).toBe(256);
});
