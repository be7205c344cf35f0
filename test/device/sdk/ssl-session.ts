// Stands for the SDK's TLS sessions, with a TLS of its own that is no secret: records and messages as they are framed, a key exchange
// that who has a certificate can sign, bytes that are turned over. Like the SDK's it says that a handshake is over when it ended in an
// alert, throws what it does not like, makes room for whatever a record says, and would go on in the clear; it takes messages in any
// order, a key exchange that says of itself that it is not signed, and data before there are keys.

const CHANGE_CIPHER_SPEC = 20;
const HANDSHAKE = 22;
const ALERT = 21;
const DATA = 23;
const SERVER_HELLO = 2;
const CERTIFICATE = 11;
const EXCHANGE = 12;
const DONE = 14;
const FINISHED = 20;
const SHA256 = 4;
const RSA = 1;
const POINT = 65;

/** A record. */
function record(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const payload = Buffer.concat(parts);
  return Uint8Array.of(type, 3, 3, payload.length >> 8, payload.length & 0xff, ...payload);
}

/** A message of a handshake. */
function message(type: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat(parts);
  return Uint8Array.of(type, 0, body.length >> 8, body.length & 0xff, ...body);
}

/** As a chain of certificates has it. */
const lengthOf = (bytes: Uint8Array) => Uint8Array.of(0, bytes.length >> 8, bytes.length & 0xff);

/** What only who has the certificate's key can make, and a test for itself. */
const signatureOf = (certificate: Uint8Array): Uint8Array => certificate.slice(-8);

/** How a key exchange is made. */
interface Exchange {
  readonly curve?: number;
  readonly point?: number;
  readonly hash?: number;
  readonly kind?: number;
  readonly signature?: Uint8Array;
}

function turned(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ 0xff);
}

/** Messages that a server sends in the clear. */
export const messages = {
  hello: (suite = 0xc0) => message(SERVER_HELLO, Uint8Array.of(suite)),
  /** A chain: its length, and each certificate with its own. */
  certificate: (...chain: readonly Uint8Array[]) => {
    const all = Buffer.concat(chain.flatMap((one) => [lengthOf(one), one]));
    return message(CERTIFICATE, lengthOf(all), all);
  },
  exchange: (certificate: Uint8Array, as: Exchange = {}) => {
    const { curve = 3, point = POINT, hash = SHA256, kind = RSA, signature = signatureOf(certificate) } = as;
    const params = Uint8Array.of(curve, 0, 23, point, ...new Uint8Array(point));
    return message(EXCHANGE, params, Uint8Array.of(hash, kind), signature);
  },
  done: () => message(DONE),
  finished: () => message(FINISHED),
  of: (type: number, length = 0) => message(type, new Uint8Array(length)),
};

/** What a server sends. */
export const server = {
  /** Messages, each in a record of its own. */
  plain: (...sent: readonly Uint8Array[]) => Buffer.concat(sent.map((one) => record(HANDSHAKE, one))),
  /** Messages in one record. */
  together: (...sent: readonly Uint8Array[]) => record(HANDSHAKE, ...sent),
  /** Hello, its certificate, the key exchange, and that it is done. */
  hello: (certificate: Uint8Array, as?: Exchange) =>
    server.plain(
      messages.hello(),
      messages.certificate(certificate),
      messages.exchange(certificate, as),
      messages.done(),
    ),
  enciphers: () => record(CHANGE_CIPHER_SPEC, Uint8Array.of(1)),
  finished: () => Buffer.concat([server.enciphers(), record(HANDSHAKE, turned(messages.finished()))]),
  alert: () => record(ALERT, Uint8Array.of(1, 0)),
  plainData: (bytes: Uint8Array) => record(DATA, bytes),
  data: (bytes: Uint8Array) => record(DATA, turned(bytes)),
};

/** What a client's records say to whoever has the key; undefined for one that is in the clear. */
export function opened(sent: readonly number[]): string {
  let text = '';
  for (let at = 0; at < sent.length; ) {
    const length = ((sent[at + 3] as number) << 8) | (sent[at + 4] as number);
    const payload = Uint8Array.from(sent.slice(at + 5, at + 5 + length));
    if (sent[at] === DATA) text += Buffer.from(turned(payload)).toString();
    at += 5 + length;
  }
  return text;
}

/** Certificates with whose keys a session has computed. */
export const computed: Uint8Array[] = [];

/** The first certificate of a chain. */
function firstOf(body: Uint8Array): ArrayBuffer {
  const [, , , high = 0, middle = 0, low = 0] = body;
  const end = 6 + ((high << 16) | (middle << 8) | low);
  if (body.length < 6 || end > body.length) throw new Error('certificate: bad data');
  return body.slice(6, end).buffer;
}

interface Socket {
  readable: number;
  writable: number;
  read(target: Uint8Array): number;
  write(packet: Uint8Array): number;
}

