// What a provisioning document may say: read whole and strictly, and every refusal names the member and why.

import { describe, expect, it } from 'vitest';
import { deploymentProblems, readConfiguration } from '../../../core/configuration.ts';
import { readProvisioning } from '../../../core/provisioning/partition.ts';
import {
  type Provisioning,
  ProvisioningProblem,
  wifiPasswordProblem,
} from '../../../core/provisioning/provisioning.ts';
import { root } from '../../fixtures/keys.ts';
import { cbor, certificate, document, type Encodable, partition, slotBytes } from '../../fixtures/provisioning.ts';
import { site } from '../../fixtures/site.ts';

type Members = { readonly [name: string]: Encodable | undefined };

function read(changes: Members = {}): Provisioning | ProvisioningProblem {
  const found = readProvisioning(partition(slotBytes(cbor(document(changes)))));
  return found instanceof ProvisioningProblem ? found : found.provisioning;
}

function good(changes: Members = {}): Provisioning {
  const found = read(changes);
  if (found instanceof ProvisioningProblem) throw found;
  return found;
}

function refused(changes: Members): string {
  const found = read(changes);
  expect(found).toBeInstanceOf(ProvisioningProblem);
  expect((found as ProvisioningProblem).fault).toBe('invalid');
  return (found as ProvisioningProblem).message;
}

const withSite = (changes: Members): Members => ({ site: { ...(document().site as Members), ...changes } });

describe('a document with everything', () => {
  it('gives what the device is, trusts, and is wired to', () => {
    expect(good()).toMatchObject({
      deviceId: 'charger-7',
      siteId: 'station-1',
      policyAuthorityUrl: 'https://pa.example',
      operator: { url: 'https://operator.example', apiKey: 'mpcp_0123456789' },
      wifi: { ssid: 'station', password: 'correct horse' },
      wiring: { kind: 'charger', relay: 4, active: 'high', meter: 5, led: 2 },
      fetchesRootKey: false,
      counter: 1,
    });
    expect(Array.from(good().certificate as Uint8Array)).toEqual(Array.from(certificate()));
  });

  it('has a configuration that the verifier starts on as it is', () => {
    const { site: configuration } = good();
    const whole = readConfiguration(configuration);
    expect(deploymentProblems(whole)).toEqual([]);
    expect(whole.bundleScope).toMatchObject({
      merchant: 'did:web:station.example',
      category: 'ev-charging',
      region: 'EU',
    });
    expect(Array.from(whole.rootKeys[0]?.publicKey as Uint8Array)).toEqual(Array.from(root.publicKey));
    expect(whole.terminal.asset).toBe(readConfiguration(site()).terminal.asset);
    expect(whole.sbaIssuers.size).toBe(1);
  });

  it('has every member of a configuration', () => {
    const more = {
      profile: 'full',
      fleetPolicyIssuers: [{ issuer: 'fleet.example', kids: ['fleet-1'] }],
      requireFleetPolicy: true,
      pinnedKeys: [{ role: 'sba', issuer: 'w.example', kid: 'k', publicKey: root.publicKey }],
      sbaOnly: { maxAmountMinor: '500' },
      budgetUse: 'reuse',
      spendRule: 'grant-total',
      reservationsLeft: 'settle',
      driftMs: 1000,
      scopes: ['SESSION'],
      strictXrpl: true,
      strictCurrency: true,
      allowUnsetClock: true,
    } as const;
    const whole = readConfiguration(good(withSite(more)).site);
    expect(whole).toMatchObject({
      profile: 'full',
      sbaOnlyMax: 500n,
      driftMs: 1000,
      strictXrpl: true,
      scopes: ['SESSION'],
    });
    expect(whole.pinnedKeys[0]).toMatchObject({ role: 'sba', kid: 'k' });
  });
});

