// What a device is given at manufacture, as it stands in the image's document: who it is, what it trusts and sells, how it
// reaches its network, how it is wired. Read strictly: a misspelt member would leave something weaker than was meant.

import { ConfigurationError, readConfiguration, type Site, type SiteConfiguration } from '../configuration.ts';
import { utf8Length } from '../encoding/utf8.ts';
import {
  CERTIFICATE_BYTES,
  DEVICE_ID_CHARACTERS,
  HIGHEST_PIN,
  LATEST_TIME_MS,
  PROVISIONED_TEXT_BYTES,
} from '../limits.ts';

/** Why a device has no provisioning it may run with. */
export type ProvisioningFault =
  /** No slot has an image. */
  | 'missing'
  /** There is one, and it is not as it was written. */
  | 'damaged'
  /** Another format, or another store's partition. */
  | 'format'
  /** The document is not one, or says something that cannot be. */
  | 'invalid'
  /** Older than one the device has run with. */
  | 'rollback'
  /** Flash failed, or the ledger that remembers the newest counter. */
  | 'store';

/** A refusal of an image: the message names what, where and why. */
export class ProvisioningProblem extends Error {
  override name = 'ProvisioningProblem';
  readonly fault: ProvisioningFault;
  constructor(fault: ProvisioningFault, message: string) {
    super(message);
    this.fault = fault;
  }
}

/** The network a device joins. */
export interface Wifi {
  /** 1 to 32 bytes. */
  readonly ssid: string;
  /** 8 to 63 printable ASCII characters, or 64 hexadecimal digits; left out: an open network. */
  readonly password?: string;
}

/** What a device switches, and by what. */
export const WIRING_KINDS = Object.freeze(['charger', 'gate', 'meter'] as const);
export type WiringKind = (typeof WIRING_KINDS)[number];

/** The level that energises a relay. */
export const ACTIVE_LEVELS = Object.freeze(['high', 'low'] as const);
export type ActiveLevel = (typeof ACTIVE_LEVELS)[number];

/** How a device is wired: numbers are GPIO pins, no two the same. */
export interface Wiring {
  readonly kind: WiringKind;
  readonly relay: number;
  readonly active: ActiveLevel;
  /** Where the meter's pulses arrive. */
  readonly meter?: number;
  /** A button to ground that ends a charging session. */
  readonly stop?: number;
  readonly led?: number;
  readonly buzzer?: number;
}

/** Where a device hands in what it has accepted. */
export interface OperatorAccess {
  /** E.g. `https://operator.example`. */
  readonly url: string;
  /** Its own key, which is good for this device alone. */
  readonly apiKey: string;
  /** In DER: the only one that the backend, and a broker, are trusted by. Left out, it is the document's. */
  readonly certificate?: Uint8Array;
}

/** An MQTT broker, asked under TLS: each message on the topic says that there are new bundles. */
export interface MqttBroker {
  readonly host: string;
  readonly port: number;
  readonly topic: string;
}

/** What a device is given, as the document has it. */
export interface ProvisioningDocument {
  /** 1 to 64 letters, digits, `.`, `_` and `-`, a letter or digit first. */
  readonly deviceId: string;
  /** The place it stands at, as its operator calls it. */
  readonly siteId?: string;
  /** What the verifier must know; merchant, category and region stand in its `terminal` and `bundleScope`. */
  readonly site: SiteConfiguration;
  /** Where Trust Bundles are fetched, e.g. `https://pa.example`. */
  readonly policyAuthorityUrl: string;
  /** Left out, accepted payments stay in the journal. */
  readonly operator?: OperatorAccess;
  /** The certificate that servers must show, in DER: the only one that is trusted, where `operator` has none of its own. */
  readonly certificate?: Uint8Array;
  readonly wifi?: Wifi;
  readonly wiring?: Wiring;
  /** Left out, the one that the firmware's manifest names, if any. */
  readonly mqtt?: MqttBroker;
  /** `fetch`: it comes without a root key, and fetches one at set-up for somebody to confirm. */
  readonly rootKey?: 'fetch';
  /** When the image was made, in seconds since 1970: no correct clock shows an earlier time. */
  readonly madeAt?: number;
}

