// A button on a pin: a contact to ground. It is pressed where it is still down a moment after it closed; what is shorter is noise.

import Digital from 'embedded:io/digital';
import Timer from 'timer';

const STILL_MS = 30;

/** Calls `pressed` at each press from now on. @throws where the chip has no such pin, or it is taken */
export function openButton(pin: number, pressed: () => void): void {
  let isAsked = false;
  const digital: Digital = new Digital({
    pin,
    mode: Digital.InputPullUp,
    edge: Digital.Falling,
    onReadable: () => {
      // It bounces.
      if (isAsked) return;
      isAsked = true;
      Timer.set(() => {
        isAsked = false;
        if (digital.read() === 0) pressed();
      }, STILL_MS);
    },
  });
}
