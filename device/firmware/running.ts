// A device that sells: what the reader's line, the local endpoint and the network are opened on.

import type { StateParts } from '../../core/boot/state.ts';
import type { Log } from '../../core/ports/ports.ts';
import type { Seller } from './run.ts';
import type { Device } from './start.ts';
import type { Till } from './till.ts';

const FIRMWARE = 'mpcp-embedded';

/** See the head of the file. */
export interface Running {
  readonly device: Device;
  readonly seller: Seller;
  readonly till: Till;
  readonly log: Log;
  /** Whether there is a network. */
  readonly linkUp: () => boolean;
}

/** What its state is made of. */
export function stateParts({ device, linkUp }: Pick<Running, 'device' | 'linkUp'>): StateParts {
  const { provisioning, boot, clock } = device;
  return { deviceId: provisioning.deviceId, firmware: FIRMWARE, boot, clock, linkUp: linkUp() };
}
