// Stands for `embedded:io/socket/udp` inside XS: one socket, to the time server that the run has named.

import { HERE } from './sdk.ts';

const TIME_PORT = 123;

export default class UDP {
  constructor({ onReadable }: { onReadable(packets: number): void }) {
    sdk.openUdp(onReadable);
  }

  read(): ArrayBuffer & { readonly address: string; readonly port: number } {
    return Object.assign(sdk.readUdp(), { address: HERE, port: TIME_PORT });
  }

  write(bytes: Uint8Array, address: string, port: number): void {
    sdk.writeUdp(bytes, address, port);
  }

  close(): void {
    sdk.closeUdp();
  }
}