/** The same, as the device uses it. */
export interface Provisioning extends Omit<ProvisioningDocument, 'rootKey' | 'madeAt'> {
  /** The image's number: no lower one is taken once the device has run with this. */
  readonly counter: number;
  readonly fetchesRootKey: boolean;
  /** In milliseconds. */
  readonly madeAtMs: number | undefined;
}

type Part = { readonly [name: string]: unknown };

const MEMBERS: { readonly [part: string]: readonly string[] } = Object.freeze({
  document: [
    ...['deviceId', 'siteId', 'site', 'policyAuthorityUrl', 'operator', 'certificate', 'wifi', 'wiring'],
    ...['mqtt', 'rootKey', 'madeAt'],
  ],
  operator: ['url', 'apiKey', 'certificate'],
  wifi: ['ssid', 'password'],
  wiring: ['kind', 'relay', 'active', 'meter', 'stop', 'led', 'buzzer'],
  mqtt: ['host', 'port', 'topic'],
});

/**
 * What a document says.
 *
 * @param value what was decoded of it: objects, arrays, text, numbers, truth values, byte strings as Uint8Array
 * @throws ProvisioningProblem that names the member
 */
export function readDocument(value: unknown, counter: number): Provisioning {
  const read = part('document', value);
  const deviceId = text(read, 'deviceId', 'deviceId');
  const wrong = deviceIdProblem(deviceId);
  if (wrong !== undefined) throw invalid('deviceId', wrong);
  const { site, rootKey, certificate, mqtt } = read;
  const operator = read.operator as Part | null | undefined;
  if (site === undefined) throw invalid('site', 'it is missing');
  const configuration = site as SiteConfiguration;
  const { rootKeys } = readSite(configuration);
  if (rootKey !== undefined && rootKey !== 'fetch') throw invalid('rootKey', 'it is not "fetch"');
  if (rootKey === 'fetch' && rootKeys.length > 0) throw invalid('rootKey', 'a device that has root keys fetches none');
  if (mqtt !== undefined && (operator?.certificate ?? certificate) === undefined)
    throw invalid('mqtt', 'a broker is asked under TLS, and there is no certificate');
  const madeAt = number(read, 'madeAt', 'madeAt', Math.floor(LATEST_TIME_MS / 1000));
  return {
    deviceId,
    ...optional(read, 'siteId', () => ({ siteId: text(read, 'siteId', 'siteId') })),
    site: configuration,
    policyAuthorityUrl: url(read, 'policyAuthorityUrl', 'policyAuthorityUrl'),
    ...optional(read, 'operator', () => ({ operator: operatorOf(part('operator', operator)) })),
    ...(certificate === undefined ? {} : { certificate: certificateOf(certificate) }),
    ...optional(read, 'wifi', (wifi) => ({ wifi: wifiOf(part('wifi', wifi)) })),
    ...optional(read, 'wiring', (wiring) => ({ wiring: wiringOf(part('wiring', wiring)) })),
    ...optional(read, 'mqtt', (mqtt) => ({ mqtt: brokerOf(part('mqtt', mqtt)) })),
    fetchesRootKey: rootKey === 'fetch',
    madeAtMs: madeAt === undefined ? undefined : madeAt * 1000,
    counter,
  };
}

function readSite(configuration: SiteConfiguration): Site {
  try {
    return readConfiguration(configuration);
  } catch (problem) {
    if (problem instanceof ConfigurationError) throw invalid('site', problem.problems.join('; '));
    throw problem;
  }
}

function operatorOf(read: Part): OperatorAccess {
  const of = (value: unknown) => ({ certificate: certificateOf(value, 'operator.certificate') });
  const access = { url: url(read, 'url', 'operator.url'), apiKey: text(read, 'apiKey', 'operator.apiKey') };
  return { ...access, ...optional(read, 'certificate', of) };
}

