// A worker that runs a site of a fleet. `sites.ts` starts it.

import { parentPort, workerData } from 'node:worker_threads';
import { runSite, type SiteOrder, type SiteWord } from './site.ts';

const say = (word: SiteWord) => parentPort?.postMessage(word);
say({ kind: 'over', run: await runSite(workerData as SiteOrder, (ms, ofMs) => say({ kind: 'progress', ms, ofMs })) });
