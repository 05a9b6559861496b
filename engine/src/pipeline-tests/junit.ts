/** The results in the form that build servers read. */
import type { FileResult } from './report.ts';

export function junitXml(files: readonly FileResult[]): string {
  const suites = files.map(suite).join('');
  const all = files.flatMap(({ results }) => results);
  const failures = all.filter(({ outcome }) => outcome === 'failed').length;
  const errors = files.filter(({ problems }) => problems.length > 0).length;
  const counts = `tests="${all.length + errors}" failures="${failures}" errors="${errors}" time="${seconds(all)}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="reef test" ${counts}>\n${suites}</testsuites>\n`;
}

function suite({ file, results, problems }: FileResult): string {
  const failed = results.filter(({ outcome }) => outcome === 'failed').length;
  const skipped = results.filter(({ outcome }) => outcome === 'skipped').length;
  const wrong = problems.length > 0 ? 1 : 0;
  const counts = `tests="${results.length + wrong}" failures="${failed}" errors="${wrong}" skipped="${skipped}"`;
  const cases = results.map(({ name, outcome, reason, failures, seconds: time }) => {
    const head = `    <testcase classname="${escaped(file)}" name="${escaped(name)}" time="${time.toFixed(3)}"`;
    if (outcome === 'passed') return `${head}/>\n`;
    if (outcome === 'skipped') return `${head}>\n      <skipped message="${escaped(reason ?? '')}"/>\n    </testcase>\n`;
    const message = failures.map(({ subject }) => subject).join(', ');
    const lines = failures.flatMap(({ subject, lines: text }) => [subject, ...text.map((line) => `  ${line}`)]);
    return `${head}>\n      <failure message="${escaped(message)}">${escaped(lines.join('\n'))}</failure>\n    </testcase>\n`;
  });
  if (wrong) {
    const text = escaped(problems.join('\n'));
    cases.push(
      `    <testcase classname="${escaped(file)}" name="the file"><error message="it is wrong">${text}</error></testcase>\n`,
    );
  }
  return `  <testsuite name="${escaped(file)}" ${counts} time="${seconds(results)}">\n${cases.join('')}  </testsuite>\n`;
}

function seconds(results: FileResult['results']): string {
  return results.reduce((sum, result) => sum + result.seconds, 0).toFixed(3);
}

const entities: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;', "'": '&apos;' };

/** Characters that XML 1.0 cannot hold are replaced. */
function escaped(text: string): string {
  return (
    text
      .toWellFormed()
      .replace(/[<>&"']/g, (letter) => entities[letter]!)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
  );
}
