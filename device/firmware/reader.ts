// The reader's line of a sample (docs/SERIAL.md): what a reader sends is decided on, and what the device is it is told when it asks.

import Serial from 'embedded:io/serial';
import config from 'mc/config';
import { deviceState } from '../../core/boot/state.ts';
import { SerialEndpoint } from '../../core/intake/serial-endpoint.ts';
import type { JsonValue } from '../../core/json/value.ts';
import { refuse } from '../../core/reason-codes.ts';
import { SerialWriter } from '../io/serial-writer.ts';
import type { Running } from './run.ts';

/** Bytes of answers that may wait: two of the longest. */
const WAITING_BYTES = 4096;
const FIRMWARE = 'mpcp-embedded';

/** Opens the line that the manifest names. */
export function openReader({ device, seller, log }: Running): void {
  const { clock, boot, provisioning } = device;
  const { port, receive, transmit, baud } = config.mpcp.reader;
  const endpoint = new SerialEndpoint({
    authorize: (presentation) =>
      seller.present(presentation) ??
      refuse('device', 'device.ready', 'LIMIT_EXCEEDED', 'the device does not sell just now'),
    state: () => {
      const { state, reasons } = deviceState({
        deviceId: provisioning.deviceId,
        firmware: FIRMWARE,
        boot,
        clock,
        linkUp: false,
      });
      return { deviceId: provisioning.deviceId, state, reasons } as JsonValue;
    },
    send: (frame) => {
      if (!writer.send(frame)) log.emit({ event: 'reader.behind', bytes: frame.length });
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
      if (bytes !== undefined) endpoint.push(new Uint8Array(bytes), clock.monotonicMs());
    },
    onWritable: (bytes) => writer.writable(bytes),
  });
  const writer = new SerialWriter(serial, WAITING_BYTES);
}
