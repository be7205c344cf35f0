// What the core needs of a network: connections to servers, in the clear or under TLS. A platform brings them; nothing that a network,
// a server or who pretends to be it does is thrown into them.

/** Where to connect to, and who is told what. */
export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** For TLS: the certificate that the server's must be, or be signed by, in DER. Left out: in the clear. */
  readonly certificate?: Uint8Array;
  /** Bytes may be sent. Under TLS: it is known who is told them. */
  onOpen(): void;
  /** Not while paused. The bytes are good until it returns. */
  onBytes(bytes: Uint8Array): void;
  /** It is over: once, after everything that came; not after `close`. */
  onEnd(detail: string): void;
}

/** A connection that is made, or being made. */
export interface Connection {
  /** Sends bytes, in parts where there is no room. They must stay as they are. */
  write(bytes: Uint8Array): void;
  /** Nothing is read until `resume`: what comes stays with the network. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** Begins to make a connection. Nobody is told anything before it returns. */
export type Connect = (options: ConnectionOptions) => Connection;
