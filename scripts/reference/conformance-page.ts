/** The page of what the conformance suite found, a row for each source and sink, from the results that are kept beside the suite. */
import type { NodeFacts } from '../../engine/src/cli/node-facts.ts';
import { type Check, checks } from '../../engine/src/connectors/testing/conformance/checks.ts';
import { type Results, readResults } from '../../engine/src/connectors/testing/conformance/results.ts';
import { MARK, pagePath, table } from './page.ts';

const names = Object.keys(checks) as Check[];

export function conformancePage(all: readonly NodeFacts[]): string {
  const parts = (['source', 'sink'] as const).flatMap((kind) => {
    const ofKind = all.filter((facts) => facts.kind === kind).map((facts) => ({ facts, results: readResults(kind, facts.type) }));
    // One declaration under two names goes through the suite once.
    const twinOf = ({ type, summary }: NodeFacts): string | undefined =>
      ofKind.find(({ facts, results }) => results && facts.type !== type && facts.summary === summary)?.facts.type;
    const twins = ofKind.flatMap(({ facts, results }) => {
      const twin = results ? undefined : twinOf(facts);
      return twin === undefined ? [] : [{ facts, twin }];
    });
    const found = ofKind
      .filter(({ facts }) => !twins.some((twin) => twin.facts === facts))
      .map(({ facts, results = {} }) => ({ facts, results }));
    const rows = found.map(({ facts, results }) => [
      `[${facts.type}](${pagePath(facts)})`,
      ...names.map((name) => mark(results[name])),
    ]);
    const also = twins.map(
      ({ facts, twin }) => `${facts.type}: another name of ${twin}; it was run against the server of that only.`,
    );
    return [`## ${kind === 'source' ? 'Sources' : 'Sinks'}`, table(['', ...names], rows), ...found.flatMap(reasons), ...also];
  });
  const intro =
    'Every source and sink goes through one suite, against a real server where it speaks to one, as a real `reef` process that is stopped and killed. **yes**: seen to hold; – does not apply, and why is said below; **no**: does not hold yet; ? not run.';
  const how =
    'The results are kept by `node scripts/make-conformance.ts`. A run of the suite that finds something else fails. REEF_CONFORMANCE_KILLS says how often the process is killed.';
  const meaning = names.map((name) => `- **${name}**: ${checks[name]}`).join('\n');
  return [MARK, '# What the conformance suite found', intro, meaning, ...parts, '## How', how, ''].join('\n\n');
}

function mark(result: Results[Check]): string {
  if (result === undefined) return '?';
  if (result === true) return 'yes';
  return result.startsWith('Fails:') ? '**no**' : '–';
}

/** Checks with the same sentence stand together. */
function reasons({ facts, results }: { readonly facts: NodeFacts; readonly results: Results }): string[] {
  const sentences = Map.groupBy(
    names.filter((name) => typeof results[name] === 'string'),
    (name) => results[name] as string,
  );
  if (sentences.size === 0) return [];
  const lines = Array.from(sentences, ([sentence, which]) => `${which.join(', ')}: ${sentence}`);
  return [
    `${facts.type}: ${lines.map((line) => `*${line.slice(0, line.indexOf(':'))}*${line.slice(line.indexOf(':'))}`).join(' ')}`,
  ];
}
