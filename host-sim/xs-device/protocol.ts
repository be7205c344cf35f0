// What a simulation and a device in XS say to each other: the numbers of commands, of questions that the device asks back, and of
// what it tells; and values as bytes (c/asked.c has the other end).

/** What a device is told to do. Before the number stands which of its copies are none any more; behind it come wall time (undefined where there is none), monotonic time, and arguments. */
export const COMMAND = Object.freeze({
  /** Earliest time, salt, milliseconds for a batch; then for each of `PARTITIONS` its bytes, 0 for none. */
  start: 0,
  /** Whether the link is up, what is presented, the request in JSON. */
  pay: 1,
  /** Asks what the last payment wants to be asked about its grant. A number for `NOTE.asked`. */
  askRevocation: 2,
  idle: 3,
  urgent: 4,
  linkCame: 5,
  /** Whether the link is up. */
  refresh: 6,
  handIn: 7,
  hasTime: 8,
  /** Why the clock is not set; undefined where it is. */
  timeTold: 9,
  timeConfirmed: 10,
  /** Of all that follow: the client. Then the status, of which headers may be asked from now on. */
  answered: 11,
  /** Bytes. */
  take: 12,
  ended: 13,
  /** Why, and in words. */
  failed: 14,
  /** Whether the link is up, what is presented, the most that the session may cost. Answered as `pay` is. */
  begin: 15,
  /** Pulses of the meter since it was looked at. Answered with what the session has come to: its kind, why, its receipt and amount, and the closing; nothing where it goes on. */
  tick: 16,
  /** The same. */
  stop: 17,
});

export type CommandName = keyof typeof COMMAND;

/**
 * What a device asks back. A reply that is text says why an operation of flash has failed. Behind it may come partition, offset, size
 * of all, and cells: of those the device keeps a copy, and asks for them no more.
 */
export const QUESTION = Object.freeze({
  /** Partition, offset, length. */
  read: 0,
  /** Partition, offset, bytes. */
  program: 1,
  /** Partition, offset. */
  erase: 2,
  /** A header of the answer that a client got last, by its name. */
  header: 3,
});

/** What a device tells. */
export const NOTE = Object.freeze({
  /** An event: names and values. */
  log: 0,
  /** The ids of the bundles in force are others. */
  bundles: 1,
  /** A request to be sent: the client, method, host, port, whether under TLS and by which certificate, path, body, timeout, most bytes of an answer; then names and values of headers. */
  send: 2,
  /** Somebody is to set the clock. */
  setTime: 3,
  /** What came of a request for bundles: its kind, and of a failure why. Nothing where there is more to do first. */
  refreshed: 4,
  /** What came of a batch: whether it went well, receipts, and of a failure why; then why no whole answer came. */
  handedIn: 5,
  /** The answer about a revocation is there, or will not come: the number of the command. */
  asked: 6,
  /** A start has found a reservation open: its receipt; then, where it has ended it, what came of that. */
  left: 7,
});

/** Numbers of a device's clients. */
export const CLIENT = Object.freeze({ errands: 0, questions: 1 });

/** Numbers of partitions. */
export const PARTITION = Object.freeze({ provisioning: 0, ledger: 1, journal: 2, bundles: 3 });

/** A value on the way. */
export type Value = undefined | boolean | number | string | Uint8Array;

/** Tags before values. */
const TAG = Object.freeze({ nothing: 0, no: 1, yes: 2, number: 3, text: 4, bytes: 5 });

/** Bytes before a frame's values: its length, and its kind. */
const HEAD_BYTES = 5;

/** A frame: what it is, and values. */
export function frameOf(kind: string, values: readonly Value[]): Buffer {
  const parts: Buffer[] = [Buffer.alloc(HEAD_BYTES)];
  for (const value of values) parts.push(...partsOf(value));
  const frame = Buffer.concat(parts);
  frame.writeUInt32LE(frame.length - HEAD_BYTES + 1);
  frame.write(kind, HEAD_BYTES - 1, 'latin1');
  return frame;
}

function partsOf(value: Value): readonly Buffer[] {
  if (value === undefined) return [Buffer.of(TAG.nothing)];
  if (typeof value === 'boolean') return [Buffer.of(value ? TAG.yes : TAG.no)];
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9, TAG.number);
    bytes.writeDoubleLE(value, 1);
    return [bytes];
  }
  const isText = typeof value === 'string';
  const bytes = isText ? Buffer.from(value) : Buffer.from(value.buffer, value.byteOffset, value.length);
  const head = Buffer.alloc(HEAD_BYTES, isText ? TAG.text : TAG.bytes);
  head.writeUInt32LE(bytes.length, 1);
  return [head, bytes];
}

/** The values of a frame, behind its kind. */
export function valuesIn(bytes: Buffer): Value[] {
  const values: Value[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at++];
    if (tag === TAG.nothing || tag === TAG.no || tag === TAG.yes) {
      values.push(tag === TAG.nothing ? undefined : tag === TAG.yes);
    } else if (tag === TAG.number) {
      values.push(bytes.readDoubleLE(at));
      at += 8;
    } else {
      const end = at + 4 + bytes.readUInt32LE(at);
      const part = bytes.subarray(at + 4, end);
      values.push(tag === TAG.text ? part.toString() : Uint8Array.from(part));
      at = end;
    }
  }
  return values;
}
