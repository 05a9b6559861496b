/** What `reef test` prints. */
import type { CaseResult } from './run-case.ts';

export interface FileResult {
  readonly file: string;
  readonly results: readonly CaseResult[];
  /** Rendered; nothing of such a file was run. */
  readonly problems: readonly string[];
}

/** A line for each case, and what failed below it. `updated`: the case file says what came now. */
export function caseLines(result: CaseResult, updated: boolean): string[] {
  const { name, outcome, reason, failures, seconds } = result;
  if (outcome === 'skipped') return [`  skip  ${name}: ${reason}`];
  const word = updated ? 'new ' : outcome === 'passed' ? 'ok  ' : 'FAIL';
  const head = `  ${word}  ${name} (${seconds.toFixed(2)} s)`;
  return [head, ...failures.flatMap(({ subject, lines }) => [`        ${subject}`, ...lines.map((line) => `          ${line}`)])];
}

export function summaryLine(files: readonly FileResult[], updated: number): string {
  const results = files.flatMap((file) => file.results);
  const of = (outcome: CaseResult['outcome']): number => results.filter((result) => result.outcome === outcome).length;
  const wrong = files.filter(({ problems }) => problems.length > 0).length;
  const parts = [
    `${count(of('passed'), 'case')} passed`,
    `${of('failed')} failed`,
    ...(of('skipped') > 0 ? [`${of('skipped')} skipped`] : []),
    ...(wrong > 0 ? [`${count(wrong, 'file')} wrong`] : []),
    ...(updated > 0 ? [`${count(updated, 'expectation')} updated`] : []),
  ];
  return parts.join(', ');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
