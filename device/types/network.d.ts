// What the firmware uses of the SDK's network. Mirrors modules/io/wifi/esp32/wifi-esp32.js, modules/io/socket/lwip/tcp.js, listener.js
// and udp.js, modules/network/net/net.js, modules/crypt/ssl/session_419.js, modules/crypt/etc/x509.js and pkcs1_5.js of the Moddable SDK 8.2.

declare module 'embedded:network/interface/wifi' {
  export default class WiFi {
    constructor(options: { onChanged(property: 'connection' | 'address'): void });
    /** @throws where it is connecting already, or cannot begin */
    connect(options: { readonly SSID: string; readonly password?: string }): void;
    disconnect(): void;
    close(): void;
    /** 500 and more: there is an address. 400: joined. Below: not joined. */
    readonly connection: number;
    readonly address: string | undefined;
  }
}

declare module 'embedded:io/socket/tcp' {
  export interface TcpCallbacks {
    /** So many bytes can be read. */
    onReadable?(bytes: number): void;
    /** It is connected, or something was sent: so many bytes can be written. */
    onWritable?(bytes: number): void;
    /** It is closed, by the other side or by a failure, and everything that came was read. */
    onError?(): void;
  }

  export default class TCP {
    /** `from` is closed by it, and what had come stays. What a callback throws ends the engine. */
    constructor(options: TcpCallbacks & ({ readonly address: string; readonly port: number } | { readonly from: TCP }));
    /** @throws where there are fewer bytes */
    read(bytes: number): ArrayBuffer;
    read(target: Uint8Array): number;
    /** @returns for how many there is room then. @throws where there is not room for all */
    write(bytes: Uint8Array): number | undefined;
    close(): void;
  }
}

declare module 'embedded:io/socket/listener' {
  import type TCP from 'embedded:io/socket/tcp';

  export default class Listener {
    constructor(options: { readonly port: number; onReadable(sockets: number): void });
    /** The next connection that was made; undefined where there is none. */
    read(): TCP | undefined;
    close(): void;
  }
}

declare module 'embedded:io/socket/udp' {
  export default class UDP {
    constructor(options: { onReadable(packets: number): void });
    read(): ArrayBuffer & { readonly address: string; readonly port: number };
    write(bytes: Uint8Array, address: string, port: number): void;
    close(): void;
  }
}

declare module 'net' {
  const Net: {
    /** Asks the name servers that the network has stated. The callback has no address where there is none. */
    resolve(host: string, callback: (host: string, address: string | undefined) => void): void;
  };
  export default Net;
}

declare module 'ssl/session' {
  /** What a session reads from and writes to. */
  export interface SessionSocket {
    readable: number;
    writable: number;
    /** Fills the target: never more than is readable. */
    read(target: Uint8Array): number;
    /** @returns for how many bytes there is room then */
    write(packet: Uint8Array | ArrayBuffer): number;
  }

  export interface SessionOptions {
    /** The name that the other side's certificate must state. */
    readonly serverName: string;
    /** In DER: trusted beside those among the image's resources. */
    readonly certificate: Uint8Array;
    /** Whether it looks at whose the other side's certificate is. */
    readonly verify: boolean;
    /** Whether sessions are taken up again, without certificates. */
    readonly cache: boolean;
    /** Bytes of a record that the other side is asked for. */
    readonly tls_max_fragment_length?: number;
    /** 0x303: TLS 1.2. */
    readonly protocolVersion: number;
  }

  /** Whatever is not as it should be is thrown, or stands in `alert`. */
  export default class Session {
    constructor(options: SessionOptions);
    initiateHandshake(): void;
    /** @returns whether it is over, also where it has come to nothing */
    handshake(socket: SessionSocket): boolean;
    /** The bytes of one record; undefined where more must come, null where the other side ends it. */
    read(socket: SessionSocket): Uint8Array | undefined | null;
    write(socket: SessionSocket, bytes: Uint8Array): number;
    /** What the other side is sent next: 0, 14 and 20 are acted on without anything to read. */
    readonly handshakeProcess: number;
    readonly alert: object | undefined;
    readonly chosenCipher: { readonly value: readonly number[] } | undefined;
    readonly clientCipher: object | null;
    readonly serverCipher: object | null;
  }
}

declare module 'x509' {
  export interface RsaKey {
    readonly modulus: bigint;
    readonly exponent: bigint;
  }

  /** Text for names (tags 1, 2 and 6), bytes for others. */
  export interface AlternativeName {
    readonly tag: number;
    readonly value: string | ArrayBuffer;
  }

  /** Everything throws at what is malformed. Certificates are in DER. */
  const X509: {
    decode(certificate: Uint8Array): {
      readonly tbs: Uint8Array;
      readonly algo: readonly number[];
      readonly sig: Uint8Array;
    };
    /** Milliseconds since 1970. */
    decodeTBS(tbs: Uint8Array): { readonly validity: { readonly from: number; readonly to: number } };
    /** Keys of other kinds have other members. */
    decodeSPKI(certificate: Uint8Array): Partial<RsaKey>;
    decodeSAN(certificate: Uint8Array): readonly AlternativeName[] | undefined;
  };
  export default X509;
}

declare module 'pkcs1_5' {
  import type { RsaKey } from 'x509';

  export default class PKCS1 {
    /** @param oid with one, whichever, it is a signature over a hash with its kind */
    constructor(key: Partial<RsaKey>, isPrivate: false, oid: readonly number[]);
    verify(hash: ArrayBuffer, signature: Uint8Array): boolean;
  }
}
