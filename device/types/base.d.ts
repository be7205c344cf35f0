// What the firmware uses of the SDK's digests, time and timers. Mirrors modules/crypt/digest/crypt.js, modules/base/time/time.js and
// modules/base/timer/timer.js of the Moddable SDK 8.2.

declare module 'crypt' {
  export class Digest {
    constructor(type: 'SHA256' | 'SHA512');
    /** Text counts up to its first U+0000, which the engine keeps as two bytes. */
    write(data: Uint8Array | string): void;
    /** Finishes. */
    close(): ArrayBuffer;
  }
}

declare module 'time' {
  const Time: {
    /** Milliseconds since some moment, in 32 bits: they begin anew after 49.7 days, and may be below zero. */
    readonly ticks: number;
    /** Sets the clock, in seconds since 1970. */
    set(seconds: number): void;
  };
  export default Time;
}

declare module 'timer' {
  export interface TimerHandle {
    readonly timer: never;
  }
  const Timer: {
    /** Calls once, after so many milliseconds. */
    set(callback: () => void, milliseconds: number): TimerHandle;
    /** Calls again and again. */
    repeat(callback: () => void, milliseconds: number): TimerHandle;
    clear(timer: TimerHandle): void;
  };
  export default Timer;
}