export default class Session {
  #head = new Uint8Array(5);
  #headBytes = 0;
  #payload: Uint8Array | undefined;
  #payloadBytes = 0;
  #data: Uint8Array | undefined;
  handshakeProcess = -1;
  alert: object | undefined;
  peerCert: ArrayBuffer | undefined;
  chosenCipher: { readonly value: readonly number[] } | undefined;
  clientCipher: object | null = null;
  serverCipher: object | null = null;

  constructor(options: { readonly cache: boolean; readonly verify: boolean }) {
    if (options.cache) throw new Error('a session that is taken up again shows no certificate');
    if (options.verify) throw new Error('what the session says of a certificate is not to be asked for');
  }

  initiateHandshake(): void {
    this.handshakeProcess = 0;
  }

  handshake(socket: Socket): boolean {
    let isOver = false;
    if (this.handshakeProcess === 0) {
      socket.write(record(HANDSHAKE, message(1)));
      this.handshakeProcess = -1;
    } else if (this.handshakeProcess === DONE) {
      this.clientCipher = {};
      socket.write(record(HANDSHAKE, message(16)));
      this.handshakeProcess = -1;
    } else if (this.handshakeProcess === FINISHED) {
      this.peerCert = undefined;
      isOver = true;
    } else {
      const got = this.#record(socket);
      if (got !== undefined) this.#take(got.type, got.payload);
    }
    return this.alert !== undefined || isOver;
  }

  #take(type: number, payload: Uint8Array): void {
    if (type === ALERT) this.alert = { level: payload[0], description: payload[1] };
    else if (type === CHANGE_CIPHER_SPEC) this.serverCipher = {};
    else if (type === DATA) this.#data = this.serverCipher === null ? payload : turned(payload);
    else if (type !== HANDSHAKE) throw new Error('recordProtocol: bad data');
    else this.#messages(this.serverCipher === null ? payload : turned(payload));
  }

  #messages(payload: Uint8Array): void {
    for (let at = 0; at < payload.length; ) {
      const [type = 0, , high = 0, low = 0] = payload.subarray(at);
      const length = (high << 8) | low;
      at += 4;
      if (at + length > payload.length) throw new Error('handshake: bad data');
      const body = payload.subarray(at, at + length);
      if (type === SERVER_HELLO) this.chosenCipher = { value: [body[0] as number, 0x2f] };
      else if (type === CERTIFICATE) this.peerCert = firstOf(body);
      else if (type === EXCHANGE) this.#exchange(body);
      else if (![0, 1, 13, DONE, 15, 16, FINISHED].includes(type)) throw new Error(`handshake: unknown type: ${type}`);
      this.handshakeProcess = type;
      at += length;
    }
  }

  #exchange(body: Uint8Array): void {
    const at = 4 + (body[3] as number);
    const [hash, kind] = body.subarray(at);
    if (hash === 0 || kind === 0) return;
    if (kind !== RSA) throw new Error('the SDK does not come back from this');
    const signature = body.subarray(at + 2);
    if (this.peerCert !== undefined) computed.push(new Uint8Array(this.peerCert));
    if (this.peerCert === undefined || Buffer.compare(signatureOf(new Uint8Array(this.peerCert)), signature) !== 0)
      throw new Error('serverKeyExchange: failed to verify signature');
  }

  read(socket: Socket): Uint8Array | undefined | null {
    if (socket.readable > 0 && this.#data === undefined) {
      const got = this.#record(socket);
      if (got === undefined) return undefined;
      if (got.type !== ALERT && got.type !== DATA) throw new Error('recordProtocol: auth failed');
      this.#take(got.type, got.payload);
      if (this.alert !== undefined) return null;
    }
    const data = this.#data;
    this.#data = undefined;
    return data;
  }

  write(socket: Socket, bytes: Uint8Array): number {
    return socket.write(record(DATA, this.clientCipher === null ? bytes : turned(bytes)));
  }

  #record(socket: Socket): { readonly type: number; readonly payload: Uint8Array } | undefined {
    if (this.#payload === undefined) {
      this.#headBytes += this.#fill(socket, this.#head, this.#headBytes);
      if (this.#headBytes < 5) return undefined;
      this.#payload = new Uint8Array(((this.#head[3] as number) << 8) | (this.#head[4] as number));
      this.#payloadBytes = 0;
    }
    this.#payloadBytes += this.#fill(socket, this.#payload, this.#payloadBytes);
    if (this.#payloadBytes < this.#payload.length) return undefined;
    const payload = this.#payload;
    this.#payload = undefined;
    this.#headBytes = 0;
    return { type: this.#head[0] as number, payload };
  }

  #fill(socket: Socket, target: Uint8Array, from: number): number {
    const count = Math.min(target.length - from, socket.readable);
    if (count <= 0) return 0;
    socket.read(target.subarray(from, from + count));
    socket.readable -= count;
    return count;
  }
}
