// What programs in XS answer, where a program does not keep to it: a run that ends well has answered all that was asked, or is an
// error that names what has no answer; nothing is asked for ever. With runs of the test's own in the place of XS.

import { afterEach, expect, it, vi } from 'vitest';
import { answersInXs } from '../../../host-sim/xs/conformance.ts';
import { EngineProblem } from '../../../host-sim/xs/project.ts';
import { runArchive, type XsOptions, type XsRun } from '../../../host-sim/xs/runner.ts';
import { verdictsInXs } from '../../../host-sim/xs/signature-run.ts';
import { runSteps } from '../../../host-sim/xs/step-run.ts';
import type { Step } from '../../../host-sim/xs/steps.ts';

vi.mock(import('../../../host-sim/xs/runner.ts'), async (original) => ({ ...(await original()), runArchive: vi.fn() }));
vi.mock(import('../../../host-sim/xs/bundle.ts'), () => ({ bundleArchive: async () => new Uint8Array(0) }));

afterEach(() => vi.mocked(runArchive).mockReset());

/** The next runs print these lines and end as they say. */
function runs(...ends: readonly { readonly says: readonly string[]; readonly abort?: string }[]): void {
  let next = 0;
  vi.mocked(runArchive).mockImplementation(async (_, { heard }: XsOptions): Promise<XsRun> => {
    const end = ends[next++];
    if (end === undefined) throw new Error('one run too many');
    for (const line of end.says) heard?.(line);
    return { lines: end.says, figures: [], image: [], ok: true, exception: undefined, abort: end.abort };
  });
}

const GOOD = { result: { ok: true } };
const good = (call: number) => `${call} ${JSON.stringify(GOOD)}`;
const NONE = { error: 'the program in XS ended without an answer' };

const options = { target: 'm32', crypto: 'core' } as const;
const answers = (count: number) => answersInXs(Array(count).fill(['header', 'x']), options);

it('a call that a machine stopped at has an error; another machine goes on behind it', async () => {
  runs({ says: [good(0)], abort: 'memory full' }, { says: [good(2)] });
  expect(await answers(3)).toEqual([GOOD, { error: 'the machine stopped: memory full' }, GOOD]);
});

it('calls that a program ended without are errors, each for itself', async () => {
  runs({ says: [good(0)] });
  expect(await answers(3)).toEqual([GOOD, NONE, NONE]);
});

it.each([
  ['to another call', good(1)],
  ['that is no JSON', '0 {"result":'],
  ['without a number', '{"result":{}}'],
])('an answer %s is an error that names the call', async (_, line) => {
  runs({ says: [line] });
  const error = await answers(2).catch((problem: unknown) => problem);
  expect(error).toBeInstanceOf(EngineProblem);
  expect((error as EngineProblem).message).toBe(
    `the conformance program answered call 0 with ${JSON.stringify(line.slice(0, 60))}`,
  );
});

it('more answers than calls are an error', async () => {
  runs({ says: [good(0), good(1)] });
  await expect(answers(1)).rejects.toThrow('the conformance program gave 2 answers to 1 calls');
});

it('a signature without a verdict is named', async () => {
  const one = (name: string) => ({
    name,
    publicKey: new Uint8Array(32),
    signature: new Uint8Array(64),
    message: new Uint8Array(0),
  });
  runs({ says: ['0 good usable'] });
  await expect(verdictsInXs([one('first'), one('second')], 'core', { target: 'm32' })).rejects.toThrow(
    'the program of signatures ended without a verdict on second',
  );
});

it('a step that nothing came of is named', async () => {
  const step: Step = { kind: 'payment', bytes: new Uint8Array(1) };
  runs({ says: ['0 ok'] });
  const all = { ...options, form: 'verifier', told: 1, renewed: 1 } as const;
  await expect(runSteps({} as never, [step, step], all)).rejects.toThrow(
    "the device's program ended before step 1 of 2",
  );
});
