// What this project's C code does for a device besides signatures (native/board.c): true random numbers, the watchdog, and the
// bootloader's question whether this firmware is good. Without native code there is none of it.

function nativeRandom(this: unknown): unknown {
  return native('xs_mpcp_random32').call(this);
}

function nativeFirmwareGood(this: unknown): unknown {
  return native('xs_mpcp_firmware_good').call(this);
}

function nativeFeed(this: unknown): unknown {
  return native('xs_mpcp_feed').call(this);
}

/** A random number of 32 bits: the chip's where there is native code, else the engine's, which the SDK seeds from it. */
export function random32(): number {
  return MPCP_NATIVE ? (nativeRandom.call(undefined) as number) >>> 0 : Math.floor(Math.random() * 2 ** 32);
}

/** From 0 up to 1, without 1. */
export function random(): number {
  return random32() / 2 ** 32;
}

/**
 * Tells the bootloader that this firmware works: after an update it goes back to the one before at the next start otherwise.
 *
 * @returns false where it could not be told
 */
export function firmwareGood(): boolean {
  return MPCP_NATIVE && nativeFirmwareGood.call(undefined) === true;
}

/** Tells the task watchdog that the device is alive, in the midst of a piece of work that is longer than an event should be. */
export function feedWatchdog(): void {
  if (MPCP_NATIVE) nativeFeed.call(undefined);
}
