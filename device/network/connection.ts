// A connection to a server, in the clear or under TLS. Whatever the network, the server or who pretends to be it does ends in
// `onEnd`: nothing is thrown out of a callback of the SDK, where it would restart the device.
//
// The SDK's own TLS socket is not used. It takes a handshake that ended in an alert for one that has succeeded, and goes on in the
// clear: whoever stands between could have a device tell its key with one packet. Here nothing is sent before both directions are
// enciphered, and `TlsEnd` looks itself at who the other side is, and at what it may say when.

import TCP from 'embedded:io/socket/tcp';
import Net from 'net';
import Session, { type SessionSocket } from 'ssl/session';
import Timer, { type TimerHandle } from 'timer';
import { CERTIFICATE_BYTES } from '../../core/limits.ts';
import type { Connect, Connection, ConnectionOptions } from '../../core/network/connection.ts';
import type { Log } from '../../core/ports/ports.ts';
import { wordsOf } from '../ports/thrown.ts';
import { isServer } from './server-certificate.ts';

/** Makes connections. @param log is told of what a callback throws when there is no connection any more that it could end */
export function connecting(log: Log): Connect {
  return (options) => new TcpConnection(options, log);
}

const TLS_1_2 = 0x303;
/** Bytes of a record that a server is asked for: what it sends is held until a record is whole. */
const RECORD_BYTES = 4096;
/** The most that is taken until the handshake is over: who sends it may be anybody. */
const FIRST_RECORD_BYTES = 6144;
/** The most that is taken then: a server that knows no smaller records sends 16 KB. */
const MOST_RECORD_BYTES = 16_384 + 256;
const RECORD_HEAD = 5;
/** What TLS adds to a record, rounded up. */
const RECORD_OVERHEAD = 96;
/** Bytes that are read, or enciphered, at a time. */
const PIECE_BYTES = 1024;
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const HANDSHAKE = 22;
/** Messages of a handshake, in the order in which a server sends them, and their heads. */
const CLIENT_HELLO = 1;
const CERTIFICATE = 11;
const KEY_EXCHANGE = 12;
const HELLO_DONE = 14;
const MESSAGE_HEAD = 4;
/** Server hello, certificate, key exchange, hello done: one bit for each. */
const NEEDED = (1 << 2) | (1 << CERTIFICATE) | (1 << KEY_EXCHANGE) | (1 << HELLO_DONE);
/** What stands before the first certificate of a chain: the chain's length, and its own. */
const CERTIFICATE_HEAD = 6;
/** All suites with this first byte, of those that the SDK takes, exchange keys by a curve, and so have the server sign. */
const ECDHE = 0xc0;
/** A key exchange up to its signature: kind of curve, curve, length of a point of P-256, the point, hash and kind of signature. */
const EXCHANGE_BYTES = 71;
const NAMED_CURVE = 3;
const POINT_BYTES = 65;
const SHA256 = 4;
const RSA = 1;
/** Steps of a handshake that act without anything to read: its beginning, the server's hello done, and finished. */
const ACTIVE = [0, 14, 20];

/** See the head of the file. */
class TcpConnection implements Connection {
  readonly #options: ConnectionOptions;
  readonly #log: Log;
  readonly #waiting: Uint8Array[] = [];
  #start: TimerHandle | undefined;
  #tcp: TCP | undefined;
  #tls: TlsEnd | undefined;
  #readable = 0;
  #room = 0;
  #isOpen = false;
  #isPaused = false;
  #isReading = false;
  #isOver = false;