describe('a document with the least', () => {
  it('is a device, its configuration, and its Policy Authority', () => {
    const least = { siteId: undefined, operator: undefined, certificate: undefined, wifi: undefined };
    const found = good({ ...least, wiring: undefined });
    expect(Object.keys(found).sort()).toEqual(
      ['counter', 'deviceId', 'fetchesRootKey', 'madeAtMs', 'policyAuthorityUrl', 'site'].sort(),
    );
    expect(found.madeAtMs).toBeUndefined();
  });

  it('says when it was made where it was told', () => {
    expect(good({ madeAt: 1_780_000_000 }).madeAtMs).toBe(1_780_000_000_000);
  });

  it('comes without a root key where the device is to fetch one', () => {
    expect(good({ rootKey: 'fetch', ...withSite({ rootKeys: [] }) })).toMatchObject({ fetchesRootKey: true });
    expect(refused({ rootKey: 'fetch' })).toBe('provisioning: rootKey: a device that has root keys fetches none');
    expect(refused({ rootKey: 'ask' })).toContain('rootKey: it is not "fetch"');
  });
});

describe('a button and a broker, which not every device has', () => {
  it('are taken as they are', () => {
    const wiring = { kind: 'charger', relay: 4, active: 'high', meter: 5, stop: 6 };
    const mqtt = { host: 'broker.example', port: 8883, topic: 'mpcp/bundles' };
    expect(good({ wiring, mqtt })).toMatchObject({ wiring, mqtt });
    // A broker is trusted by the operator's certificate, where there is one.
    const operator = { url: 'https://operator.example', apiKey: 'k', certificate: certificate() };
    expect(good({ certificate: undefined, operator, mqtt })).toMatchObject({ mqtt });
  });
});

describe('a misspelt member is refused, as it would leave something weaker than was meant', () => {
  it.each<[string, Members]>([
    ['document: there is no member certficate', { certficate: certificate() }],
    ['operator: there is no member apikey', { operator: { url: 'https://o.example', apiKey: 'k', apikey: 'k' } }],
    ['wifi: there is no member pasword', { wifi: { ssid: 'a', pasword: '12345678' } }],
    ['wiring: there is no member relais', { wiring: { kind: 'gate', relay: 1, active: 'low', relais: 2 } }],
    ['site: configuration has no member sbaonly', withSite({ sbaonly: { maxAmountMinor: '1' } })],
    ['site: terminal has no member destinaton', withSite({ terminal: { destinaton: 'x' } })],
    ['document: there is no member __proto__', JSON.parse('{"__proto__":{"rootKey":"fetch"}}') as Members],
  ])('%s', (text, changes) => {
    const own = Object.fromEntries(Object.entries(document())) as Record<string, Encodable | undefined>;
    for (const name of Object.keys(changes))
      Object.defineProperty(own, name, { value: changes[name], enumerable: true, configurable: true });
    const found = readProvisioning(partition(slotBytes(cbor(own))));
    expect(found).toBeInstanceOf(ProvisioningProblem);
    expect((found as ProvisioningProblem).message).toContain(text);
  });
});

