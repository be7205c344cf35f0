// The pins of a board: what a chip has not, and what its flash, the reader and the log have, no device is wired to.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BOARD_PINS, BOARDS, boardPinProblem } from '../../../tools/provision/board-pins.ts';
import { COLUMNS, DEVICE_1, FleetBench, policyOf } from './scene.ts';

let bench: FleetBench;
beforeAll(() => {
  bench = new FleetBench();
});
afterAll(() => bench.remove());

const FLEET = `${COLUMNS},meterPin\n${DEVICE_1},\n`;
const wired = (cells: string) => `${COLUMNS},meterPin\n${DEVICE_1.slice(0, -2)}${cells}\n`;
const NO_PINS = policyOf({ wiring: undefined });

describe('pins of a board', () => {
  it('have the lines of the manifests', () => {
    const { platforms } = JSON.parse(readFileSync(new URL('../../../manifests/device.json', import.meta.url), 'utf8'));
    const { '...': _, ...known } = platforms;
    expect(Object.keys(known).map((name) => name.replace('esp32/', ''))).toEqual([...BOARDS]);
    for (const board of BOARDS) {
      const { reader, log } = (known[board] ?? known[`esp32/${board}`]).config.mpcp;
      expect(BOARD_PINS[board].reader, board).toEqual([reader.receive, reader.transmit]);
      expect(BOARD_PINS[board].log, board).toBe(log.transmit);
    }
  });

  it('are those that a relay can be on', () => {
    const free = (board: (typeof BOARDS)[number], isOutput: boolean) =>
      Array.from({ length: 50 }, (_, pin) => pin).filter((pin) => !boardPinProblem(board, pin, isOutput));
    const esp32 = [0, 2, 3, 4, 5, 12, 13, 14, 15, 18, 19, 21, 22, 23, 25, 26, 27, 32, 33];
    expect(free('esp32', true)).toEqual(esp32);
    expect(free('esp32', false)).toEqual([...esp32, 34, 35, 36, 37, 38, 39]);
    expect(free('esp32c3', true)).toEqual([0, 1, 2, 3, 6, 7, 8, 9, 10, 18, 19, 20]);
    expect(free('esp32s3', true)).toEqual([
      ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 19, 20, 21],
      ...[33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 44, 45, 46, 47, 48],
    ]);
  });
});

describe('provision create --board', () => {
  it.each([
    ['esp32', 'gate,7,low,', 'relayPin 7: pin 7 is for the flash of an ESP32'],
    ['esp32', 'gate,24,low,', 'relayPin 24: an ESP32 has no pin 24'],
    ['esp32', 'gate,34,low,', 'relayPin 34: pin 34 of an ESP32 is an input only'],
    ['esp32', 'gate,1,low,', 'relayPin 1: pin 1 is the log’s line on an ESP32'],
    ['esp32/esp32c3', 'gate,4,low,', 'relayPin 4: pin 4 is the reader’s line on an ESP32-C3'],
    ['esp32c3', 'charger,3,low,12', 'meterPin 12: pin 12 is for the flash of an ESP32-C3'],
    ['esp32s3', 'charger,4,low,17', 'meterPin 17: pin 17 is the reader’s line on an ESP32-S3'],
  ])('%s: refuses %s in a line', async (board, cells, reason) => {
    const { code, stderr } = await bench.create(wired(cells), NO_PINS, '--board', board);
    expect(code).toBe(2);
    expect(stderr).toContain(`a-fleet, line 2: ${reason}`);
  });

  it('refuses every such pin of the policy', async () => {
    const policy = policyOf({ wiring: { kind: 'charger', relay: 4, active: 'high', meter: 5 } });
    const { code, stderr } = await bench.create(FLEET, policy, '--board', 'esp32c3');
    expect(code).toBe(2);
    expect(stderr).toContain('a-policy.json: wiring.relay 4: pin 4 is the reader’s line on an ESP32-C3');
    expect(stderr).toContain('a-policy.json: wiring.meter 5: pin 5 is the reader’s line on an ESP32-C3');
  });

  it('takes a meter on an input', async () => {
    const words = ['--board', 'esp32', '--out', bench.path('input')];
    const { code, stderr } = await bench.create(wired('charger,26,high,34'), NO_PINS, ...words);
    expect([code, stderr]).toEqual([0, '']);
  });

  it('knows no other board', async () => {
    const { code, stderr } = await bench.create(FLEET, policyOf(), '--board', 'esp8266');
    expect(code).toBe(2);
    expect(stderr).toContain('There are esp32, esp32c3, esp32s3.');
  });

  it('says in a line that pins were not checked where no board is named', async () => {
    const { code, stderr } = await bench.create(FLEET, policyOf(), '--out', bench.path('unchecked'));
    expect(code).toBe(0);
    expect(stderr).toMatch(/^[^\n]*pins were not checked against a chip[^\n]*\n$/);
  });
});
