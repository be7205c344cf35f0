// The lines of the benchmark in XS: what is measured, on which machines, and what it may cost at most (the budgets of the
// design). Everything is data; xs.ts runs it.

import type { BenchCryptoName, Form } from '../../host-sim/xs/bench-input.ts';
import { MACHINES, type MachineMemory } from '../../host-sim/xs/runner.ts';

/** A target and a machine's memory, as figures are kept by. */
export type Place = 'rv32/esp32' | 'rv32/48k' | 'rv32/large' | 'm32/esp32' | 'm32/48k' | 'm32/large';

/** One line. */
export interface BenchLineDefinition {
  /** Section, what, and with what, with slashes between: the name in the baseline. */
  readonly id: string;
  readonly title: string;
  /** The program that knows the task: the core's, or the libraries that it is compared with. */
  readonly program: 'bench' | 'bench-peer';
  readonly task: string;
  readonly form: Form;
  readonly crypto: BenchCryptoName;
  /** What must come of it. */
  readonly outcome: string;
  readonly places: readonly Place[];
  /** Instructions at most, on rv32 with the heap of a plain ESP32. */
  readonly budget?: number;
  /** The line that does only what native code must do. */
  readonly floor?: string;
  /** The line of the library that does the same. */
  readonly peer?: string;
}

/** The memory of each machine. */
export const BENCH_MACHINES: { readonly [name: string]: MachineMemory } = {
  // What instruction budgets are for.
  esp32: MACHINES.device,
  '48k': MACHINES['48k'],
  // For libraries: as much as they like, so that collections are not what they are measured by.
  large: { ...MACHINES.large, chunks: 4_194_304, slots: 131_072 },
};

const BOTH: readonly Place[] = ['rv32/esp32', 'rv32/48k', 'm32/esp32', 'm32/48k'];
const ESP32_ONLY: readonly Place[] = ['rv32/esp32', 'm32/esp32'];
const LARGE: readonly Place[] = ['rv32/large', 'm32/large'];

/** What a line is, said in words for titles. */
const CRYPTO_WORDS: { readonly [name in BenchCryptoName]: string } = {
  native: 'native',
  tables: 'TypeScript, tables of the keys, native hashes',
  hashes: 'TypeScript, native hashes',
  core: 'TypeScript alone',
};

/** All lines, in the order they are printed in. @param presentationBytes what the presentation takes, for titles */
export function benchLines(presentationBytes: number): readonly BenchLineDefinition[] {
  return [
    ...readingLines(presentationBytes),
    ...hashingLines(),
    ...signatureLines(),
    ...floorLines(),
    ...chainLines('verifier'),
    ...chainLines('device'),
    ...storeLines(),
  ];
}

const PLAIN = { program: 'bench', form: 'verifier', crypto: 'native', outcome: 'ok', places: BOTH } as const;

function readingLines(bytes: number): readonly BenchLineDefinition[] {
  const text = `${bytes} bytes`;
  return [
    { ...PLAIN, id: 'reading/presentation', title: `presentation read, ${text}`, task: 'read' },
    { ...PLAIN, id: 'reading/cbor', title: 'the same as CBOR', task: 'readCbor' },
    {
      ...PLAIN,
      id: 'reading/canonical',
      title: `JSON read and made canonical, ${text}`,
      task: 'canonical',
      outcome: String(bytes),
    },
    { ...PLAIN, id: 'reading/digests', title: 'four artifacts: canonical text, native SHA-256', task: 'digests' },
  ];
}

function hashingLines(): readonly BenchLineDefinition[] {
  return (['256', '512'] as const).flatMap((bits) => {
    const task = `sha${bits}`;
    const common = { ...PLAIN, task, outcome: String(Number(bits) / 8) };
    const compared = { floor: `hashing/${task}/native`, peer: `hashing/${task}/noble` };
    const title = (how: string) => `SHA-${bits} of 1 KB, ${how}`;
    return [
      { ...common, id: `hashing/${task}/native`, title: title('native') },
      { ...common, ...compared, id: `hashing/${task}/core`, title: title('TypeScript'), crypto: 'core' },
      { ...common, id: `hashing/${task}/noble`, title: title('@noble/hashes'), program: 'bench-peer', places: LARGE },
    ] satisfies readonly BenchLineDefinition[];
  });
}

