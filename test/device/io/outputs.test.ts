// Outputs and the meter's input: off from the first moment on, whatever level that is; on for as long as was said; a bouncing contact
// counts once.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RelayError } from '../../../core/charging/session.ts';
import { Output, Relay } from '../../../device/io/outputs.ts';
import { PulseInput } from '../../../device/io/pulse-input.ts';
import Digital, { pins } from '../sdk/io-digital.ts';
import Timer, { clearAll, pass } from '../sdk/timer.ts';

beforeEach(() => {
  vi.stubGlobal('MPCP_NATIVE', false);
  pins.clear();
});
afterEach(() => {
  clearAll();
  vi.unstubAllGlobals();
});

const levels = (pin: number) => pins.get(pin)?.levels;

describe('a relay', () => {
  it('is open from the first moment that its pin is an output, for both ways of wiring', () => {
    new Relay({ pin: 4, active: 'high' });
    new Relay({ pin: 5, active: 'low' });
    expect([levels(4), levels(5)]).toEqual([[0], [1]]);
    expect(pins.get(4)?.options.mode).toBe(Digital.Output);
  });

  it('closes and opens by the level it is wired for', () => {
    const relay = new Relay({ pin: 5, active: 'low' });
    relay.close();
    relay.open();
    expect(levels(5)).toEqual([1, 0, 1]);
  });

  it('says that it cannot be moved, in a way a session understands', () => {
    const relay = new Relay({ pin: 4, active: 'high' });
    const pin = pins.get(4) as Digital;
    pin.write = () => {
      throw new Error('closed');
    };
    expect(() => relay.close()).toThrow(new RelayError('closed'));
    expect(() => relay.pulse(5)).toThrow(RelayError);
  });
});

describe('a pulse', () => {
  it('lasts as long as was said', () => {
    const output = new Output({ pin: 2, active: 'high' });
    output.pulse(500);
    pass(499);
    expect(levels(2)).toEqual([0, 1]);
    pass(1);
    expect(levels(2)).toEqual([0, 1, 0]);
  });

  it('is none where its end cannot be set: a gate would stay open', () => {
    const relay = new Relay({ pin: 4, active: 'high' });
    const set = vi.spyOn(Timer, 'set').mockImplementationOnce(() => {
      throw new Error('no memory');
    });
    expect(() => relay.pulse(500)).toThrow(new RelayError('no memory'));
    set.mockRestore();
    expect(levels(4)).toEqual([0, 1, 0]);
  });

  it('begins anew where another comes, and ends once', () => {
    const output = new Output({ pin: 2, active: 'high' });
    output.pulse(500);
    pass(400);
    output.pulse(500);
    pass(400);
    expect(pins.get(2)?.level).toBe(1);
    pass(1000);
    expect(levels(2)).toEqual([0, 1, 1, 0]);
  });

  it('does not switch off what was switched on for good meanwhile', () => {
    const output = new Output({ pin: 2, active: 'high' });
    output.pulse(500);
    output.set(true);
    pass(1000);
    expect(pins.get(2)?.level).toBe(1);
  });
});

describe('the pulses of a meter, without native code', () => {
  it('are counted at the falling edge, and a bouncing contact once', () => {
    let now = 0;
    let pulses = 0;
    new PulseInput(
      7,
      20,
      () => now,
      () => {
        pulses++;
      },
    );
    const pin = pins.get(7) as Digital;
    pin.drive(1);
    for (const at of [100, 105, 119, 200, 219, 220]) {
      now = at;
      pin.drive(0);
      pin.drive(1);
    }
    expect(pulses).toBe(3);
    expect(pin.options).toMatchObject({ mode: Digital.InputPullUp, edge: Digital.Falling });
  });
});
