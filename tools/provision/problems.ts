// What is wrong with the files that devices are provisioned from: all of it at once, each finding with file, line and reason.

/** One thing that is wrong. */
export interface InputProblem {
  readonly file: string;
  /** From 1; left out where it is about the whole file. */
  readonly line?: number;
  readonly reason: string;
}

/** A finding in one line: `fleet.csv, line 7: …`. */
export function problemText({ file, line, reason }: InputProblem): string {
  return `${file}${line === undefined ? '' : `, line ${line}`}: ${reason}`;
}