function wifiOf(read: Part): Wifi {
  const ssid = text(read, 'ssid', 'wifi.ssid');
  const wrongName = ssidProblem(ssid);
  if (wrongName !== undefined) throw invalid('wifi.ssid', wrongName);
  if (read.password === undefined) return { ssid };
  const password = text(read, 'password', 'wifi.password');
  const wrong = wifiPasswordProblem(password);
  if (wrong !== undefined) throw invalid('wifi.password', wrong);
  return { ssid, password };
}

function wiringOf(read: Part): Wiring {
  const relay = number(read, 'relay', 'wiring.relay', HIGHEST_PIN);
  if (relay === undefined) throw invalid('wiring.relay', 'it is missing');
  const pin = (name: string) => number(read, name, `wiring.${name}`, HIGHEST_PIN) as number;
  const wiring: Wiring = {
    kind: choice(read, 'kind', 'wiring.kind', WIRING_KINDS),
    relay,
    active: choice(read, 'active', 'wiring.active', ACTIVE_LEVELS),
    ...optional(read, 'meter', () => ({ meter: pin('meter') })),
    ...optional(read, 'stop', () => ({ stop: pin('stop') })),
    ...optional(read, 'led', () => ({ led: pin('led') })),
    ...optional(read, 'buzzer', () => ({ buzzer: pin('buzzer') })),
  };
  const wrong = wiringProblem(wiring);
  if (wrong !== undefined) throw invalid('wiring', wrong);
  return wiring;
}

function brokerOf(read: Part): MqttBroker {
  const host = text(read, 'host', 'mqtt.host');
  const wrong = hostProblem(host);
  if (wrong !== undefined) throw invalid('mqtt.host', wrong);
  const port = number(read, 'port', 'mqtt.port', 65_535) ?? 0;
  if (port === 0) throw invalid('mqtt.port', 'it is missing, or 0');
  return { host, port, topic: text(read, 'topic', 'mqtt.topic') };
}

function certificateOf(value: unknown, name = 'certificate'): Uint8Array {
  if (!(value instanceof Uint8Array)) throw invalid(name, 'it is not bytes');
  const wrong = certificateProblem(value);
  if (wrong !== undefined) throw invalid(name, wrong);
  return value;
}

/** Why text is no device's id, or undefined: it names files and stands in URLs. */
export function deviceIdProblem(id: string): string | undefined {
  if (id.length > DEVICE_ID_CHARACTERS) return `it has more than ${DEVICE_ID_CHARACTERS} characters`;
  for (let i = 0; i < id.length; i++) {
    const code = id.charCodeAt(i);
    if (isLetterOrDigit(code)) continue;
    // 0x2d -, 0x2e ., 0x5f _
    if (i === 0 || (code !== 0x2d && code !== 0x2e && code !== 0x5f))
      return 'it is not letters, digits, ".", "_" and "-" with a letter or digit first';
  }
  return id.length === 0 ? 'it is empty' : undefined;
}

/** Why text is no network's name, or undefined. */
export function ssidProblem(ssid: string): string | undefined {
  const bytes = utf8Length(ssid);
  return bytes < 1 || bytes > 32 ? `a network's name has 1 to 32 bytes, this one ${bytes}` : undefined;
}

/** Why text is no Wi-Fi password, or undefined (WPA: 8 to 63 printable ASCII characters, or a key of 64 hexadecimal digits). */
export function wifiPasswordProblem(password: string): string | undefined {
  let isHex = true;
  for (let i = 0; i < password.length; i++) {
    const code = password.charCodeAt(i);
    if (code < 0x20 || code > 0x7e) return 'it has a character that is not printable ASCII';
    isHex = isHex && (isDigit(code) || (code >= 0x61 && code <= 0x66) || (code >= 0x41 && code <= 0x46));
  }
  if (password.length === 64 && isHex) return undefined;
  if (password.length < 8 || password.length > 63) return 'it is neither 8 to 63 characters nor 64 hexadecimal digits';
  return undefined;
}

