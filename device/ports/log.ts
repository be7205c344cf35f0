// The Log port on a serial line: one JSON object a line. Events that the line is too slow for are dropped and counted, so that a
// log never holds a payment up.

import { writeJson } from '../../core/json/text.ts';
import type { JsonObject } from '../../core/json/value.ts';
import type { Log, LogEvent } from '../../core/ports/ports.ts';
import type { SerialWriter } from '../io/serial-writer.ts';

/** Bytes of a line. */
const LINE_BYTES = 1024;
const NEWLINE = 0x0a;

/** See the head of the file. */
export class SerialLog implements Log {
  readonly #writer: SerialWriter;
  #dropped = 0;

  constructor(writer: SerialWriter) {
    this.#writer = writer;
  }

  emit(event: LogEvent): void {
    if (this.#dropped > 0 && this.#line({ event: 'log.dropped', count: this.#dropped })) this.#dropped = 0;
    if (!this.#line(event)) this.#dropped++;
  }

  #line(event: LogEvent): boolean {
    const line = new Uint8Array(LINE_BYTES);
    // The engine's own writer cannot read objects that are in flash.
    const end = writeJson(event as unknown as JsonObject, line, 0);
    if (end < 0 || end === LINE_BYTES) return false;
    line[end] = NEWLINE;
    return this.#writer.send(line.slice(0, end + 1));
  }
}
