// How verdicts are shown: one line, with --explain below a table of every check, with --json as a document.

import type { TraceEntry } from '../../core/chain/chain.ts';
import { describeCode, type Refusal } from '../../core/reason-codes.ts';
import { timeText } from '../issue/duration.ts';
import { type Io, printable, UsageError } from './io.ts';
import { tableText } from './table.ts';
import type { AdmittedFile, ReadyVerifier } from './verify-options.ts';

/** `CODE artifact check: detail`, on one line. */
export function refusalText(refusal: Refusal): string {
  return printable(`refused ${refusal.code} ${refusal.artifact} ${refusal.check}: ${refusal.detail}`);
}

type Shown = ({ readonly ok: true } | Refusal) & { readonly trace?: readonly TraceEntry[] };

/** Shows a verdict: one word or one line, with `--explain` below a table of every check. A refusal makes the exit code 1. */
export function showVerdict(io: Io, verdict: Shown, ready: ReadyVerifier, explain: boolean): void {
  // What is asked for comes from options here: what cannot be read there is a wrong call, no verdict on an artifact.
  if (!verdict.ok && verdict.check === 'request.read' && verdict.code === 'ARTIFACT_INVALID') {
    throw new UsageError(`what is asked for: ${verdict.detail.replace('amountMinor', '--amount')}`);
  }
  for (const note of notesOn(ready)) io.note(note);
  const now = ready.verifier.now();
  const text = verdict.ok ? 'accepted' : refusalText(verdict);
  const document = {
    ...verdict,
    ...(verdict.ok ? {} : { meaning: describeCode(verdict.code) }),
    ...(typeof now === 'number' ? { now: timeText(now) } : {}),
    bundles: ready.bundles.map(bundleDocument),
  };
  io.result(document, explain ? `${explainTable(verdict, ready)}\n\n${text}` : text);
  if (!verdict.ok) io.fail();
}

/** What should be said besides the verdict: bundles that are not there, and a time that is not the one asked for. */
function notesOn({ verifier, bundles, askedNowMs }: ReadyVerifier): readonly string[] {
  const notes = bundles.flatMap(({ name, admission }) =>
    admission.ok ? [] : [`note: bundle ${printable(name)} is not used: ${refusalText(admission)}`],
  );
  const now = verifier.now();
  if (askedNowMs !== undefined && typeof now === 'number' && now > askedNowMs) {
    notes.push(`note: a bundle was issued after --now, so it is at least ${timeText(now)}`);
  }
  return notes;
}

function explainTable(verdict: Shown, { bundles }: ReadyVerifier): string {
  const rows = bundles.map(({ name, admission }) =>
    admission.ok
      ? ['trustBundle', 'admission', 'pass', '', 'INTEROP §3 Bundle admission', name]
      : [
          'trustBundle',
          rule(admission.check),
          'fail',
          admission.code,
          'INTEROP §3 Bundle admission',
          `${name}: ${admission.detail}`,
        ],
  );
  // Where the artifacts could not even be read there is no chain to show, only what stopped it.
  if (verdict.trace === undefined && !verdict.ok)
    rows.push([verdict.artifact, rule(verdict.check), 'fail', verdict.code, '', verdict.detail]);
  for (const line of verdict.trace ?? []) {
    rows.push([line.artifact, rule(line.check), line.verdict, line.code ?? '', line.clause, line.detail ?? '']);
  }
  return tableText(['artifact', 'check', 'verdict', 'code', 'clause', 'detail'], rows);
}

/** The rule of a check's name; the artifact stands in a column of its own. */
function rule(check: string): string {
  return check.slice(check.indexOf('.') + 1);
}

/** A bundle's admission as JSON. */
export function bundleDocument({ name, admission }: AdmittedFile) {
  if (!admission.ok) return { name, ...admission, meaning: describeCode(admission.code) };
  const { bundleId, bundleIssuer, bundleKeyId, expiresAtMs } = admission.bundle;
  return { name, ok: true, bundleId, bundleIssuer, bundleKeyId, expiresAt: timeText(expiresAtMs) };
}