/** Why a wiring cannot be, or undefined. */
export function wiringProblem(wiring: Wiring): string | undefined {
  const used: { pin: number; by: string }[] = [];
  for (const by of ['relay', 'meter', 'stop', 'led', 'buzzer'] as const) {
    const pin = wiring[by];
    if (pin === undefined) continue;
    for (const other of used) if (other.pin === pin) return `${other.by} and ${by} are both on pin ${pin}`;
    used.push({ pin, by });
  }
  // Without pulses nothing that it gives would be charged.
  return wiring.kind === 'charger' && wiring.meter === undefined ? 'a charger has no meter' : undefined;
}

/** Why bytes are no certificate in DER, as far as its first bytes tell, or undefined. */
export function certificateProblem(der: Uint8Array): string | undefined {
  if (der.length > CERTIFICATE_BYTES) return `it has ${der.length} bytes, more than ${CERTIFICATE_BYTES}`;
  // A SEQUENCE that fills the bytes; its length takes one or two bytes behind the byte that says how many.
  const [tag, form, first, second] = der as unknown as readonly [number, number, number, number];
  const whole = form === 0x82 ? ((first << 8) | second) + 4 : form === 0x81 ? first + 3 : 0;
  return der.length > 4 && tag === 0x30 && whole === der.length ? undefined : 'it is not one certificate in DER';
}

/** Why text is no URL of a server, or undefined: `http` or `https` and a host; paths are the protocol's. */
export function urlProblem(url: string): string | undefined {
  const scheme = url.startsWith('https://') ? 8 : url.startsWith('http://') ? 7 : 0;
  if (scheme === 0) return 'it does not begin with https:// or http://';
  if (url.length === scheme || url.charAt(scheme) === '/' || url.charAt(scheme) === ':') return 'it has no host';
  for (let i = scheme; i < url.length; i++) {
    const code = url.charCodeAt(i);
    // 0x23 #, 0x3f ?, 0x40 @, 0x5c \
    if (code <= 0x20 || code > 0x7e || code === 0x23 || code === 0x3f || code === 0x40 || code === 0x5c)
      return 'it is more than scheme, host and port';
  }
  const path = url.indexOf('/', scheme);
  return path >= 0 && path < url.length - 1 ? 'it has a path, and paths are the protocol’s' : undefined;
}

/** Why text is no host's name or address, or undefined: its port stands apart. */
export function hostProblem(host: string): string | undefined {
  const isMore = host.includes(':') || host.includes('/') || urlProblem(`https://${host}`) !== undefined;
  return isMore ? 'it is not the name of a host' : undefined;
}

function part(name: string, value: unknown): Part {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array)
    throw invalid(name, 'it is not a map');
  const known = MEMBERS[name] as readonly string[];
  for (const member of Object.keys(value))
    if (!known.includes(member)) throw invalid(name, `there is no member ${member}`);
  return value as Part;
}

function optional<T extends object>(read: Part, name: string, of: (value: unknown) => T): T | Record<string, never> {
  return read[name] === undefined ? {} : of(read[name]);
}

function text(read: Part, name: string, at: string): string {
  const value = read[name];
  if (value === undefined) throw invalid(at, 'it is missing');
  if (typeof value !== 'string' || value === '') throw invalid(at, 'it is not text, or empty');
  if (utf8Length(value) > PROVISIONED_TEXT_BYTES) throw invalid(at, `it has more than ${PROVISIONED_TEXT_BYTES} bytes`);
  return value;
}

function url(read: Part, name: string, at: string): string {
  const value = text(read, name, at);
  const wrong = urlProblem(value);
  if (wrong !== undefined) throw invalid(at, wrong);
  return value;
}

function number(read: Part, name: string, at: string, most: number): number | undefined {
  const value = read[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most)
    throw invalid(at, `it is not a whole number from 0 to ${most}`);
  return value;
}

function choice<T extends string>(read: Part, name: string, at: string, choices: readonly T[]): T {
  const value = read[name] as T;
  if (!choices.includes(value)) throw invalid(at, `it is none of ${choices.join(', ')}`);
  return value;
}

function invalid(at: string, why: string): ProvisioningProblem {
  return new ProvisioningProblem('invalid', `provisioning: ${at}: ${why}`);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetterOrDigit(code: number): boolean {
  return isDigit(code) || (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a);
}
