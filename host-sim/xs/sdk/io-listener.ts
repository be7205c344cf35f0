// Stands for `embedded:io/socket/listener` inside XS: a port of this computer that is free, whichever is asked for.

import TCP from './io-tcp.ts';

export default class Listener {
  constructor({ onReadable }: { onReadable(sockets: number): void }) {
    sdk.listenTcp(onReadable);
  }

  read(): TCP | undefined {
    const accepted = sdk.acceptTcp();
    return accepted === undefined ? undefined : new TCP({ accepted });
  }

  close(): void {
    sdk.unlistenTcp();
  }
}
