// What a device of a fleet takes: `sim fleet` with fleets of several sizes, each in a process of its own, and how much more a device
// of the largest takes than one of the smallest.

/** In how much a fleet of ten thousand devices runs its day, on two processors. */
export const FLEET_SECONDS = 600;
export const FLEET_BYTES = 2 * 1024 ** 3;
/** How much more a device of a larger fleet may take. */
export const FLEET_SPREAD = 0.2;

/** A fleet that has run, as `sim fleet --json` tells of it. */
export interface FleetFigures {
  readonly devices: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly peakBytes: number;
  readonly cpuMsPerDevice: number;
  readonly heldBytesPerDevice: number;
  readonly result: { readonly payments: number; readonly approved: number; readonly acknowledged: number };
}

/** What the fleets came to together. */
export interface FleetBench {
  readonly fleets: readonly FleetFigures[];
  /** What a device of the last takes, over what one of the first does. */
  readonly cpuRatio: number;
  readonly memoryRatio: number;
  /** What was missed, a sentence each. */
  readonly missed: readonly string[];
}

/** @param fleets from the smallest to the largest */
export function judged(fleets: readonly FleetFigures[]): FleetBench {
  const [first, last] = [fleets[0], fleets.at(-1)] as [FleetFigures, FleetFigures];
  const cpuRatio = last.cpuMsPerDevice / first.cpuMsPerDevice;
  const memoryRatio = last.heldBytesPerDevice / first.heldBytesPerDevice;
  const missed: string[] = [];
  for (const { devices, seconds, peakBytes, result } of fleets) {
    if (seconds > FLEET_SECONDS)
      missed.push(`${devices} devices took ${seconds.toFixed(0)} s, ${FLEET_SECONDS} are allowed`);
    if (peakBytes > FLEET_BYTES)
      missed.push(`${devices} devices took ${peakBytes} bytes of memory, ${FLEET_BYTES} are allowed`);
    if (result.acknowledged !== result.approved || result.approved === 0)
      missed.push(
        `${devices} devices approved ${result.approved} payments, ${result.acknowledged} are at the operator`,
      );
  }
  for (const [what, ratio] of [
    ['processor time', cpuRatio],
    ['memory', memoryRatio],
  ] as const)
    if (ratio > 1 + FLEET_SPREAD)
      missed.push(
        `a device takes ${ratio.toFixed(2)} times the ${what} among ${last.devices} that it takes among ${first.devices}, ${1 + FLEET_SPREAD} times is allowed`,
      );
  return { fleets, cpuRatio, memoryRatio, missed };
}
