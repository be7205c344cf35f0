// Walks on as many workers as there are processors. From the sources, as tests run them, there is no worker to start: then
// everything runs here, one walk after the other.

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Walk } from './explore.ts';
import { type WalkOrder, walk } from './walks.ts';

/** More would not be done any sooner: the last walks take as long as they take. */
const MOST_WORKERS = 16;

/** Beside the command line, where the build puts it. */
const SOURCE = new URL('./powercut-worker.js', import.meta.url);

/** How many walks run at a time. */
export function crewSize(): number {
  return existsSync(fileURLToPath(SOURCE)) ? Math.min(availableParallelism(), MOST_WORKERS) : 1;
}

/** Carries walks out. `ended` is told of each as it ends. @returns what they found, in their order */
export async function walkAll(
  orders: readonly WalkOrder[],
  ended: (order: WalkOrder, found: Walk) => void,
): Promise<readonly Walk[]> {
  const found: Walk[] = [];
  let next = 0;
  const size = Math.min(crewSize(), orders.length);
  if (size <= 1) {
    for (const order of orders) {
      const one = walk(order);
      found.push(one);
      ended(order, one);
    }
    return found;
  }
  await Promise.all(
    Array.from({ length: size }, async () => {
      const worker = new Worker(SOURCE, { execArgv: [] });
      try {
        while (next < orders.length) {
          const number = next++;
          const order = orders[number] as WalkOrder;
          const one = await carryOut(worker, order);
          found[number] = one;
          ended(order, one);
        }
      } finally {
        await worker.terminate();
      }
    }),
  );
  return found;
}

function carryOut(worker: Worker, order: WalkOrder): Promise<Walk> {
  return new Promise((resolve, reject) => {
    const gone = (code: number) => reject(new Error(`a worker ended with ${code}`));
    worker.once('message', (found: Walk) => {
      worker.off('error', reject).off('exit', gone);
      resolve(found);
    });
    worker.once('error', reject).once('exit', gone);
    worker.postMessage(order);
  });
}
