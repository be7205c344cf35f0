// Stands for the SDK's `net` inside XS: every name is this computer's, told after a moment.

import { HERE } from './sdk.ts';

export default {
  resolve(host: string, callback: (host: string, address: string | undefined) => void): void {
    sdk.setTimer(() => callback(host, HERE), 1, false);
  },
};
