// Public JSON data through the reader and the canonical form: nst/JSONTestSuite and the JCS samples.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../../core/json/canonical.ts';
import { JsonProblem, readJson } from '../../../core/json/reader.ts';
import type { JsonValue } from '../../../core/json/value.ts';
import { BUNDLE_LIMITS } from '../../../core/limits.ts';
import { thirdParty } from '../../vectors/third-party.ts';

const suite = thirdParty('json-test-suite');
const jcs = thirdParty('jcs');

/** What the suite leaves open, and what this reader does: the value, or the code. */
const OPEN: Readonly<Record<string, unknown>> = {
  // Below the smallest double is zero; beyond the largest is refused.
  'i_number_double_huge_neg_exp.json': [0],
  'i_number_real_underflow.json': [0],
  'i_number_huge_exp.json': 'ARTIFACT_INVALID',
  'i_number_neg_int_huge_exp.json': 'ARTIFACT_INVALID',
  'i_number_pos_double_huge_exp.json': 'ARTIFACT_INVALID',
  'i_number_real_neg_overflow.json': 'ARTIFACT_INVALID',
  'i_number_real_pos_overflow.json': 'ARTIFACT_INVALID',
  // Digits that a double does not hold are rounded.
  'i_number_too_big_neg_int.json': [-1.2312312312312312e29],
  'i_number_too_big_pos_int.json': [1e20],
  'i_number_very_big_negative_int.json': [-2.374623746732769e47],
  // Text that has no UTF-8 form, or bytes that are none, are refused.
  'i_object_key_lone_2nd_surrogate.json': 'ARTIFACT_INVALID',
  'i_string_1st_surrogate_but_2nd_missing.json': 'ARTIFACT_INVALID',
  'i_string_1st_valid_surrogate_2nd_invalid.json': 'ARTIFACT_INVALID',
  'i_string_UTF-16LE_with_BOM.json': 'ARTIFACT_INVALID',
  'i_string_UTF-8_invalid_sequence.json': 'ARTIFACT_INVALID',
  'i_string_UTF8_surrogate_U+D800.json': 'ARTIFACT_INVALID',
  'i_string_incomplete_surrogate_and_escape_valid.json': 'ARTIFACT_INVALID',
  'i_string_incomplete_surrogate_pair.json': 'ARTIFACT_INVALID',
  'i_string_incomplete_surrogates_escape_valid.json': 'ARTIFACT_INVALID',
  'i_string_invalid_lonely_surrogate.json': 'ARTIFACT_INVALID',
  'i_string_invalid_surrogate.json': 'ARTIFACT_INVALID',
  'i_string_invalid_utf-8.json': 'ARTIFACT_INVALID',
  'i_string_inverted_surrogates_U+1D11E.json': 'ARTIFACT_INVALID',
  'i_string_iso_latin_1.json': 'ARTIFACT_INVALID',
  'i_string_lone_second_surrogate.json': 'ARTIFACT_INVALID',
  'i_string_lone_utf8_continuation_byte.json': 'ARTIFACT_INVALID',
  'i_string_not_in_unicode_range.json': 'ARTIFACT_INVALID',
  'i_string_overlong_sequence_2_bytes.json': 'ARTIFACT_INVALID',
  'i_string_overlong_sequence_6_bytes.json': 'ARTIFACT_INVALID',
  'i_string_overlong_sequence_6_bytes_null.json': 'ARTIFACT_INVALID',
  'i_string_truncated-utf-8.json': 'ARTIFACT_INVALID',
  'i_string_utf16BE_no_BOM.json': 'ARTIFACT_INVALID',
  'i_string_utf16LE_no_BOM.json': 'ARTIFACT_INVALID',
  'i_structure_UTF-8_BOM_empty_object.json': 'ARTIFACT_INVALID',
  // Deeper than an artifact may be.
  'i_structure_500_nested_arrays.json': 'LIMIT_EXCEEDED',
};

/** Valid by the grammar, refused here. */
const DUPLICATES = ['y_object_duplicated_key.json', 'y_object_duplicated_key_and_value.json'];

function outcome(path: string): JsonValue | string {
  const value = readJson(readFileSync(path), BUNDLE_LIMITS);
  return value instanceof JsonProblem ? value.code : value;
}

describe.skipIf(suite === undefined)('JSONTestSuite (skipped without third-party data)', () => {
  const folder = join(suite ?? '', 'test_parsing');
  const files = suite === undefined ? [] : readdirSync(folder);
  const named = (prefix: string) => files.filter((name) => name.startsWith(prefix));

  it('is all there', () => {
    expect([named('n_').length, named('y_').length, named('i_').length]).toEqual([188, 95, 35]);
  });

  it.each(named('n_'))('refuses %s', (name) => {
    expect(outcome(join(folder, name))).toMatch(/^(ARTIFACT_INVALID|LIMIT_EXCEEDED)$/);
  });

  it.each(named('y_').filter((name) => !DUPLICATES.includes(name)))('reads %s', (name) => {
    expect(outcome(join(folder, name))).toEqual(JSON.parse(readFileSync(join(folder, name), 'utf8')));
  });

  it.each(DUPLICATES)('refuses %s: duplicate member names', (name) => {
    expect(outcome(join(folder, name))).toBe('ARTIFACT_INVALID');
  });

  it.each(named('i_'))('does what is written down with %s', (name) => {
    expect(Object.keys(OPEN)).toContain(name);
    expect(outcome(join(folder, name))).toEqual(OPEN[name]);
  });
});

describe.skipIf(jcs === undefined)('JCS samples (skipped without third-party data)', () => {
  const folder = jcs ?? '';
  const files = jcs === undefined ? [] : readdirSync(join(folder, 'input'));

  it('is all there', () => {
    expect(files).toHaveLength(6);
  });

  it.each(files)('%s has the canonical text of JCS, its null members left out', (name) => {
    const value = readJson(readFileSync(join(folder, 'input', name)), BUNDLE_LIMITS) as JsonValue;
    const theirs = readFileSync(join(folder, 'output', name), 'utf8');
    // JCS keeps null members and MPCP leaves them out; no sample has a string that looks like one.
    expect(canonicalText(value)).toBe(theirs.replaceAll(/"[^"\\]*":null,|,?"[^"\\]*":null(?=})/g, ''));
  });
});
