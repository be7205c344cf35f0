// A fleet file: one device a line, as CSV with a line of names or as lines of JSON. Every line that cannot be used is told, with
// its number; what a device must have and may not share is for `fleet.ts`.

import { type CsvError, parse } from 'csv-parse/sync';
import { JsonProblem, readJson } from '../../core/json/reader.ts';
import { isObject } from '../../core/json/value.ts';
import { ARTIFACT_LIMITS } from '../../core/limits.ts';
import { namesPrivateKey, privateKeyIn } from './private-keys.ts';
import type { InputProblem } from './problems.ts';

/** The columns there are, which are members of a line of JSON too. */
export const FLEET_COLUMNS = Object.freeze([
  ...([
    'deviceId',
    'site',
    'merchant',
    'category',
    'region',
    'destination',
    'apiKey',
    'wifiSsid',
    'wifiPassword',
  ] as const),
  ...(['kind', 'relayPin', 'relayActive', 'meterPin', 'stopPin', 'ledPin', 'buzzerPin'] as const),
] as const);
/** Those that every device has something in. */
const NEEDED: readonly FleetColumn[] = ['deviceId', 'merchant', 'category'];
export type FleetColumn = (typeof FLEET_COLUMNS)[number];

/** A device's line: text for each column it has something in. */
export interface FleetRow {
  readonly line: number;
  /** What a finding calls it; left out where the line says enough. */
  readonly name?: string;
  readonly values: { readonly [column in FleetColumn]?: string };
  /** Columns of which something was told already; left out where nothing was. */
  readonly wrong?: ReadonlySet<string>;
}

/** A fleet file that was read. */
export interface FleetFile {
  readonly rows: readonly FleetRow[];
  readonly problems: readonly InputProblem[];
}

/** Reads a fleet file's text: lines of JSON where it begins with a brace, else CSV. */
export function readFleet(file: string, text: string): FleetFile {
  const problems: InputProblem[] = [];
  const rows = /^\ufeff?\s*\{/.test(text) ? jsonRows(file, text, problems) : csvRows(file, text, problems);
  if (rows.length === 0 && problems.length === 0) problems.push({ file, reason: 'it has no device' });
  return { rows, problems };
}

function jsonRows(file: string, text: string, problems: InputProblem[]): FleetRow[] {
  const rows: FleetRow[] = [];
  text.split('\n').forEach((content, i) => {
    const line = i + 1;
    if (content.trim() === '') return;
    const told = (reason: string) => problems.push({ file, line, reason });
    const value = readJson(Buffer.from(content), ARTIFACT_LIMITS);
    if (value instanceof JsonProblem) told(value.message);
    else if (!isObject(value)) told('it is not a JSON object');
    else addRow(Object.entries(value), { line, rows, told });
  });
  return rows;
}

interface CsvRecord {
  readonly info: { readonly lines: number };
  readonly record: readonly string[];
}

function csvRows(file: string, text: string, problems: InputProblem[]): FleetRow[] {
  const rows: FleetRow[] = [];
  let names: readonly string[] | undefined;
  const told = (line: number) => (reason: string) => problems.push({ file, line, reason });
  const records = parse(text, {
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error: CsvError | undefined) => {
      if (error === undefined) return;
      const line = typeof error.lines === 'number' ? error.lines : 1;
      told(line)(error.message.replace(/ at line \d+.*$/, '').replace(/^[^:]*: /, ''));
    },
  }) as unknown as readonly CsvRecord[];
  for (const { record, info } of records) {
    const line = info.lines;
    if (names === undefined) {
      names = record;
      // Every line would say the same.
      if (!areNames(names, told(line))) return [];
    } else if (record.length !== names.length)
      told(line)(`it has ${record.length} columns, the first line ${names.length}`);
    else {
      const cells = record.map((cell, i) => [(names as readonly string[])[i] as string, cell] as const);
      addRow(cells, { line, rows, told: told(line) });
    }
  }
  return rows;
}

function areNames(names: readonly string[], told: (reason: string) => void): boolean {
  const [only = ''] = names;
  if (names.length === 1 && only.includes(';')) {
    told('columns are separated by commas, and these by semicolons');
    return false;
  }
  let good = true;
  const wrong = (reason: string) => {
    told(reason);
    good = false;
  };
  names.forEach((name, i) => {
    if (namesPrivateKey(name)) wrong(`column ${name} says that it holds a private key`);
    else if (!isColumn(name)) wrong(`there is no column "${name}" (${FLEET_COLUMNS.join(', ')})`);
    else if (names.indexOf(name) < i) wrong(`column ${name} is there twice`);
  });
  for (const name of NEEDED) if (!names.includes(name)) wrong(`column ${name} is missing`);
  return good;
}

interface RowTarget {
  readonly line: number;
  readonly rows: FleetRow[];
  readonly told: (reason: string) => void;
}

function addRow(cells: readonly (readonly [string, unknown])[], { line, rows, told }: RowTarget): void {
  const values: { [column in FleetColumn]?: string } = {};
  const wrong = new Set<string>();
  for (const [name, value] of cells) {
    const reason = cellProblem(name, value);
    if (reason !== undefined) {
      told(reason);
      wrong.add(name);
    } else if (value !== '') values[name as FleetColumn] = String(value);
  }
  rows.push({ line, values, ...(wrong.size > 0 && { wrong }) });
}

function cellProblem(name: string, value: unknown): string | undefined {
  if (namesPrivateKey(name)) return `${name} says that it is a private key`;
  if (!isColumn(name)) return `there is no member ${name} (${FLEET_COLUMNS.join(', ')})`;
  if (typeof value === 'number' && name.endsWith('Pin')) return undefined;
  if (typeof value !== 'string') return `${name} is not text`;
  const secret = privateKeyIn(value);
  if (secret !== undefined) return `${name} holds ${secret}`;
  const mayHaveBlanks = name === 'wifiSsid' || name === 'wifiPassword';
  return !mayHaveBlanks && value.trim() !== value ? `${name} begins or ends with a blank` : undefined;
}

function isColumn(name: string): name is FleetColumn {
  return (FLEET_COLUMNS as readonly string[]).includes(name);
}
