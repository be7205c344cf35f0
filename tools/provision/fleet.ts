// From a fleet's lines and its common terms to each device's document. All that is wrong is found before anything is made.

import { JsonProblem } from '../../core/json/reader.ts';
import { HIGHEST_PIN, PROVISIONED_TEXT_BYTES } from '../../core/limits.ts';
import { decodeDocument } from '../../core/provisioning/plain-data.ts';
import {
  ACTIVE_LEVELS,
  type ActiveLevel,
  deviceIdProblem,
  type ProvisioningDocument,
  ProvisioningProblem,
  readDocument,
  ssidProblem,
  WIRING_KINDS,
  type Wifi,
  type Wiring,
  type WiringKind,
  wifiPasswordProblem,
} from '../../core/provisioning/provisioning.ts';
import { documentBytes } from '../../host-sim/provisioning/image.ts';
import { destinationProblem, type IssueRules } from '../issue/rules.ts';
import type { Board } from './board-pins.ts';
import type { FleetColumn, FleetRow } from './fleet-file.ts';
import type { FleetTerms, PolicyFacts, ReadPolicy } from './policy-file.ts';
import type { InputProblem } from './problems.ts';
import { WIRED_PARTS, type WiredPart, wiringFaults } from './wiring.ts';

/** How a fleet is judged, and what its images have besides. */
export interface FleetOptions {
  readonly counter: number;
  /** Seconds since 1970; left out, images do not say when they were made. */
  readonly madeAt: number | undefined;
  readonly rules: IssueRules;
  /** What the devices are; left out, pins are not held against a chip. */
  readonly board?: Board | undefined;
}

/** A device's document, and where it is from. */
export interface FleetDevice {
  readonly deviceId: string;
  readonly document: ProvisioningDocument;
}

/** Makes the documents; without terms only what is wrong with lines is found. What is wrong is added to `problems`; then what is returned is not all of them. */
export function fleetDevices(
  file: string,
  rows: readonly FleetRow[],
  { terms, facts = terms && factsOf(terms) }: ReadPolicy,
  options: FleetOptions,
  problems: InputProblem[],
): readonly FleetDevice[] {
  const shared = new SharedValues();
  const devices: FleetDevice[] = [];
  for (const row of rows) {
    const reasons = rowProblems(row, facts, options);
    reasons.push(...shared.problems(row));
    if (reasons.length === 0 && row.wrong === undefined && terms !== undefined) {
      const document = documentOf(row, terms, options.madeAt);
      const reason = documentProblem(document, options.counter);
      if (reason === undefined) devices.push({ deviceId: document.deviceId, document });
      else reasons.push(reason);
    }
    const { line, name } = row;
    for (const reason of reasons)
      problems.push({ file, line, reason: name === undefined ? reason : `${name}: ${reason}` });
  }
  return devices;
}

function factsOf({ site, operatorUrl, bundles }: FleetTerms): PolicyFacts {
  return { terminal: site.terminal ?? {}, hasOperator: operatorUrl !== undefined, bundles };
}

/** Values that devices share, or must not. */
class SharedValues {
  readonly #lines = new Map<string, number>();
  readonly #places = new Map<string, { readonly value: string; readonly line: number }>();

  problems({ line, values, wrong }: FleetRow): string[] {
    const { deviceId, apiKey, merchant, destination, site, region } = values;
    return [
      // Some file systems take two names for one that differ in case alone.
      this.#only(`deviceId ${deviceId?.toLowerCase()}`, line, deviceId && `deviceId ${deviceId}`),
      this.#only(`apiKey ${apiKey}`, line, apiKey && 'apiKey: it is good for one device alone, and'),
      wrong?.has('destination')
        ? undefined
        : this.#same(`merchant ${merchant} is paid at`, destination ?? 'the policy’s destination', line, merchant),
      wrong?.has('region') ? undefined : this.#same(`site ${site} is in region`, region ?? '(none)', line, site),
    ].filter((reason) => reason !== undefined);
  }