  constructor(options: ConnectionOptions, log: Log) {
    this.#options = options;
    this.#log = log;
    // Whoever makes it has it before anything is told.
    this.#start = Timer.set(() => {
      this.#start = undefined;
      this.#guarded(() => Net.resolve(options.host, (_, address) => this.#guarded(() => this.#connect(address))));
    }, 0);
  }

  write(bytes: Uint8Array): void {
    if (this.#isOver || bytes.length === 0) return;
    this.#waiting.push(bytes);
    this.#guarded(() => this.#drain());
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#guarded(() => this.#read());
  }

  close(): void {
    this.#isOver = true;
    if (this.#start !== undefined) Timer.clear(this.#start);
    this.#start = undefined;
    this.#waiting.length = 0;
    const tcp = this.#tcp;
    this.#tcp = undefined;
    this.#tls = undefined;
    try {
      tcp?.close();
    } catch {
      // It was closed before.
    }
  }

  #connect(address: string | undefined): void {
    const { host, port, certificate } = this.#options;
    if (address === undefined) {
      this.#end(`the name ${host} has no address`);
      return;
    }
    if (certificate !== undefined) this.#tls = new TlsEnd(host, certificate);
    this.#tcp = new TCP({
      address,
      port,
      onReadable: (bytes) => {
        this.#readable = bytes;
        this.#guarded(() => this.#read());
      },
      onWritable: (bytes) => {
        this.#room = bytes;
        this.#guarded(() => this.#writable());
      },
      onError: () => this.#end('the connection was closed'),
    });
  }

  #writable(): void {
    if (this.#isOpen) {
      this.#drain();
      return;
    }
    if (this.#tls === undefined) this.#open();
    else this.#shakeHands(this.#tls);
  }

  #open(): void {
    this.#isOpen = true;
    this.#options.onOpen();
    this.#drain();
  }

  #shakeHands(tls: TlsEnd): void {
    const socket = this.#socket(tls);
    if (!tls.shakeHands(socket)) return;
    this.#open();
    this.#read();
  }

  /** Hands on what has come, until it is paused or over. */
  #read(): void {
    // Told of more while it is at it.
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#readable > 0 && !this.#isOver && !this.#isPaused && this.#readOnce());
    } finally {
      this.#isReading = false;
    }
  }

  /** @returns whether there may be more */
  #readOnce(): boolean {
    const tls = this.#tls;
    if (tls === undefined) {
      const count = Math.min(this.#readable, PIECE_BYTES);
      this.#readable -= count;
      this.#options.onBytes(new Uint8Array((this.#tcp as TCP).read(count)));
      return true;
    }
    if (!this.#isOpen) {
      this.#shakeHands(tls);
      return this.#isOpen;
    }
    const bytes = tls.read(this.#socket(tls));
    if (bytes === null) this.#end('the server closed the connection');
    else if (bytes !== undefined) this.#options.onBytes(bytes);
    return bytes !== null && bytes !== undefined;
  }

  #drain(): void {
    const overhead = this.#tls === undefined ? 0 : RECORD_OVERHEAD;
    while (this.#isOpen && !this.#isOver && this.#room > overhead) {
      const [first] = this.#waiting;
      if (first === undefined) return;
      const count = Math.min(first.length, PIECE_BYTES, this.#room - overhead);
      const part = count === first.length ? first : first.subarray(0, count);
      if (count === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(count);
      if (this.#tls === undefined) this.#send(part);
      else this.#tls.write(this.#socket(this.#tls), part);
    }
  }

  #send(bytes: Uint8Array): number {
    const room = this.#tcp?.write(bytes);
    this.#room = room ?? 0;
    return this.#room;
  }

  /** What TLS reads from and writes to; what it has read is counted here. */
  #socket(tls: TlsEnd): SessionSocket {
    const socket: SessionSocket = {
      readable: this.#readable,
      writable: this.#room,
      read: (target) => {
        const tcp = this.#tcp as TCP;
        tcp.read(target);
        this.#readable -= target.length;
        tls.watch(target);
        return target.length;
      },
      write: (packet) => this.#send(packet instanceof Uint8Array ? packet : new Uint8Array(packet)),
    };
    return socket;
  }

  #guarded(work: () => void): void {
    if (this.#isOver) return;
    try {
      work();
    } catch (error) {
      if (this.#isOver) this.#fault(error);
      else this.#end(wordsOf(error));
    }
  }

  #end(detail: string): void {
    if (this.#isOver) return;
    this.close();
    try {
      this.#options.onEnd(detail);
    } catch (error) {
      this.#fault(error);
    }
  }

  /** Nobody is left who could be told, and the SDK would restart the device. */
  #fault(error: unknown): void {
    this.#log.emit({ event: 'network.fault', detail: wordsOf(error) });
  }
}

/**
 * This side of a TLS connection. Everything it calls may throw.
 *
 * The SDK's session enciphers, and checks what the other side has signed and its last message; on the following it cannot be relied.
 * It takes a certificate that nobody signed, where one that somebody did comes behind it; a key exchange that says of itself that it
 * is not signed; messages in any order and any number; and data in the clear before there are keys. So what comes in the clear is
 * looked at here as well: its order, that the key exchange is signed, and whose the certificate is. That comes first: the session
 * computes with the key of whatever certificate it has, as long as that key's numbers are.
 */
class TlsEnd {
  readonly #session: Session;
  readonly #serverName: string;
  readonly #certificate: Uint8Array;
  /** Bytes of the record that is being read, its head among them, that are still to come. */
  readonly #head = new Uint8Array(RECORD_HEAD);
  #headBytes = 0;
  #missing = 0;
  /** Until the server enciphers. */
  #isPlain = true;
  #mostBytes = FIRST_RECORD_BYTES;
  /** The same of the message in it, and what was looked at of a key exchange. */
  readonly #message = new Uint8Array(MESSAGE_HEAD);
  #messageBytes = 0;
  #messageMissing = 0;
  readonly #exchange = new Uint8Array(EXCHANGE_BYTES);
  #exchangeBytes = 0;
  /** The head of the server's own certificate, then itself, until it is looked at. */
  #own = new Uint8Array(CERTIFICATE_HEAD);
  #ownBytes = 0;
  #hasOwnHead = false;
  #last = CLIENT_HELLO;
  #seen = 0;
  #isVerified = false;

