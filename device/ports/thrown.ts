// What was thrown, in words: the SDK throws what it likes.

/** A sentence for the log. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
