// Stands for the SDK's `timer` inside XS.

import './sdk.ts';

export default {
  set: (callback: () => void, milliseconds: number) => sdk.setTimer(callback, milliseconds, false),
  repeat: (callback: () => void, milliseconds: number) => sdk.setTimer(callback, milliseconds, true),
  clear: (timer: number) => sdk.clearTimer(timer),
};
