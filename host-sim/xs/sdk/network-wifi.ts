// Stands for `embedded:network/interface/wifi` inside XS: an access point that is there while the run says so.

import { HERE } from './sdk.ts';

const JOINED = 500;
const AWAY = 200;

export default class WiFi {
  #hasJoined = false;

  constructor({ onChanged }: { onChanged(property: 'connection'): void }) {
    sdk.watchLink(() => onChanged('connection'));
  }

  connect(): void {
    this.#hasJoined = true;
  }

  disconnect(): void {
    this.#hasJoined = false;
  }

  get connection(): number {
    return !this.#hasJoined ? 0 : sdk.linkUp() ? JOINED : AWAY;
  }

  get address(): string | undefined {
    return this.connection === JOINED ? HERE : undefined;
  }

  close(): void {}
}
