// What `doctor` says of machines: everything there, nothing there, and what is half there.

import { describe, expect, it } from 'vitest';
import { type Finding, lookAround, type Machine } from '../../../tools/firmware/doctor.ts';

const SDK = '/sdk';
const BIN = '/sdk/build/bin/lin/release';

function machine(changes: Partial<Machine> = {}, environment: Machine['environment'] = {}): Machine {
  return {
    platform: 'linux',
    nodeVersion: '20.19.0',
    environment: { MODDABLE: SDK, IDF_PATH: '/idf', PATH: `/usr/bin:${BIN}`, ...environment },
    exists: () => true,
    read: () => '8.2.3\n',
    list: () => ['null', 'ttyUSB0', 'ttyS0', 'ttyACM1'],
    run: (program) => (program === 'esptool' ? undefined : `${program} 1`),
    ...changes,
  };
}

const of = (name: string, findings: readonly Finding[]) => findings.find((finding) => finding.name === name) as Finding;

describe('doctor', () => {
  it('finds what is there', () => {
    const findings = lookAround(machine());
    expect(findings.map(({ state }) => state)).toEqual(Array(7).fill('found'));
    expect(of('serial ports', findings).detail).toBe('/dev/ttyUSB0, /dev/ttyACM1');
    expect(of('esptool', findings).detail).toBe('esptool.py 1');
    expect(of('Moddable SDK', findings).detail).toBe('8.2.3 in /sdk');
  });

  it('says of each thing that is missing how to get it', () => {
    const nothing = machine(
      { exists: () => false, read: () => undefined, list: () => [], run: () => undefined },
      { MODDABLE: undefined, IDF_PATH: undefined },
    );
    const findings = lookAround(nothing).filter(({ name }) => name !== 'Node');
    for (const { name, state, remedy } of findings) {
      expect([name, state]).toEqual([name, name === 'modules' ? 'optional' : 'missing']);
      expect(remedy).toBeDefined();
    }
  });

  it.each([
    ['Node', machine({ nodeVersion: '20.18.9' }), 'too old'],
    ['Node', machine({ nodeVersion: '18.20.0' }), 'too old'],
    ['Moddable SDK', machine({ read: () => '5.6.0' }), 'too old'],
    ['Moddable SDK', machine({ exists: (path) => !path.includes('modules') }), 'which is none'],
    ['mcconfig', machine({}, { PATH: '/usr/bin' }), 'not in PATH'],
    ['mcconfig', machine({ exists: (path) => !path.endsWith('mcconfig') }), 'is not there'],
    ['ESP-IDF', machine({ run: (program) => (program === 'idf.py' ? undefined : 'x') }), 'does not run'],
    ['ESP-IDF', machine({ exists: (path) => !path.endsWith('idf.py') }), 'which is none'],
    ['serial ports', machine({ list: () => ['ttyS0'] }), 'no board'],
  ])('%s that is there in part is missing, and says why', (name, one, why) => {
    const finding = of(name, lookAround(one));
    expect([finding.state, finding.detail.includes(why), finding.remedy === undefined]).toEqual([
      'missing',
      true,
      false,
    ]);
  });
});
