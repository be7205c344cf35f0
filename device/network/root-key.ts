// Set-up of a device that comes without a root key: it fetches what its authority publishes, shows it on the reader's line to whoever
// stands there with a terminal in the reader's place, and keeps what they confirm. It sells nothing meanwhile.

import { RootKeySetup } from '../../core/boot/root-key-setup.ts';
import { asciiText, encodeUtf8, isAscii } from '../../core/encoding/utf8.ts';
import { serverOf } from '../../core/network/http-client.ts';
import { askSmall } from '../../core/network/small-answer.ts';
import type { Crypto, Flash, Log } from '../../core/ports/ports.ts';
import type { Provisioning } from '../../core/provisioning/provisioning.ts';
import { ImageRootKeyKeeper } from '../../core/provisioning/root-key-keeper.ts';
import type { FetchOrder } from '../../core/refresh/bundle-fetch.ts';
import type { DeviceClock } from '../ports/clock.ts';
import { HttpsClient } from './https.ts';
import { NetworkTime } from './time.ts';
import { WifiLink } from './wifi.ts';

/** What a set-up is made of. */
export interface RootKeyDeskParts {
  readonly provisioning: Provisioning;
  /** The partition with the provisioning. */
  readonly flash: Flash;
  readonly crypto: Crypto;
  readonly clock: DeviceClock;
  readonly random: () => number;
  readonly random32: () => number;
  readonly timeServer: string;
  readonly log: Log;
  /** Sends text to whoever stands there. */
  readonly say: (bytes: Uint8Array) => void;
}

const LINE_BYTES = 128;
const LINE_END = 0x0a;
/** After something failed. */
const WAIT_MS = 15_000;

/** See the head of the file. It does nothing until `tick`. */
export class RootKeyDesk {
  readonly #parts: RootKeyDeskParts;
  readonly #setup: RootKeySetup;
  readonly #link: WifiLink | undefined;
  readonly #time: NetworkTime;
  readonly #client: HttpsClient;
  readonly #line: number[] = [];
  #waitUntilMs = 0;
  #isTold = false;

  constructor(parts: RootKeyDeskParts) {
    this.#parts = parts;
    const { provisioning, flash, crypto, clock, random, random32, log } = parts;
    const { fetchesRootKey, certificate, wifi } = provisioning;
    const keeper = new ImageRootKeyKeeper(flash);
    // A device that is here has none: provisioning refuses both.
    this.#setup = new RootKeySetup({ crypto, keeper, mayFetch: fetchesRootKey, rootKeys: 0, log });
    this.#time = new NetworkTime({ clock, server: parts.timeServer, random32, log });
    this.#client = new HttpsClient({ certificate, log });
    const monotonicMs = () => clock.monotonicMs();
    if (wifi !== undefined)
      this.#link = new WifiLink({ wifi, monotonicMs, random, log, changed: (up) => this.#changed(up) });
  }

  /** Every second. */
  tick(): void {
    const { clock } = this.#parts;
    this.#link?.tick();
    const now = clock.monotonicMs();
    const step = this.#setup.next(now);
    if (step.kind === 'confirm') {
      if (!this.#isTold) this.#show();
      return;
    }
    this.#isTold = false;
    if (step.kind !== 'fetch' || this.#link?.up !== true) return;
    if (now < this.#waitUntilMs || this.#time.busy || this.#client.busy) return;
    if (clock.wallMs() === undefined) this.#time.ask((problem) => this.#wait(problem));
    else this.#fetch(step.order);
  }

  /** Bytes of the line: `confirm` with a fingerprint, `decline`, or nothing to be shown the keys again. */
  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte !== LINE_END) {
        if (this.#line.length < LINE_BYTES) this.#line.push(byte);
        continue;
      }
      const line = Uint8Array.from(this.#line);
      this.#line.length = 0;
      this.#take(isAscii(line) ? asciiText(line, 0, line.length).trim() : '');
    }
  }

  #take(line: string): void {
    const now = this.#parts.clock.monotonicMs();
    if (line.startsWith('confirm ')) {
      const problem = this.#setup.confirm(now, line.slice(8));
      this.#say(problem ?? 'the root key is kept: switch the device off and on');
    } else if (line === 'decline') {
      this.#setup.decline();
      this.#wait('declined');
    } else this.#show();
  }

  #fetch(order: FetchOrder): void {
    const { provisioning, clock } = this.#parts;
    const server = serverOf(provisioning.policyAuthorityUrl);
    // In the clear anybody could show a key of their own.
    if (server?.secure !== true) {
      this.#wait('a root key is fetched over TLS, and policyAuthorityUrl is not https');
      return;
    }
    askSmall(this.#client, { server, method: 'GET', ...order }, (answer) => {
      const problem =
        answer.kind === 'failed'
          ? answer.detail
          : this.#setup.answered(clock.monotonicMs(), answer.status, answer.header, answer.body);
      this.#wait(problem);
    });
  }

  #show(): void {
    const step = this.#setup.next(this.#parts.clock.monotonicMs());
    if (step.kind === 'confirm') {
      this.#isTold = true;
      for (const { kid, fingerprint } of step.keys) this.#say(`${fingerprint}   ${kid}`);
      this.#say('compare, and answer "confirm" with the fingerprint, or "decline"');
    } else
      this.#say(step.kind === 'done' ? 'the root key is kept: switch the device off and on' : 'no key is there yet');
  }

  #wait(problem: string | undefined): void {
    if (problem === undefined) return;
    this.#waitUntilMs = this.#parts.clock.monotonicMs() + WAIT_MS;
    this.#say(problem);
  }

  #changed(up: boolean): void {
    if (up) return;
    this.#client.abort('link-down', 'the link went down');
    this.#time.abort('the link went down');
  }

  #say(text: string): void {
    const bytes = encodeUtf8(`${text}\r\n`);
    if (bytes !== undefined) this.#parts.say(bytes);
  }
}
