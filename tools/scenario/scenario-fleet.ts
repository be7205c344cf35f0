// The devices of a scenario: from provisioning images, or from a fleet and its policy by the same code that `provision create`
// makes images with.

import { dirname, resolve } from 'node:path';
import type { SiteConfiguration } from '../../core/configuration.ts';
import type { JsonObject } from '../../core/json/value.ts';
import { ProvisioningProblem } from '../../core/provisioning/provisioning.ts';
import { imageOf, packedImage, readImage } from '../../host-sim/provisioning/image.ts';
import { seededApiKey } from '../../host-sim/scenario/seeded.ts';
import { publicJwk, type SigningKey } from '../../host-sim/signing/keys.ts';
import { readInput, readText, UsageError } from '../cli/io.ts';
import { checkedSite } from '../cli/site-file.ts';
import { findingWords } from '../issue/finding-words.ts';
import { fleetDevices } from '../provision/fleet.ts';
import { FLEET_COLUMNS, type FleetColumn, type FleetRow, readFleet } from '../provision/fleet-file.ts';
import { type FleetTerms, readPolicy } from '../provision/policy-file.ts';
import type { InputProblem } from '../provision/problems.ts';
import { type LinedYaml, nameOf } from './lined-yaml.ts';
import type { ScenarioValues } from './schema.ts';

/** A device and the image it begins with. */
export interface ImagedDevice {
  readonly deviceId: string;
  readonly image: Uint8Array;
}

/** Whom a site lets sign. */
export type IssuerLists = Pick<SiteConfiguration, 'grantIssuers' | 'sbaIssuers'>;

/** The devices of a scenario, and what sites they are for. */
export interface ReadDevices {
  readonly devices: readonly ImagedDevice[];
  readonly sites: readonly IssuerLists[];
}

/** What a fleet is read with. */
export interface FleetContext {
  readonly yaml: LinedYaml;
  readonly seed: number;
  readonly beginsMs: number;
  /** What `{n}` is for the first device. */
  readonly firstNumber: number;
  /** @returns undefined where there is no such key, which is then told */
  readonly keyNamed: (name: string, path: readonly PropertyKey[]) => SigningKey | undefined;
  /** A key of the scenario that devices know already, where it has one of that kid. */
  readonly known: (kid: string | undefined) => SigningKey | undefined;
  readonly problems: InputProblem[];
}

/** Reads the devices. What is wrong is added to the problems; then what is returned is not all of them. */
export function readDevices(fleet: ScenarioValues['fleet'], context: FleetContext): ReadDevices {
  if (fleet.images !== undefined) return imagesIn(fleet.images, context);
  const { yaml, beginsMs, problems } = context;
  const before = problems.length;
  const beside = (file: string) => resolve(dirname(yaml.file), file);
  const { policy, devices } = fleet;
  const terms = typeof policy === 'string' ? policyIn(policy, context) : policy && termsOf(policy, context);
  let file = yaml.file;
  let rows: readonly FleetRow[] | undefined;
  if (typeof devices === 'string') {
    file = beside(devices);
    const text = told(['fleet', 'devices'], context, () => readText(file, 'fleet file'));
    const read = text === undefined ? undefined : readFleet(file, text);
    problems.push(...(read?.problems ?? []));
    rows = read?.rows;
  } else rows = rowsOf(devices ?? [], terms?.operatorUrl !== undefined, context);
  if (terms === undefined || rows === undefined) return { devices: [], sites: [] };
  const madeAt = Math.floor(beginsMs / 1000);
  const rules = { nowMs: beginsMs, allowPast: false, checkAddresses: true };
  const made = fleetDevices(file, rows, { terms }, { counter: 1, madeAt, rules }, problems);
  if (problems.length > before) return { devices: [], sites: [] };
  const devicesMade = made.map(({ deviceId, document }) => ({ deviceId, image: packedImage(imageOf(document, 1)) }));
  return { devices: devicesMade, sites: [terms.site] };
}

/** What a file has to give; where it cannot be read, that is told at the place that names it. */
function told<T>(path: readonly PropertyKey[], { yaml, problems }: FleetContext, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    problems.push(yaml.problem(path, error.message));
    return undefined;
  }
}

/** The terms of a policy in a file of its own. */
function policyIn(name: string, context: FleetContext): FleetTerms | undefined {
  const { yaml, beginsMs, problems } = context;
  const read = () => readPolicy(resolve(dirname(yaml.file), name), beginsMs, problems);
  const terms = told(['fleet', 'policy'], context, read)?.terms;
  for (const { kid } of terms?.site.rootKeys ?? []) context.known(kid);
  return terms;
}

