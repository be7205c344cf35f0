// One measurement in a machine of its own: nothing first, which the runner subtracts, then the work. A collection comes before
// each, and what the work gives back is looked at afterwards.

import './host.ts';

/** Work that is ready to be done; it says what came of it in a word. */
export type Work = () => string;

function nothing(): string {
  return '';
}

/** Measures work: figures called `nothing` and `work`, and a line with what came of it. */
export function measured(work: Work): void {
  // Both are called in one place, so that what is not the work costs the same.
  for (const one of [nothing, work]) {
    host.measure();
    const outcome = one();
    host.figures(one === nothing ? 'nothing' : 'work');
    if (one !== nothing) host.print(outcome);
  }
}
