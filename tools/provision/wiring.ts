// What is wrong with a wiring, all of it at once, in the names of the file that it stands in: the columns of a fleet file, or the
// members of a policy.

import type { Wiring } from '../../core/provisioning/provisioning.ts';
import { type Board, boardPinProblem } from './board-pins.ts';

/** What has a pin, and whether the device drives it. */
const PINS = Object.freeze({ relay: true, meter: false, stop: false, led: true, buzzer: true } as const);
export type WiredPart = keyof typeof PINS;
export const WIRED_PARTS = Object.freeze(Object.keys(PINS)) as readonly WiredPart[];

/**
 * Everything that is wrong with pins that are numbers from 0 to 48.
 *
 * @param board left out, pins are not held against a chip
 * @param name how the file calls a part's pin
 */
export function wiringFaults(
  wiring: Partial<Pick<Wiring, 'kind' | WiredPart>>,
  board: Board | undefined,
  name: (part: WiredPart) => string,
): string[] {
  const faults: string[] = [];
  const users = new Map<number, WiredPart>();
  for (const part of WIRED_PARTS) {
    const pin = wiring[part];
    if (pin === undefined) continue;
    const other = users.get(pin);
    if (other === undefined) users.set(pin, part);
    else faults.push(`${name(other)} and ${name(part)} are both on pin ${pin}`);
    const wrong = board === undefined ? undefined : boardPinProblem(board, pin, PINS[part]);
    if (wrong !== undefined) faults.push(`${name(part)} ${pin}: ${wrong}`);
  }
  return faults;
}
