// What runs at random have found, each cut down to a small scenario: no rule is broken in it any more, and nothing is thrown. What
// each was about its file says.

import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runScenario } from '../../../host-sim/simulation/run.ts';
import { readScenario } from '../../../tools/scenario/scenario-file.ts';

const folder = fileURLToPath(new URL('found/', import.meta.url));

describe('found at random, and mended:', () => {
  it.each(readdirSync(folder))('%s', async (name) => {
    const read = readScenario(`${folder}${name}`);
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    const { violation, unmet } = await runScenario(read.scenario);
    expect([violation, unmet]).toEqual([undefined, []]);
  });
});
