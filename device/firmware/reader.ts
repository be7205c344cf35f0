// The reader's line of a sample (docs/SERIAL.md): what a reader sends is decided on, at once or when an issuer was asked; it ends
// sessions, and what the device is it is told when it asks.

import Serial from 'embedded:io/serial';
import config from 'mc/config';
import { stateDocument } from '../../core/boot/state.ts';
import { SerialEndpoint } from '../../core/intake/serial-endpoint.ts';
import type { Decision } from '../../core/verifier.ts';
import { SerialWriter } from '../io/serial-writer.ts';
import { type Running, stateParts } from './running.ts';

/** Bytes of answers that may wait: two of the longest. */
const WAITING_BYTES = 4608;

/**
 * Opens the line that the manifest names.
 *
 * @param attend told after what has come was taken, whether a message is coming in
 * @returns asks the same at any time: half a message may not be gone on with
 */
export function openReader(running: Running, attend: (receiving: boolean) => void): () => boolean {
  const { device, seller, till, log } = running;
  const { clock } = device;
  const { port, receive, transmit, baud } = config.mpcp.reader;
  const endpoint = new SerialEndpoint({
    authorize: (presentation) => {
      let decided: Decision | undefined;
      let isOver = false;
      till.present(presentation, (decision) => {
        if (isOver) endpoint.decided(decision, clock.monotonicMs());
        else decided = decision;
      });
      isOver = true;
      return decided;
    },
    state: () => stateDocument(stateParts(running)),
    ...(seller.stop && { stop: () => seller.stop?.() }),
    busy: () => till.busy,
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
      if (bytes === undefined) return;
      const now = clock.monotonicMs();
      endpoint.push(new Uint8Array(bytes), now);
      attend(endpoint.receiving(now));
    },
    onWritable: (bytes) => writer.writable(bytes),
  });
  const writer = new SerialWriter(serial, WAITING_BYTES);
  return () => endpoint.receiving(clock.monotonicMs());
}
