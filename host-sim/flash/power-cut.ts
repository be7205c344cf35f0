// What a simulated machine throws when its power goes away. It is no FlashError: a program that loses power does not
// get to handle it, so nothing in the core may catch it.

/** The power is gone. Everything that needs power throws this until it is started again. */
export class PowerCut extends Error {
  override name = 'PowerCut';
}