function signatureLines(): readonly BenchLineDefinition[] {
  const common = { ...PLAIN, task: 'verify' };
  const floor = 'ed25519/native';
  const peer = 'ed25519/noble';
  const noble = { ...common, program: 'bench-peer', crypto: 'core', places: LARGE } as const;
  return [
    { ...common, id: floor, title: 'Ed25519 verification, native' },
    ...(['tables', 'hashes', 'core'] as const).map((crypto) => ({
      ...common,
      id: `ed25519/${crypto}`,
      title: `Ed25519 verification, ${CRYPTO_WORDS[crypto]}`,
      crypto,
      floor,
      peer,
    })),
    { ...noble, id: `${peer}-first`, title: 'Ed25519, @noble/ed25519, first call', task: 'verifyFirst', floor },
    { ...noble, id: peer, title: 'Ed25519, @noble/ed25519, later calls', floor },
  ];
}

/** What a payment is, by its task: its title, and what is left of it where everything but native work is taken away. */
const PAYMENTS = [
  { task: 'full', title: 'grant + SBA + SPA + intent, cold', floorTask: 'floor' },
  { task: 'fullAgain', title: 'second payment under a remembered grant', floorTask: 'floorAgain' },
  { task: 'pair', title: 'grant + SBA, cold', floorTask: 'floorPair' },
  { task: 'pairAgain', title: 'grant + SBA, second payment', floorTask: 'floorPairAgain' },
] as const;

function floorLines(): readonly BenchLineDefinition[] {
  return PAYMENTS.map(({ task, title, floorTask }) => ({
    ...PLAIN,
    id: `floor/${task}`,
    title: `native hashes and checks alone: ${title}`,
    task: floorTask,
  }));
}

const BUDGETS: { readonly [id: string]: number } = {
  'full/native': 14_000_000,
  'full/tables': 25_000_000,
  'fullAgain/native': 9_000_000,
};

/** 30 s at 100 million instructions a second: firmware without native code cannot feed the watchdog while it starts. */
const WATCHDOG_INSTRUCTIONS = 3_000_000_000;

/** From bytes to the answer; what commits it is a line of its own. */
function chainLines(form: Form): readonly BenchLineDefinition[] {
  // A whole device does not fit the smaller machine.
  const places = form === 'verifier' ? BOTH : ESP32_ONLY;
  const common = { ...PLAIN, form, places };
  const payments = PAYMENTS.flatMap(({ task, title }) =>
    (['native', 'tables', 'hashes', 'core'] as const)
      .filter((crypto) => crypto === 'native' || crypto === 'tables' || task === 'full')
      .map((crypto) => {
        const budget = BUDGETS[`${task}/${crypto}`];
        return {
          ...common,
          id: `${form}/${task}/${crypto}`,
          title: `${form}: ${title}, ${CRYPTO_WORDS[crypto]}`,
          task,
          crypto,
          floor: `floor/${task}`,
          ...(budget === undefined ? {} : { budget }),
        };
      }),
  );
  const refusals = [
    { task: 'amount', title: 'refused for its amount', outcome: 'AMOUNT_MISMATCH' },
    { task: 'expiry', title: 'refused as expired', outcome: 'ARTIFACT_EXPIRED' },
    { task: 'replay', title: 'refused as paid before', outcome: 'BUDGET_ID_REPLAY' },
  ].map(({ task, title, outcome }) => ({
    ...common,
    id: `${form}/${task}`,
    title: `${form}: ${title}`,
    task,
    outcome,
  }));
  return [...payments, ...refusals];
}

function storeLines(): readonly BenchLineDefinition[] {
  const device = { ...PLAIN, form: 'device', places: ESP32_ONLY } as const;
  return [
    { ...device, id: 'device/commit', title: 'device: commit, journal’s entry and ledger’s record', task: 'commit' },
    {
      ...PLAIN,
      id: 'verifier/start',
      title: 'verifier: start, bundles verified',
      task: 'start',
      outcome: '0',
    },
    {
      ...device,
      id: 'device/start',
      title: 'device: start, ledger and journal scanned, bundles verified',
      task: 'start',
      outcome: '0',
    },
    {
      ...device,
      id: 'device/start-full',
      title: 'device without native code: start, full 64 KB ledger and 256 KB journal',
      task: 'startFull',
      crypto: 'tables',
      outcome: '0',
      budget: WATCHDOG_INSTRUCTIONS,
    },
  ];
}
