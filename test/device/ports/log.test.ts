// Events on a serial line: one JSON object a line, whole or not at all, and never in a payment's way.

import { describe, expect, it } from 'vitest';
import { SerialWriter } from '../../../device/io/serial-writer.ts';
import { SerialLog } from '../../../device/ports/log.ts';
import Serial from '../sdk/io-serial.ts';

function line(limit = 4096) {
  const serial = new Serial({ port: 0, baud: 115_200, onWritable: (bytes) => writer.writable(bytes) });
  const writer = new SerialWriter(serial, limit);
  return { serial, writer, log: new SerialLog(writer), text: () => Buffer.from(serial.sent).toString() };
}

describe('the log of a device', () => {
  it('writes an event a line, without members that are undefined', () => {
    const { log, serial, text } = line();
    log.emit({ event: 'payment.authorize', ok: true, receiptId: 3, artifact: undefined, detail: 'é"\n' });
    serial.makeRoom(128);
    expect(text()).toBe('{"event":"payment.authorize","ok":true,"receiptId":3,"detail":"é\\"\\n"}\n');
  });

  it('writes no more than the port has room for, and goes on when it has some', () => {
    const { log, serial, writer, text } = line();
    log.emit({ event: 'a-long-name-of-an-event' });
    log.emit({ event: 'b' });
    for (let i = 0; i < 9; i++) serial.makeRoom(7);
    expect(text()).toBe('{"event":"a-long-name-of-an-event"}\n{"event":"b"}\n');
    expect(writer.waiting).toBe(0);
  });

  it('drops whole events where the line is too slow, and says how many', () => {
    const { log, serial, text } = line(40);
    for (let i = 0; i < 5; i++) log.emit({ event: 'tick', i });
    serial.makeRoom(128);
    log.emit({ event: 'late' });
    log.emit({ event: 'later' });
    expect(text()).toBe(
      '{"event":"tick","i":0}\n{"event":"log.dropped","count":4}\n{"event":"late"}\n{"event":"later"}\n',
    );
  });

  it('drops an event that is longer than a line may be', () => {
    const { log, serial, text } = line();
    log.emit({ event: 'x', detail: 'y'.repeat(2000) });
    log.emit({ event: 'z' });
    serial.makeRoom(128);
    expect(text()).toBe('{"event":"log.dropped","count":1}\n{"event":"z"}\n');
  });

  it('keeps what a port refuses although it told of room', () => {
    const { log, serial, text } = line();
    log.emit({ event: 'a' });
    serial.options.onWritable?.(128);
    expect(text()).toBe('');
    serial.makeRoom(128);
    expect(text()).toBe('{"event":"a"}\n');
  });
});