  #only(key: string, line: number, what: string | undefined): string | undefined {
    if (what === undefined || what === '') return undefined;
    const before = this.#lines.get(key);
    if (before !== undefined) return `${what} is in line ${before} too`;
    this.#lines.set(key, line);
    return undefined;
  }

  #same(what: string, value: string, line: number, of: string | undefined): string | undefined {
    if (of === undefined) return undefined;
    const before = this.#places.get(what);
    if (before === undefined) this.#places.set(what, { value, line });
    else if (before.value !== value) return `${what} ${value} here, and ${before.value} in line ${before.line}`;
    return undefined;
  }
}

function rowProblems({ values, wrong }: FleetRow, facts: PolicyFacts | undefined, options: FleetOptions): string[] {
  const { deviceId, merchant, category, region, apiKey } = values;
  const reasons: string[] = [];
  const lacks = (name: FleetColumn) => values[name] === undefined && wrong?.has(name) !== true;
  for (const name of ['deviceId', 'merchant', 'category'] as const) if (lacks(name)) reasons.push(`${name} is missing`);
  for (const name of ['site', 'apiKey'] as const)
    if (Buffer.byteLength(values[name] ?? '') > PROVISIONED_TEXT_BYTES)
      reasons.push(`${name}: it has more than ${PROVISIONED_TEXT_BYTES} bytes`);
  if (deviceId !== undefined) {
    const unusable = deviceIdProblem(deviceId) ?? fileNameProblem(deviceId);
    if (unusable !== undefined) reasons.push(`deviceId "${deviceId}": ${unusable}`);
  }
  if (facts?.terminal !== undefined) {
    const { rail, destination: usual } = facts.terminal;
    const destination = values.destination ?? usual;
    if (destination === undefined) {
      if (lacks('destination')) reasons.push('destination is missing, here and in the policy');
    } else if (rail !== undefined) {
      const unusable = destinationProblem(destination, [rail], options.rules);
      if (unusable !== undefined) reasons.push(`destination: ${unusable}`);
    }
  }
  if (facts?.hasOperator === false && apiKey !== undefined)
    reasons.push('apiKey is there, and the policy has no operatorUrl it could be for');
  if (facts?.hasOperator === true && lacks('apiKey')) reasons.push('apiKey is missing: the policy has an operatorUrl');
  const bundle = category === undefined ? undefined : facts?.bundles.get(category);
  if (bundle?.merchant !== undefined && merchant !== undefined && bundle.merchant !== merchant)
    reasons.push(`merchant ${merchant}: the Trust Bundle for ${category} is for ${bundle.merchant}`);
  if (bundle?.region !== undefined && region !== undefined && bundle.region !== region)
    reasons.push(`region ${region}: the Trust Bundle for ${category} is for ${bundle.region}`);
  return [...reasons, ...wifiProblems(values, lacks), ...wiringProblems(values, lacks, options.board)];
}

type Lacks = (name: FleetColumn) => boolean;

function wifiProblems({ wifiSsid, wifiPassword }: FleetRow['values'], lacks: Lacks): string[] {
  const reasons: string[] = [];
  const name = wifiSsid === undefined ? undefined : ssidProblem(wifiSsid);
  if (name !== undefined) reasons.push(`wifiSsid: ${name}`);
  const password = wifiPassword === undefined ? undefined : wifiPasswordProblem(wifiPassword);
  if (password !== undefined) reasons.push(`wifiPassword: ${password}`);
  if (wifiPassword !== undefined && lacks('wifiSsid')) reasons.push('wifiPassword is there without wifiSsid');
  return reasons;
}

const WIRING_COLUMNS = ['kind', 'relayPin', 'relayActive', 'meterPin', 'stopPin', 'ledPin', 'buzzerPin'] as const;

