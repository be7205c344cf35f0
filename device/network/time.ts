// The clock, set over the network. Two sources, and what each is trusted for:
//
// - SNTP, which anybody in between can forge. It sets a clock that was not set since power-up, because TLS needs one to look at
//   certificates; and it is asked once more where a server cannot be reached and none has confirmed the clock yet, or one lie would
//   keep the device from its servers for good. It cannot show a time before the firmware's build, and the core goes never below the
//   latest time that its bundles and ledger have seen. A lie about the future makes artifacts expire, and refuses payments; a lie
//   about the past stands between that floor and now. Either is over with the next answer of a server.
// - The Date of an answer under TLS with the provisioned certificate, not with one that is an operator's own: as good as the server.
//   It corrects the clock, both ways, and from then on nobody asks SNTP until the next start, unless the clock has left the device's
//   ticks since: one that has jumped is not the one that was confirmed, and by it no server may be known any more.

import UDP from 'embedded:io/socket/udp';
import Net from 'net';
import Timer, { type TimerHandle } from 'timer';
import { ClockDoubt } from '../../core/network/clock-doubt.ts';
import type { TimeSource } from '../../core/network/errands.ts';
import type { Log } from '../../core/ports/ports.ts';
import type { DeviceClock } from '../ports/clock.ts';
import { wordsOf } from '../ports/thrown.ts';

const PORT = 123;
const PACKET_BYTES = 48;
/** A client's packet of version 4. */
const CLIENT = 0x23;
const SERVER_MODE = 4;
/** Seconds from 1900, which NTP counts from, to 1970. */
const EPOCH_SECONDS = 2_208_988_800;
/** NTP counts anew in 2036: what looks earlier than 1968 is after that. */
const ERA_SECONDS = 2 ** 32;
const TRIES = 3;
const TRY_MS = 3000;
/** A clock that is off by less stays as it is: a Date has whole seconds, and is on its way for a while. */
const CLOSE_MS = 5000;
const DATE_CHARACTERS = 29;

/** What sets the time. */
export interface NetworkTimeParts {
  readonly clock: Pick<DeviceClock, 'set' | 'wallMs' | 'monotonicMs'>;
  /** Host of a time server. */
  readonly server: string;
  /** A random number of 32 bits. */
  readonly random32: () => number;
  readonly log: Log;
}

/** See the head of the file. */
export class NetworkTime implements TimeSource {
  readonly #parts: NetworkTimeParts;
  readonly #doubt: ClockDoubt;
  #socket: UDP | undefined;
  #timer: TimerHandle | undefined;
  #done: ((problem: string | undefined) => void) | undefined;
  /** What the answer must repeat. */
  #sent: readonly [number, number] = [0, 0];
  #attempt = 0;

  constructor(parts: NetworkTimeParts) {
    this.#parts = parts;
    this.#doubt = new ClockDoubt(parts.clock);
  }

  get busy(): boolean {
    return this.#done !== undefined;
  }

  get doubtful(): boolean {
    return this.#doubt.isDoubtful;
  }

  doubt(): void {
    this.#doubt.doubt();
  }

  /** Asks the time server, and sets the clock. @param done is called once, with why it is not set, or with undefined */
  ask(done: (problem: string | undefined) => void): void {
    if (this.#done !== undefined) return;
    this.#done = done;
    this.#attempt++;
    const attempt = this.#attempt;
    let tries = 0;
    let address: string | undefined;
    const next = () => {
      if (tries++ === TRIES) return this.#over(`the time server ${this.#parts.server} does not answer`);
      this.#timer = Timer.set(next, TRY_MS);
      if (address !== undefined) this.#send(address);
    };
    next();
    try {
      Net.resolve(this.#parts.server, (_, found) => {
        if (this.#attempt !== attempt || this.#done === undefined) return;
        if (found === undefined) return this.#over(`the time server ${this.#parts.server} has no address`);
        address = found;
        this.#open(found);
        this.#send(found);
      });
    } catch (error) {
      this.#over(wordsOf(error));
    }
  }

  abort(detail: string): void {
    this.#over(detail);
  }

  /** The Date of an answer whose server is known. */
  told(date: string | null | undefined): void {
    const timeMs = date === null || date === undefined ? undefined : timeOf(date);
    if (timeMs === undefined) return;
    const { clock, log } = this.#parts;
    const wallMs = clock.wallMs();
    const isClose = wallMs !== undefined && Math.abs(timeMs - wallMs) < CLOSE_MS;
    // What cannot be set, as a time before the build, confirms nothing.
    if (!isClose && !clock.set(timeMs)) return;
    this.#doubt.confirm();
    if (!isClose)
      log.emit({ event: 'time.set', source: 'tls', ...(wallMs !== undefined && { byMs: timeMs - wallMs }) });
  }

  #open(address: string): void {
    try {
      this.#socket = new UDP({
        onReadable: (packets) => {
          for (let i = 0; i < packets && this.#socket !== undefined; i++) {
            const packet = this.#socket.read();
            if (packet.address === address && packet.port === PORT) this.#take(new DataView(packet));
          }
        },
      });
    } catch (error) {
      this.#over(wordsOf(error));
    }
  }

  #send(address: string): void {
    const { random32 } = this.#parts;
    const packet = new Uint8Array(PACKET_BYTES);
    const view = new DataView(packet.buffer);
    packet[0] = CLIENT;
    this.#sent = [random32() >>> 0, random32() >>> 0];
    view.setUint32(40, this.#sent[0]);
    view.setUint32(44, this.#sent[1]);
    try {
      this.#socket?.write(packet, address, PORT);
    } catch {
      // The next try may succeed.
    }
  }

  /** What is no answer to what was sent is passed over: it may be somebody else's. */
  #take(view: DataView): void {
    if (view.byteLength < PACKET_BYTES) return;
    const first = view.getUint8(0);
    const stratum = view.getUint8(1);
    const isAnswer = view.getUint32(24) === this.#sent[0] && view.getUint32(28) === this.#sent[1];
    // A leap indicator of 3 is a server that does not know the time itself; stratum 0 asks to go away.
    if (!isAnswer || (first & 7) !== SERVER_MODE || first >> 6 === 3 || stratum === 0 || stratum > 15) return;
    const seconds = view.getUint32(40);
    const since1900 = seconds < ERA_SECONDS / 2 ? seconds + ERA_SECONDS : seconds;
    const timeMs = (since1900 - EPOCH_SECONDS) * 1000 + Math.floor((view.getUint32(44) / ERA_SECONDS) * 1000);
    const { clock, log } = this.#parts;
    if (!clock.set(timeMs)) {
      this.#over('the time server shows a time that cannot be');
      return;
    }
    this.#doubt.wasSet();
    log.emit({ event: 'time.set', source: 'sntp' });
    this.#over(undefined);
  }

  #over(problem: string | undefined): void {
    const done = this.#done;
    this.#done = undefined;
    if (this.#timer !== undefined) Timer.clear(this.#timer);
    this.#timer = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    try {
      socket?.close();
    } catch {
      // It was closed before.
    }
    done?.(problem);
  }
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`, and nothing else that an engine may take for a date. */
function timeOf(date: string): number | undefined {
  if (date.length !== DATE_CHARACTERS || !date.endsWith(' GMT')) return undefined;
  const ms = Date.parse(date);
  return Number.isFinite(ms) ? ms : undefined;
}
