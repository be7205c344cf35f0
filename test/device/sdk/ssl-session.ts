// Stands for the SDK's TLS sessions, with a TLS of its own that is no secret: records as they are framed, a certificate that is
// compared, bytes that are turned over. Like the SDK's it says that a handshake is over when it ended in an alert, throws what it does
// not like, makes room for whatever a record says, and would go on in the clear.

const HANDSHAKE = 22;
const ALERT = 21;
const DATA = 23;
const CERTIFICATE = 11;
const DONE = 14;
const FINISHED = 20;

/** A record. */
function record(type: number, payload: Uint8Array): Uint8Array {
  return Uint8Array.of(type, 3, 3, payload.length >> 8, payload.length & 0xff, ...payload);
}

function turned(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ 0xff);
}

/** What a server sends. */
export const server = {
  /** Its certificate, and that it is done. */
  hello: (certificate: Uint8Array) =>
    Buffer.concat([
      record(HANDSHAKE, Uint8Array.of(CERTIFICATE, ...certificate)),
      record(HANDSHAKE, Uint8Array.of(DONE)),
    ]),
  finished: () => record(HANDSHAKE, Uint8Array.of(FINISHED)),
  alert: () => record(ALERT, Uint8Array.of(1, 0)),
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

interface Socket {
  readable: number;
  writable: number;
  read(target: Uint8Array): number;
  write(packet: Uint8Array): number;
}

export default class Session {
  readonly #certificate: Uint8Array;
  #head = new Uint8Array(5);
  #headBytes = 0;
  #payload: Uint8Array | undefined;
  #payloadBytes = 0;
  handshakeProcess = -1;
  alert: object | undefined;
  peerCert: ArrayBuffer | undefined;
  clientCipher: object | null = null;
  serverCipher: object | null = null;

  constructor(options: { readonly certificate: Uint8Array; readonly cache: boolean }) {
    if (options.cache) throw new Error('a session that is taken up again shows no certificate');
    this.#certificate = options.certificate;
  }

  initiateHandshake(): void {
    this.handshakeProcess = 0;
  }

  handshake(socket: Socket): boolean {
    let isOver = false;
    if (this.handshakeProcess === 0) {
      socket.write(record(HANDSHAKE, Uint8Array.of(1)));
      this.handshakeProcess = -1;
    } else if (this.handshakeProcess === DONE) {
      if (this.peerCert !== undefined) this.clientCipher = {};
      socket.write(record(HANDSHAKE, Uint8Array.of(16)));
      this.handshakeProcess = -1;
    } else if (this.handshakeProcess === FINISHED) {
      if (this.clientCipher !== null) this.serverCipher = {};
      this.peerCert = undefined;
      isOver = true;
    } else {
      const got = this.#record(socket);
      if (got?.type === ALERT) this.alert = { level: got.payload[0], description: got.payload[1] };
      else if (got?.type === HANDSHAKE) {
        this.handshakeProcess = got.payload[0] as number;
        if (this.handshakeProcess === CERTIFICATE) this.#verify(got.payload.subarray(1));
      } else if (got !== undefined) throw new Error('recordProtocol: bad data');
    }
    return this.alert !== undefined || isOver;
  }

  #verify(certificate: Uint8Array): void {
    if (Buffer.compare(certificate, this.#certificate) !== 0) throw new Error('certificate: auth err');
    this.peerCert = certificate.slice().buffer;
  }

  read(socket: Socket): Uint8Array | undefined | null {
    const got = this.#record(socket);
    if (got === undefined) return undefined;
    if (got.type === ALERT) return null;
    if (got.type !== DATA) throw new Error('recordProtocol: auth failed');
    return turned(got.payload);
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