function wiringProblems(values: FleetRow['values'], lacks: Lacks, board: Board | undefined): string[] {
  if (WIRING_COLUMNS.every((name) => values[name] === undefined)) return [];
  const reasons: string[] = [];
  for (const name of ['kind', 'relayPin', 'relayActive'] as const)
    if (lacks(name)) reasons.push(`${name} is missing: a device is wired whole, or as the policy says`);
  const pins: { [part in WiredPart]?: number } = {};
  for (const part of WIRED_PARTS) {
    const value = values[`${part}Pin`];
    if (value === undefined) continue;
    if (/^(0|[1-9][0-9]?)$/.test(value) && Number(value) <= HIGHEST_PIN) pins[part] = Number(value);
    else reasons.push(`${part}Pin "${value}" is not a pin from 0 to ${HIGHEST_PIN}`);
  }
  const one = (name: FleetColumn, choices: readonly string[]) => {
    const value = values[name];
    if (value !== undefined && !choices.includes(value))
      reasons.push(`${name} "${value}" is none of ${choices.join(', ')}`);
  };
  one('kind', WIRING_KINDS);
  one('relayActive', ACTIVE_LEVELS);
  if (values.kind === 'charger' && lacks('meterPin')) reasons.push('meterPin is missing: a charger has a meter');
  return [...reasons, ...wiringFaults(pins, board, (part) => `${part}Pin`)];
}

/** The wiring of a line whose columns are all right. */
function wiringOf(values: FleetRow['values']): Wiring {
  const pin = (name: 'meterPin' | 'stopPin' | 'ledPin' | 'buzzerPin', as: string) =>
    values[name] === undefined ? {} : { [as]: Number(values[name]) };
  return {
    kind: values.kind as WiringKind,
    relay: Number(values.relayPin),
    active: values.relayActive as ActiveLevel,
    ...pin('meterPin', 'meter'),
    ...pin('stopPin', 'stop'),
    ...pin('ledPin', 'led'),
    ...pin('buzzerPin', 'buzzer'),
  };
}

function documentOf({ values }: FleetRow, terms: FleetTerms, madeAt: number | undefined): ProvisioningDocument {
  const { deviceId, site, merchant, category, region, destination, apiKey, wifiSsid, wifiPassword } = values;
  const wifi: Wifi | undefined =
    wifiSsid === undefined
      ? terms.wifi
      : { ssid: wifiSsid, ...(wifiPassword !== undefined && { password: wifiPassword }) };
  const wiring = WIRING_COLUMNS.some((name) => values[name] !== undefined) ? wiringOf(values) : terms.wiring;
  const { operatorUrl, certificate, operatorCertificate, rootKey, mqtt } = terms;
  const known = operatorCertificate && { certificate: operatorCertificate };
  return {
    deviceId: deviceId as string,
    ...(site !== undefined && { siteId: site }),
    site: {
      ...terms.site,
      terminal: { ...terms.site.terminal, merchant, ...(destination !== undefined && { destination }) },
      bundleScope: { category, ...(region !== undefined && { region }) },
    },
    policyAuthorityUrl: terms.policyAuthorityUrl,
    ...(operatorUrl !== undefined && { operator: { url: operatorUrl, apiKey: apiKey as string, ...known } }),
    ...(certificate && { certificate }),
    ...(wifi && { wifi }),
    ...(wiring && { wiring }),
    ...(mqtt && { mqtt }),
    ...(rootKey && { rootKey }),
    ...(madeAt !== undefined && { madeAt }),
  };
}

/** What the device would say about its document. */
function documentProblem(document: ProvisioningDocument, counter: number): string | undefined {
  try {
    const bytes = documentBytes(document);
    const value = decodeDocument(bytes);
    if (value instanceof JsonProblem) return `no device reads its document of ${bytes.length} bytes: ${value.message}`;
    readDocument(value, counter);
    return undefined;
  } catch (problem) {
    if (problem instanceof ProvisioningProblem) return problem.message;
    throw problem;
  }
}

/** Why an id would make no good file name, beside what a device's id may have; or undefined. */
function fileNameProblem(id: string): string | undefined {
  if (/^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i.test(id)) return 'Windows keeps this name for itself';
  if (id.endsWith('.')) return 'it ends with a dot, which Windows drops';
  return undefined;
}
