// What is known to fail inside XS, by name and with the reason. The list may not go stale: what passes although it is on it,
// and what is on it and is not there any more, fails the run.

/** Reasons by name. */
export type Reasons = { readonly [name: string]: string };

/** What a list says of one result: it is open, for this reason; or it should not be on the list. */
export type Judgement = { readonly open: string } | { readonly stale: string };

/** See the head of the file. */
export class KnownFailures {
  readonly #reasons: Reasons;
  readonly #isNamed: (listed: string, name: string) => boolean;
  readonly #met = new Set<string>();

  /** @param isNamed whether an entry of the list means this test; left out, where they are the same */
  constructor(reasons: Reasons, isNamed: (listed: string, name: string) => boolean = (a, b) => a === b) {
    this.#reasons = reasons;
    this.#isNamed = isNamed;
  }

  /** What the list says of a test that ran; undefined where it says nothing. */
  judge(name: string, failed: boolean): Judgement | undefined {
    const listed = Object.keys(this.#reasons).find((one) => this.#isNamed(one, name));
    if (listed === undefined) return undefined;
    this.#met.add(listed);
    if (failed) return { open: this.#reasons[listed] as string };
    return { stale: `passes, and is still on the list of what fails ("${listed}"): take it off` };
  }

  /** What is on the list and was not met: a test that was renamed or is gone. */
  notMet(): readonly string[] {
    return Object.keys(this.#reasons)
      .filter((listed) => !this.#met.has(listed))
      .map((listed) => `"${listed}" is on the list of what fails, and no test has this name: take it off`);
  }
}
