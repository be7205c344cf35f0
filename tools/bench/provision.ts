// A provisioning run of a whole fleet: its files, the real `provision create` and `provision verify` on them, what they take, and
// a sample of the devices that is started on its very images and sells.

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROVISIONING_PARTITION_BYTES } from '../../core/limits.ts';
import { ProvisioningProblem } from '../../core/provisioning/provisioning.ts';
import { PowerCut } from '../../host-sim/flash/power-cut.ts';
import { SeededRandom } from '../../host-sim/flash/random.ts';
import { SimulatedFlash } from '../../host-sim/flash/simulated-flash.ts';
import { MemoryStore } from '../../host-sim/flash/store.ts';
import { SimulatedClock } from '../../host-sim/ports/clock.ts';
import { createNodeCrypto } from '../../host-sim/ports/node-crypto.ts';
import { imageFlash } from '../../host-sim/provisioning/image.ts';
import { publicJwk } from '../../host-sim/signing/keys.ts';
import { StartProblem, VirtualCharger } from '../../host-sim/virtual-device/virtual-charger.ts';
import { BENCH_NOW_MS, BENCH_REQUEST, BENCH_SITE, benchBundle, benchPayments, benchRoot } from './payments.ts';

/** Devices that share a site, and merchants of the fleet. */
const DEVICES_PER_SITE = 8;
const MERCHANTS = 40;
const LEDGER_BYTES = 65_536;
const JOURNAL_BYTES = 65_536;
const CATEGORY = 'ev-charging';
const COLUMNS = 'deviceId,site,merchant,category,region,apiKey,wifiSsid,wifiPassword';

/** How large a run is. */
export interface ProvisionBenchOptions {
  readonly devices: number;
  /** Devices that are started. */
  readonly boot: number;
  /** Chooses them. */
  readonly seed: number;
}

/** Runs a `provision` command, given as its words. @returns whether it went through, and else what it said */
export type RunProvision = (words: readonly string[]) => Promise<string | undefined>;

/** What a command took. */
export interface Took {
  readonly seconds: number;
  /** Of this process, in user and system mode. */
  readonly cpuSeconds: number;
}

/** A device of the sample. */
export interface BootedImage {
  readonly deviceId: string;
  /** Why it is not as it should be; left out where it is. */
  readonly problem?: string;
}

/** What a run came to. */
export interface ProvisionBench {
  readonly devices: number;
  readonly create: Took;
  readonly verify: Took;
  /** Of all images, and of the manifest. */
  readonly imageBytes: number;
  readonly manifestBytes: number;
  readonly booted: readonly BootedImage[];
  /** What went wrong, a sentence each. */
  readonly problems: readonly string[];
}

