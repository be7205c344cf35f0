// A device whose provisioning says that it fetches its root key: until somebody has confirmed one, the reader's line is theirs.

import Serial from 'embedded:io/serial';
import config from 'mc/config';
import Timer from 'timer';
import { FlashError, type Log } from '../../core/ports/ports.ts';
import { readProvisioning } from '../../core/provisioning/partition.ts';
import { type Provisioning, ProvisioningProblem } from '../../core/provisioning/provisioning.ts';
import { SerialWriter } from '../io/serial-writer.ts';
import { TIME_SERVER } from '../network/network.ts';
import { RootKeyDesk } from '../network/root-key.ts';
import { DeviceClock } from '../ports/clock.ts';
import { createDeviceCrypto } from '../ports/crypto.ts';
import { PartitionFlash } from '../ports/flash.ts';
import { random, random32 } from './board.ts';
import { PARTITION } from './partitions.ts';
import { restingRelay, StartProblem } from './start.ts';

/** Bytes that may wait: the keys of an authority. */
const WAITING_BYTES = 2048;
const TICK_MS = 1000;

/** Begins a set-up where the device is to have one. @returns whether it does; else it is to be started */
export function setUp(log: Log): boolean {
  try {
    const flash = new PartitionFlash(PARTITION.provisioning);
    const found = readProvisioning(flash);
    if (found instanceof ProvisioningProblem || !found.provisioning.fetchesRootKey) return false;
    open(found.provisioning, flash, log);
    return true;
  } catch (error) {
    // The start says what is wrong.
    if (error instanceof FlashError) return false;
    throw error;
  }
}

function open(provisioning: Provisioning, flash: PartitionFlash, log: Log): void {
  const { wiring } = provisioning;
  // It may take hours until somebody confirms a key.
  const relay = wiring && restingRelay(wiring);
  if (relay instanceof StartProblem) log.emit({ event: 'relay.failed', detail: relay.message });
  const { port, receive, transmit, baud } = config.mpcp.reader;
  const desk = new RootKeyDesk({
    provisioning,
    flash,
    crypto: createDeviceCrypto(),
    clock: new DeviceClock(),
    random,
    random32,
    timeServer: config.mpcp.network?.timeServer ?? TIME_SERVER,
    log,
    say: (bytes) => {
      if (!writer.send(bytes)) log.emit({ event: 'reader.behind', bytes: bytes.length });
    },
  });
  const serial: Serial = new Serial({
    port,
    ...(receive !== undefined && { receive }),
    ...(transmit !== undefined && { transmit }),
    baud,
    format: 'buffer',
    onReadable: () => {
      const bytes = serial.read();
      if (bytes !== undefined) desk.push(new Uint8Array(bytes));
    },
    onWritable: (bytes) => writer.writable(bytes),
  });
  const writer = new SerialWriter(serial, WAITING_BYTES);
  log.emit({ event: 'device.setUp', deviceId: provisioning.deviceId });
  Timer.repeat(() => desk.tick(), TICK_MS);
}
