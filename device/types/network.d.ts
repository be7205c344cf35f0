// What the firmware uses of the SDK's network. Mirrors modules/io/wifi/esp32/wifi-esp32.js, examples/io/tcp/httpclient/httpclient.js,
// examples/io/tcp/tlssocket/tlssocket.js, examples/io/listener/httpserver/httpserver.js, examples/io/tcp/mqttclient/mqttclient.js and
// modules/network/sntp/sntp.js of the Moddable SDK 8.2.

declare module 'embedded:network/interface/wifi' {
  export default class WiFi {
    constructor(options: { onChanged(property: 'connection' | 'address'): void });
    connect(options: { readonly SSID: string; readonly password?: string }): void;
    disconnect(): void;
    close(): void;
    /** 500 and more: there is an address. 400: joined. Below: not joined. */
    readonly connection: number;
    readonly address: string | undefined;
  }
}

declare module 'embedded:io/socket/tcp' {
  export default class TCP {
    private constructor();
  }
}

declare module 'embedded:io/socket/tcp/tls' {
  export default class TLSSocket {
    private constructor();
  }
}

declare module 'embedded:io/socket/listener' {
  export default class Listener {
    private constructor();
  }
}

declare module 'embedded:io/socket/udp' {
  export default class UDP {
    private constructor();
  }
}

declare module 'embedded:network/dns/resolver/udp' {
  export default class Resolver {
    private constructor();
  }
}

declare module 'embedded:network/http/client' {
  /** How the client makes its connections: a socket's class, and what is passed to it. */
  export interface HttpClientOptions {
    readonly host: string;
    readonly port: number;
    readonly dns: object;
    readonly socket: object;
    onError?(error: unknown): void;
  }

  export interface HttpClientRequest {
    read(byteLength: number): ArrayBuffer | undefined;
    /** Bytes of the body; without them it ends. */
    write(bytes?: Uint8Array): void;
  }

  export interface HttpClientRequestOptions {
    readonly method: 'GET' | 'POST';
    readonly path: string;
    readonly headers: ReadonlyMap<string, string>;
    onHeaders(this: HttpClientRequest, status: number, headers: ReadonlyMap<string, string>): void;
    onReadable(this: HttpClientRequest, bytes: number): void;
    onWritable?(this: HttpClientRequest, bytes: number): void;
    /** Called at the end of each request; with an error where it did not succeed. */
    onDone(this: HttpClientRequest, error: unknown): void;
  }

  export default class HTTPClient {
    constructor(options: HttpClientOptions);
    request(options: HttpClientRequestOptions): HttpClientRequest;
    close(): void;
  }
}

declare module 'embedded:network/http/server' {
  export interface HttpServerRequest {
    readonly method: string;
    readonly path: string;
    readonly headers: ReadonlyMap<string, string>;
  }

  export interface HttpServerRoute {
    onRequest(this: HttpServerConnection, request: HttpServerRequest): void;
    onReadable(this: HttpServerConnection, bytes: number): void;
    onResponse(this: HttpServerConnection): void;
    onWritable(this: HttpServerConnection, bytes: number): void;
    onDone?(this: HttpServerConnection): void;
    onError?(this: HttpServerConnection): void;
  }

  export interface HttpServerConnection {
    accept(route: HttpServerRoute): void;
    respond(response: { readonly status: number; readonly headers: ReadonlyMap<string, string | number> }): void;
    read(bytes: number): ArrayBuffer | undefined;
    /** Bytes of the body; without them it ends. */
    write(bytes?: Uint8Array): number;
    close(): void;
  }

  export default class HTTPServer {
    constructor(options: {
      readonly io: object;
      readonly port: number;
      onConnect(connection: HttpServerConnection): void;
    });
    close(): void;
  }
}

declare module 'embedded:network/mqtt/client' {
  export interface MqttOptions {
    readonly host: string;
    readonly port: number;
    readonly id: string;
    readonly clean: boolean;
    /** In milliseconds. */
    readonly keepAlive: number;
    readonly dns: object;
    readonly socket: object;
    onReadable(this: MQTTClient, count: number, options: { readonly more: boolean; readonly topic?: string }): void;
    onControl(this: MQTTClient, opcode: number): void;
    onClose(this: MQTTClient): void;
    onError(this: MQTTClient): void;
  }

  export default class MQTTClient {
    static readonly CONNACK: number;
    static readonly SUBSCRIBE: number;
    constructor(options: MqttOptions);
    read(count: number): ArrayBuffer;
    write(
      data: undefined,
      options: {
        readonly operation: number;
        readonly id: number;
        readonly items: readonly { topic: string; QoS: number }[];
      },
    ): void;
    close(): void;
  }
}

declare module 'sntp' {
  export default class SNTP {
    static readonly time: number;
    static readonly error: number;
    constructor(options: { readonly host: string }, callback: (message: number, value?: number) => void);
    close(): void;
  }
}
