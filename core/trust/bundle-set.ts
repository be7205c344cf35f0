// A Policy Authority's answer, `{"bundles":[…]}`, cut into its bundles without building any of them.

import { JsonProblem, JsonReader } from '../json/reader.ts';
import { BUNDLE_LIMITS, BUNDLE_SET_BYTES, BUNDLES_PER_ANSWER } from '../limits.ts';

/** What an answer is read with: JsonReader where it is in memory, JsonStream where it is stored. */
export type AnswerReader = Pick<JsonReader, 'members' | 'elements' | 'span' | 'appearsTwice' | 'problem' | 'end'> & {
  discard(): unknown;
};

/** Where a bundle begins and ends. */
export type BundleRange = readonly [number, number];
export type BundleRanges = readonly BundleRange[];

/** Where each bundle of an answer begins and ends; a JsonProblem where it is not such an answer. */
export function bundleRanges(bytes: Uint8Array): BundleRanges | JsonProblem {
  return rangesFrom(() => new JsonReader(bytes, BUNDLE_LIMITS, BUNDLE_SET_BYTES));
}

/** The same with a reader that `open` puts at the answer's beginning. */
export function rangesFrom(open: () => AnswerReader): BundleRanges | JsonProblem {
  const ranges: BundleRange[] = [];
  try {
    const reader = open();
    let found = false;
    const isObject = reader.members((name) => {
      if (name !== 'bundles') {
        reader.discard();
        return;
      }
      if (found) throw reader.appearsTwice(name);
      found = reader.elements(() => {
        // Not read here: what is wrong with one bundle must not stand in the way of the others.
        ranges.push(reader.span());
        if (ranges.length > BUNDLES_PER_ANSWER)
          throw reader.problem(`more than ${BUNDLES_PER_ANSWER} bundles`, 'LIMIT_EXCEEDED');
      });
      if (!found) throw reader.problem('"bundles" is not a list');
    });
    if (!isObject || !found) throw reader.problem('the answer is not {"bundles": […]}');
    reader.end();
    return ranges;
  } catch (problem) {
    if (problem instanceof JsonProblem) return problem;
    throw problem;
  }
}