  constructor(serverName: string, certificate: Uint8Array) {
    this.#serverName = serverName;
    this.#certificate = certificate;
    this.#session = new Session({
      serverName,
      certificate,
      // Whose a certificate is, is looked at here.
      verify: false,
      // A session that is taken up again shows no certificate.
      cache: false,
      protocolVersion: TLS_1_2,
      tls_max_fragment_length: RECORD_BYTES,
    });
    this.#session.initiateHandshake();
  }

  /** @returns whether it is over, and has succeeded. @throws where it has failed */
  shakeHands(socket: SessionSocket): boolean {
    const session = this.#session;
    for (;;) {
      const isOver = session.handshake(socket);
      if (session.alert !== undefined) throw new Error('the TLS handshake ended in an alert');
      if (isOver) break;
      if (socket.readable === 0 && !ACTIVE.includes(session.handshakeProcess)) return false;
    }
    const isWhole = this.#isVerified && session.chosenCipher?.value[0] === ECDHE;
    if (!isWhole || !session.clientCipher || !session.serverCipher)
      throw new Error('the TLS handshake ended before the server was known');
    this.#mostBytes = MOST_RECORD_BYTES;
    return true;
  }

  read(socket: SessionSocket): Uint8Array | undefined | null {
    return this.#session.read(socket);
  }

  write(socket: SessionSocket, bytes: Uint8Array): void {
    this.#session.write(socket, bytes);
  }

  /** Looks at what the session reads, before it acts on it. @throws where that is not to be */
  watch(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#missing > 0) {
        const end = Math.min(at + this.#missing, bytes.length);
        if (this.#isPlain && this.#head[0] === HANDSHAKE) this.#messages(bytes.subarray(at, end));
        this.#missing -= end - at;
        at = end;
        continue;
      }
      this.#head[this.#headBytes++] = bytes[at++] as number;
      if (this.#headBytes < RECORD_HEAD) continue;
      this.#headBytes = 0;
      this.#missing = ((this.#head[3] as number) << 8) | (this.#head[4] as number);
      // The SDK makes room for whatever a record's head says.
      if (this.#missing > this.#mostBytes) throw new Error(`a TLS record of ${this.#missing} bytes`);
      if (this.#isPlain) this.#plainRecord(this.#head[0] as number);
    }
  }

  #plainRecord(type: number): void {
    if (type === CHANGE_CIPHER_SPEC && this.#seen === (this.#seen | NEEDED)) this.#isPlain = false;
    else if (type !== HANDSHAKE && type !== ALERT) outOfOrder();
  }

  #messages(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#messageMissing > 0) {
        const end = Math.min(at + this.#messageMissing, bytes.length);
        if (this.#last === CERTIFICATE) this.#keepOwn(bytes.subarray(at, end));
        else if (this.#last === KEY_EXCHANGE) this.#keepExchange(bytes.subarray(at, end));
        this.#messageMissing -= end - at;
        at = end;
        continue;
      }
      this.#message[this.#messageBytes++] = bytes[at++] as number;
      if (this.#messageBytes < MESSAGE_HEAD) continue;
      this.#messageBytes = 0;
      const [type = 0, high = 0, middle = 0, low = 0] = this.#message;
      if (type <= this.#last || type > HELLO_DONE || (type > CERTIFICATE && !this.#isVerified)) outOfOrder();
      if (this.#last === KEY_EXCHANGE) this.#checkExchange();
      this.#last = type;
      this.#seen |= 1 << type;
      this.#messageMissing = (high << 16) | (middle << 8) | low;
    }
  }

  /** Of a chain the first certificate is the server's own. */
  #keepOwn(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isVerified; ) {
      const own = this.#own;
      const part = bytes.subarray(at, at + own.length - this.#ownBytes);
      own.set(part, this.#ownBytes);
      at += part.length;
      this.#ownBytes += part.length;
      if (this.#ownBytes < own.length) return;
      if (this.#hasOwnHead) {
        if (!isServer(own, this.#serverName, this.#certificate))
          throw new Error(`the certificate of ${this.#serverName} is not one that is provisioned, nor signed by it`);
        this.#isVerified = true;
      }
      const [, , , high = 0, middle = 0, low = 0] = own;
      const length = this.#hasOwnHead ? 0 : (high << 16) | (middle << 8) | low;
      if (length > CERTIFICATE_BYTES) throw new Error(`a TLS certificate of ${length} bytes`);
      this.#hasOwnHead = true;
      this.#own = new Uint8Array(length);
      this.#ownBytes = 0;
    }
  }

  #keepExchange(bytes: Uint8Array): void {
    const count = Math.min(EXCHANGE_BYTES - this.#exchangeBytes, bytes.length);
    this.#exchange.set(bytes.subarray(0, count), this.#exchangeBytes);
    this.#exchangeBytes += count;
    // At once: the SDK's ECDSA does not come back from a signature of zeros.
    if (this.#exchangeBytes === EXCHANGE_BYTES) this.#checkExchange();
  }

  /** That it is signed as the device has asked for. */
  #checkExchange(): void {
    const exchange = this.#exchange;
    const isCurve = exchange[0] === NAMED_CURVE && exchange[3] === POINT_BYTES;
    if (!isCurve || exchange[EXCHANGE_BYTES - 2] !== SHA256 || exchange[EXCHANGE_BYTES - 1] !== RSA)
      throw new Error('the TLS key exchange is not signed with RSA and SHA-256');
  }
}

function outOfOrder(): never {
  throw new Error('the TLS handshake is out of order');
}