/** Makes a fleet, has its images made and verified, and starts a sample. Its files are gone afterwards. */
export async function runProvisionBench(options: ProvisionBenchOptions, run: RunProvision): Promise<ProvisionBench> {
  const folder = mkdtempSync(join(tmpdir(), 'mpcp-fleet-'));
  try {
    return await measured(folder, options, run);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measured(folder: string, options: ProvisionBenchOptions, run: RunProvision): Promise<ProvisionBench> {
  const { devices, boot, seed } = options;
  const [fleet, policy, images] = ['fleet.csv', 'policy.json', 'images'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(fleet, fleetText(devices));
  writeFileSync(join(folder, 'bundle.json'), benchBundle());
  writeFileSync(policy, policyText());
  const problems: string[] = [];
  const now = new Date(BENCH_NOW_MS).toISOString();
  // The benchmark's payments go to no real address.
  const words = ['create', fleet, policy, '--out', images, '--now', now, '--unchecked-addresses'];
  const create = await timed('create', words, run, problems);
  const verify = await timed('verify', ['verify', images], run, problems);
  const made = problems.length > 0 ? [] : readdirSync(images).filter((name) => name.endsWith('.img'));
  if (made.length !== devices) problems.push(`there are ${made.length} images for ${devices} devices`);
  const booted = chosen(Math.min(boot, made.length), made.length, seed).map((number) =>
    bootedImage(join(images, `${deviceId(number)}.img`), number),
  );
  for (const { deviceId, problem } of booted) if (problem !== undefined) problems.push(`${deviceId}: ${problem}`);
  const imageBytes = made.reduce((sum, name) => sum + statSync(join(images, name)).size, 0);
  if (imageBytes !== made.length * PROVISIONING_PARTITION_BYTES)
    problems.push('an image is not as long as a partition');
  const manifestBytes = made.length === 0 ? 0 : statSync(join(images, 'manifest.json')).size;
  return { devices, create, verify, imageBytes, manifestBytes, booted, problems };
}

async function timed(name: string, words: readonly string[], run: RunProvision, problems: string[]): Promise<Took> {
  const began = performance.now();
  const cpu = process.cpuUsage();
  const problem = await run(words);
  const { user, system } = process.cpuUsage(cpu);
  if (problem !== undefined) problems.push(`provision ${name}: ${problem}`);
  return { seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 };
}

function deviceId(number: number): string {
  return `charger-${String(number).padStart(6, '0')}`;
}

/** Every line another device; sites, merchants, networks and keys as a fleet has them. */
function fleetText(devices: number): string {
  const lines = Array.from({ length: devices }, (_, number) => {
    const site = Math.floor(number / DEVICES_PER_SITE);
    const merchant = `did:web:m${site % MERCHANTS}.volt.example`;
    return [
      ...[deviceId(number), `site-${site}`, merchant, CATEGORY, 'EU', `mpcp_${number}`],
      ...[`depot ${site}`, `password of ${site}`],
    ].join();
  });
  return `${COLUMNS}\n${lines.join('\n')}\n`;
}

function policyText(): string {
  const { merchant: _, ...terminal } = BENCH_SITE.terminal ?? {};
  const root = benchRoot();
  return JSON.stringify({
    site: { ...BENCH_SITE, terminal, rootKeys: [{ kid: root.kid, publicKey: publicJwk(root) }] },
    policyAuthorityUrl: 'https://pa.example',
    operatorUrl: 'https://operator.example',
    wiring: { kind: 'charger', relay: 4, active: 'high', meter: 5 },
    trustBundles: { [CATEGORY]: 'bundle.json' },
  });
}

/** So many different numbers below `of`, the same for the same seed. */
function chosen(count: number, of: number, seed: number): readonly number[] {
  const random = new SeededRandom(seed);
  const taken = new Set<number>();
  while (taken.size < count) taken.add(random.below(of));
  return [...taken];
}

/** Starts a device on its image, gives it its bundle, and has it paid. */
function bootedImage(path: string, number: number): BootedImage {
  try {
    const problem = sold(readFileSync(path), number);
    return { deviceId: deviceId(number), ...(problem !== undefined && { problem }) };
  } catch (error) {
    if (error instanceof ProvisioningProblem || error instanceof StartProblem || error instanceof PowerCut)
      return { deviceId: deviceId(number), problem: error.message };
    throw error;
  }
}

/** @returns why it is not the device that it should be, or did not sell as it should */
function sold(image: Uint8Array, number: number): string | undefined {
  const charger = new VirtualCharger({
    provisioning: imageFlash(image),
    firmwareBuiltMs: BENCH_NOW_MS - 86_400_000,
    flash: new SimulatedFlash(new MemoryStore(LEDGER_BYTES)),
    journal: new SimulatedFlash(new MemoryStore(JOURNAL_BYTES)),
    clock: new SimulatedClock(BENCH_NOW_MS),
    crypto: createNodeCrypto(),
    salt: number,
  });
  charger.start();
  const { deviceId: own } = charger.provisioning;
  if (own !== deviceId(number)) return `its image says that it is ${own}`;
  const answer = Buffer.concat([Buffer.from('{"bundles":['), benchBundle(), Buffer.from(']}')]);
  const admissions = charger.admit(answer);
  const refused = 'ok' in admissions ? admissions : admissions.find(({ ok }) => !ok);
  if (refused !== undefined && !refused.ok) return `its bundle: ${refused.detail}`;
  const [payment] = benchPayments(1, true);
  const decision = charger.pay(payment?.presentation as Uint8Array, BENCH_REQUEST);
  if (!decision.ok) return `its payment: ${decision.detail}`;
  return charger.relay.closed ? undefined : 'it was paid, and its relay is open';
}
