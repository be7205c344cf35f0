// Where a device's events go: a serial line of their own, or, where the debugger has that line, its window.

import Serial from 'embedded:io/serial';
import config from 'mc/config';
import type { Log } from '../../core/ports/ports.ts';
import { SerialWriter } from '../io/serial-writer.ts';
import { SerialLog } from '../ports/log.ts';

/** Bytes that may wait: some twenty events. */
const WAITING_BYTES = 2048;

/** The log of the line that the manifest names. */
export function openEventLine(): Log {
  try {
    const { port, transmit, baud } = config.mpcp.log;
    const serial: Serial = new Serial({
      port,
      ...(transmit !== undefined && { transmit }),
      baud,
      format: 'buffer',
      onWritable: (bytes) => writer.writable(bytes),
    });
    const writer = new SerialWriter(serial, WAITING_BYTES);
    return new SerialLog(writer);
  } catch {
    return { emit: (event) => trace(`${event.event} ${event.detail ?? event.code ?? ''}\n`) };
  }
}