function imagesIn(files: readonly string[], { yaml, known, problems }: FleetContext): ReadDevices {
  const devices: ImagedDevice[] = [];
  const sites: IssuerLists[] = [];
  const fileOf = new Map<string, string>();
  for (const [i, file] of files.entries()) {
    const told = (reason: string) => problems.push(yaml.problem(['fleet', 'images', i], reason));
    try {
      const image = readInput(resolve(dirname(yaml.file), file), 'image');
      const found = readImage(image);
      if (found instanceof ProvisioningProblem) {
        told(`${file}: ${found.message}`);
        continue;
      }
      const { deviceId, site } = found.provisioning;
      const first = fileOf.get(deviceId);
      if (first !== undefined) told(`${file}: device ${deviceId} has an image already, ${first}`);
      fileOf.set(deviceId, first ?? file);
      // Else a device that is right would seem to be stuck.
      for (const { kid, publicKey } of site.rootKeys ?? []) {
        const key = known(kid);
        if (key !== undefined && !Buffer.from(key.publicKey).equals(publicKey))
          told(`${file}: its root key ${kid} is another key than ${kid} of this scenario`);
      }
      devices.push({ deviceId, image: packedImage(image) });
      sites.push(site);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      told(error.message);
    }
  }
  return { devices, sites };
}

type Policy = Exclude<ScenarioValues['fleet']['policy'], string | undefined>;

/** The terms of a policy in the file, whose root keys are names. */
function termsOf(policy: Policy, { yaml, keyNamed, problems }: FleetContext): FleetTerms | undefined {
  const at = ['fleet', 'policy', 'site'];
  const { rootKeys = [], ...rest } = policy.site;
  const keys = rootKeys.map((name, i) => keyNamed(name, [...at, 'rootKeys', i]));
  if (keys.some((key) => key === undefined)) return undefined;
  const jwks = keys.map((key) => ({ kid: key?.kid, publicKey: { ...publicJwk(key as SigningKey) } }));
  const read = checkedSite({ ...(rest as JsonObject), rootKeys: jwks as unknown as JsonObject[] }, findingWords);
  if ('issues' in read) {
    problems.push(...yaml.findings(read.issues, at));
    return undefined;
  }
  return {
    site: read.site as SiteConfiguration,
    policyAuthorityUrl: policy.policyAuthorityUrl,
    operatorUrl: policy.operatorUrl,
    certificate: undefined,
    rootKey: undefined,
    wifi: undefined,
    wiring: undefined,
    mqtt: undefined,
    bundles: new Map(),
    inputs: [],
  };
}

type Row = Exclude<ScenarioValues['fleet']['devices'], string | undefined>[number];

/** The lines of a fleet file that rows stand for: with a `count`, so many, and `{n}` is the number of each. */
function rowsOf(
  rows: readonly Row[],
  hasOperator: boolean,
  { yaml, seed, firstNumber, problems }: FleetContext,
): readonly FleetRow[] {
  const made: FleetRow[] = [];
  for (const [i, { count, ...columns }] of rows.entries()) {
    const path = ['fleet', 'devices', i];
    const line = yaml.lineOf(path);
    let good = true;
    for (const [name, value] of Object.entries(columns)) {
      const isText = typeof value === 'string' || typeof value === 'number';
      const isColumn = (FLEET_COLUMNS as readonly string[]).includes(name);
      if (isText && isColumn) continue;
      const reason = isColumn ? 'is no text' : `there is no column "${name}" (${FLEET_COLUMNS.join(', ')})`;
      problems.push(yaml.problem([...path, name], reason));
      good = false;
    }
    if (count !== undefined && !columns.deviceId.includes('{n}')) {
      problems.push(yaml.problem([...path, 'deviceId'], 'has no {n}, and there are several'));
      good = false;
    }
    if (!good) continue;
    for (let n = firstNumber; n < firstNumber + (count ?? 1); n++) {
      const values: { [column in FleetColumn]?: string } = {};
      for (const [name, value] of Object.entries(columns))
        values[name as FleetColumn] = String(value).replaceAll('{n}', String(n));
      if (hasOperator) values.apiKey ??= seededApiKey(seed, values.deviceId as string);
      made.push({ line, name: nameOf(path), values });
    }
  }
  return made;
}
