// A worker of the power-cut proof: takes walks, one after the other, and says what they found. `crew.ts` starts it.

import { parentPort } from 'node:worker_threads';
import { type WalkOrder, walk } from './walks.ts';

// What is thrown at a cut is thrown millions of times.
Error.stackTraceLimit = 0;
parentPort?.on('message', (order: WalkOrder) => parentPort?.postMessage(walk(order)));
