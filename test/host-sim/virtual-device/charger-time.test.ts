// Who sets the clock of a virtual device for an errand: what comes of it is told where there is power still, and what that throws goes to
// whoever waits for the errand.

import { describe, expect, it } from 'vitest';
import { askTime } from '../../../host-sim/virtual-device/charger-time.ts';
import { Link } from '../../../host-sim/virtual-device/link.ts';
import { LinkClient } from '../../../host-sim/virtual-device/link-client.ts';

class Bench {
  isOn = true;
  setTime: (() => Promise<void>) | undefined;
  isSet: () => boolean = () => false;
  /** What the errand does when it is told, beside being over. */
  told: (problem: string | undefined) => void = () => undefined;
  readonly client = new LinkClient({
    link: new Link(),
    run: (work) => (this.isOn ? work() : undefined),
    reach: (url) => url,
    whom: () => 'nobody',
    known: () => ({ certificate: undefined, nowMs: undefined }),
  });

  /** @returns what the errand is told; null where the power goes first */
  async errand(): Promise<string | undefined | null> {
    const { client, setTime, isSet } = this;
    const answer = await client.during<{ readonly problem: string | undefined }>((done) =>
      askTime({ client, setTime, isSet }, (problem) => {
        this.told(problem);
        done({ problem });
      }),
    );
    return answer === undefined ? null : answer.problem;
  }
}

function stops(): never {
  throw new Error('the machine stopped');
}

describe('an errand that has the clock set', () => {
  it('is told nothing against it where the device has the time then', async () => {
    const bench = new Bench();
    let asked = false;
    bench.setTime = async () => {
      asked = true;
    };
    bench.isSet = () => asked;
    expect(await bench.errand()).toBeUndefined();
  });

  it('is told that nobody sets it', async () => {
    expect(await new Bench().errand()).toBe('nobody sets the clock');
  });

  it('is told why whoever is asked cannot', async () => {
    const bench = new Bench();
    bench.setTime = () => Promise.reject(new Error('no answer'));
    expect(await bench.errand()).toBe('the clock cannot be set: no answer');
  });

  it('is told nothing where the power goes meanwhile', async () => {
    const bench = new Bench();
    bench.setTime = async () => {
      bench.isOn = false;
      bench.client.drop();
    };
    bench.told = () => expect.fail('told without power');
    expect(await bench.errand()).toBeNull();
  });

  it.each<[string, Partial<Bench>]>([
    ['looks whether it has the time', { isSet: stops }],
    ['is told that it has it', { isSet: () => true, told: stops }],
    ['is told that it has it not', { told: stops }],
    ['is told why not', { setTime: () => Promise.reject(new Error('no answer')), told: stops }],
  ])('ends with what is thrown when the device %s', async (_, change) => {
    await expect(Object.assign(new Bench(), change).errand()).rejects.toThrow('the machine stopped');
  });
});