describe('a member that cannot be is refused, by name', () => {
  it.each<[string, Members]>([
    ['deviceId: it is missing', { deviceId: undefined }],
    ['deviceId: it is not letters, digits', { deviceId: '../x' }],
    ['deviceId: it is not letters, digits', { deviceId: '.hidden' }],
    ['deviceId: it has more than 64 characters', { deviceId: 'a'.repeat(65) }],
    ['deviceId: it is not text, or empty', { deviceId: 7 }],
    ['siteId: it is not text, or empty', { siteId: '' }],
    ['siteId: it has more than 256 bytes', { siteId: 'x'.repeat(257) }],
    ['site: it is missing', { site: undefined }],
    ['site: it is not an object', { site: 'x' }],
    ['site: grantIssuers is missing', withSite({ grantIssuers: undefined })],
    [
      'site: root key root-1 is not 32 bytes',
      withSite({ rootKeys: [{ kid: 'root-1', publicKey: new Uint8Array(31) }] }),
    ],
    ['policyAuthorityUrl: it is missing', { policyAuthorityUrl: undefined }],
    ['policyAuthorityUrl: it does not begin with https:// or http://', { policyAuthorityUrl: 'ftp://pa.example' }],
    ['policyAuthorityUrl: it has no host', { policyAuthorityUrl: 'https:///x' }],
    ['policyAuthorityUrl: it is more than', { policyAuthorityUrl: 'https://user@pa.example' }],
    ['policyAuthorityUrl: it is more than', { policyAuthorityUrl: 'https://pa.example?x' }],
    ['policyAuthorityUrl: it is more than', { policyAuthorityUrl: 'https://pa.example/ x' }],
    ['operator: it is not a map', { operator: 'https://operator.example' }],
    ['operator.apiKey: it is missing', { operator: { url: 'https://operator.example' } }],
    ['certificate: it is not bytes', { certificate: 'MIIB' }],
    ['certificate: it is not one certificate in DER', { certificate: certificate().slice(1) }],
    ['certificate: it is not one certificate in DER', { certificate: new Uint8Array([...certificate(), 0]) }],
    ['certificate: it has 2049 bytes, more than 2048', { certificate: certificate(2049) }],
    ["wifi.ssid: a network's name has 1 to 32 bytes, this one 33", { wifi: { ssid: 'x'.repeat(33) } }],
    ["wifi.ssid: a network's name has 1 to 32 bytes, this one 34", { wifi: { ssid: 'ü'.repeat(17) } }],
    ['wifi.password: it is neither 8 to 63 characters nor 64', { wifi: { ssid: 'x', password: '1234567' } }],
    ['wiring.kind: it is none of charger, gate, meter', { wiring: { kind: 'pump', relay: 1, active: 'low' } }],
    ['wiring.relay: it is missing', { wiring: { kind: 'gate', active: 'low' } }],
    ['wiring.relay: it is not a whole number from 0 to 48', { wiring: { kind: 'gate', relay: 49, active: 'low' } }],
    ['wiring.active: it is none of high, low', { wiring: { kind: 'gate', relay: 1, active: 'up' } }],
    ['wiring: a charger has no meter', { wiring: { kind: 'charger', relay: 1, active: 'low' } }],
    ['wiring: relay and led are both on pin 1', { wiring: { kind: 'gate', relay: 1, active: 'low', led: 1 } }],
    [
      'wiring: meter and stop are both on pin 5',
      { wiring: { kind: 'charger', relay: 1, active: 'low', meter: 5, stop: 5 } },
    ],
    ['mqtt: there is no member url', { mqtt: { url: 'mqtts://broker.example' } }],
    ['mqtt.host: it is not the name of a host', { mqtt: { host: 'broker.example:8883', port: 8883, topic: 't' } }],
    ['mqtt.host: it is not the name of a host', { mqtt: { host: 'mqtts://broker.example', port: 8883, topic: 't' } }],
    ['mqtt.port: it is missing, or 0', { mqtt: { host: 'broker.example', topic: 't' } }],
    ['mqtt.port: it is missing, or 0', { mqtt: { host: 'broker.example', port: 0, topic: 't' } }],
    [
      'mqtt: a broker is asked under TLS, and there is no certificate',
      { certificate: undefined, mqtt: { host: 'broker.example', port: 8883, topic: 't' } },
    ],
    ['mqtt.topic: it is missing', { mqtt: { host: 'broker.example', port: 1 } }],
    ['madeAt: it is not a whole number', { madeAt: -5 }],
    ['rootKey: it is not "fetch"', { rootKey: null }],
  ])('%s', (text, changes) => {
    expect(refused(changes)).toContain(`provisioning: ${text}`);
  });

  it('a document that is no map', () => {
    const found = readProvisioning(partition(slotBytes(cbor([1]))));
    expect(found).toMatchObject({ fault: 'invalid', message: 'provisioning: document: it is not a map' });
  });
});

describe('a Wi-Fi password', () => {
  it('has 8 to 63 printable characters, or is a key of 64 hexadecimal digits', () => {
    for (const password of ['12345678', 'a'.repeat(63), '0123456789abcdefABCDEF'.padEnd(64, '0'), ' ~~~~~~ '])
      expect(wifiPasswordProblem(password), password).toBeUndefined();
    for (const password of ['', '1234567', 'g'.repeat(64), '0'.repeat(65), 'pässword', 'tab\tinside'])
      expect(wifiPasswordProblem(password), password).toBeDefined();
  });
});
