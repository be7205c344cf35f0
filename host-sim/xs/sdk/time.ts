// Stands for the SDK's `time` inside XS.

import './sdk.ts';

export default {
  get ticks(): number {
    return sdk.ticks();
  },
  set: (seconds: number) => sdk.setTime(seconds),
};
