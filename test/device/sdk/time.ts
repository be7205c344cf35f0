// Stands for the SDK's time: ticks that a test moves, and what the clock was set to.

const state = { ticks: 0, set: [] as number[] };

/** Moves the ticks; they are 32 bits with a sign. */
export function setTicks(ticks: number): void {
  state.ticks = ticks | 0;
}

/** Seconds that the clock was set to. */
export function timesSet(): number[] {
  return state.set;
}

export default {
  get ticks(): number {
    return state.ticks;
  },
  set(seconds: number): void {
    state.set.push(seconds);
  },
};
