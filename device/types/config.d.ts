// What a manifest's `config` says, as a module. Mirrors typings/mc/config.d.ts of the Moddable SDK 8.2; the members are those of
// this project's manifests.

declare module 'mc/config' {
  export interface UartConfig {
    readonly port: number;
    readonly receive?: number;
    readonly transmit?: number;
    readonly baud: number;
  }
  const config: {
    readonly mpcp: {
      /** Where events go. */
      readonly log: UartConfig;
      /** Where the reader is. */
      readonly reader: UartConfig;
      /** What a firmware may say of its network. */
      readonly network?: {
        /** Host of a time server; `pool.ntp.org` where left out. */
        readonly timeServer?: string;
        /** Port of the local endpoint; 80 where left out, 0 for none. */
        readonly port?: number;
        /** An MQTT broker, under TLS, whose messages on a topic say that there are new bundles: the provisioning's comes first. */
        readonly broker?: { readonly host: string; readonly port: number; readonly topic: string };
      };
    };
  };
  export default config;
}
