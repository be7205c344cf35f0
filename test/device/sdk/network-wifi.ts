// Stands for the SDK's Wi-Fi station: a test is the access point.

/** The stations that were made, in order. */
export const stations: WiFi[] = [];

export default class WiFi {
  readonly options: { onChanged(property: 'connection' | 'address'): void };
  readonly joined: { readonly SSID: string; readonly password?: string }[] = [];
  connection = 0;
  disconnects = 0;
  /** What the next `connect` throws. */
  failure: string | undefined;

  constructor(options: WiFi['options']) {
    this.options = options;
    stations.push(this);
  }

  get address(): string | undefined {
    return this.connection >= 500 ? '10.0.0.7' : undefined;
  }

  connect(options: { readonly SSID: string; readonly password?: string }): void {
    if (this.failure !== undefined) throw new Error(this.failure);
    this.joined.push(options);
    this.connection = 300;
  }

  /** The access point lets it in, or does not any more. */
  become(connection: number): void {
    this.connection = connection;
    this.options.onChanged('connection');
  }

  disconnect(): void {
    this.disconnects++;
    this.connection = 200;
  }

  close(): void {}
}
