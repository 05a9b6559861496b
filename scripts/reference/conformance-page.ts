/** The page of what the conformance suite found, a row for each source and sink, from the results that are kept beside the suite. */
import type { NodeFacts } from '../../engine/src/cli/node-facts.ts';
import { checks } from '../../engine/src/connectors/testing/conformance/checks.ts';
import { listenerChecks } from '../../engine/src/connectors/testing/conformance/listener-checks.ts';
import {
  type Kind,
  type Result,
  type Results,
  readResults,
  variantsOf,
} from '../../engine/src/connectors/testing/conformance/results.ts';
import { MARK, pagePath, table } from './page.ts';

interface Found {
  readonly facts: NodeFacts;
  readonly name: string;
  readonly results: Results;
}

export function conformancePage(all: readonly NodeFacts[]): string {
  const names = Object.keys(checks);
  const parts = (['source', 'sink'] as const).flatMap((kind) => {
    const ofKind = all.filter((facts) => facts.kind === kind);
    const has = ({ type }: NodeFacts): boolean => readResults({ kind, type }) !== undefined;
    // One declaration under two names goes through the suite once.
    const twinOf = (facts: NodeFacts): string | undefined =>
      has(facts)
        ? undefined
        : ofKind.find((other) => has(other) && other.type !== facts.type && other.summary === facts.summary)?.type;
    const found = ofKind.filter((facts) => twinOf(facts) === undefined).flatMap((facts) => foundOf(kind, facts));
    const also = ofKind.flatMap((facts) => {
      const twin = twinOf(facts);
      return twin === undefined ? [] : [`${facts.type}: another name of ${twin}; it was run against the server of that only.`];
    });
    return [`## ${kind === 'source' ? 'Sources' : 'Sinks'}`, ...tableOf(names, found), ...also];
  });
  const listeners = all
    .filter(({ kind }) => kind === 'source')
    .flatMap((facts) => foundOf('listener', facts))
    .filter(({ results }) => Object.keys(results).length > 0);
  const intro =
    'Every source and sink goes through one suite, against a real server where it speaks to one, as a real `reef` process that is stopped and killed. **yes**: seen to hold; – does not apply, and why is said below; **no**: does not hold yet; ? not run.';
  const how =
    'The results are kept by `node scripts/make-conformance.ts`. A run of the suite that finds something else fails. REEF_CONFORMANCE_KILLS says how often the process is killed.';
  return [
    MARK,
    '# What the conformance suite found',
    intro,
    meanings(checks),
    ...parts,
    '## Who gets in',
    'Sources that listen are also asked what strangers can do to them.',
    meanings(listenerChecks),
    ...tableOf(Object.keys(listenerChecks), listeners),
    '## How',
    how,
    '',
  ].join('\n\n');
}

/** The usual way of using it, and others that have results of their own. */
function foundOf(kind: Kind, facts: NodeFacts): Found[] {
  const { type } = facts;
  return [undefined, ...variantsOf({ kind, type })].map((variant) => ({
    facts,
    name: variant === undefined ? type : `${type} (${variant})`,
    results: readResults({ kind, type, variant }) ?? {},
  }));
}

function meanings(of: Readonly<Record<string, string>>): string {
  return Object.entries(of)
    .map(([name, sentence]) => `- **${name}**: ${sentence}`)
    .join('\n');
}

function tableOf(names: readonly string[], found: readonly Found[]): string[] {
  const rows = found.map(({ facts, name, results }) => [
    `[${name}](${pagePath(facts)})`,
    ...names.map((check) => mark(results[check])),
  ]);
  return [table(['', ...names], rows), ...found.flatMap((each) => reasons(names, each))];
}

function mark(result: Result | undefined): string {
  if (result === undefined) return '?';
  if (result === true) return 'yes';
  return result.startsWith('Fails:') ? '**no**' : '–';
}

/** Checks with the same sentence stand together. */
function reasons(names: readonly string[], { name, results }: Found): string[] {
  const sentences = Map.groupBy(
    names.filter((check) => typeof results[check] === 'string'),
    (check) => results[check] as string,
  );
  if (sentences.size === 0) return [];
  const lines = Array.from(sentences, ([sentence, which]) => `${which.join(', ')}: ${sentence}`);
  return [`${name}: ${lines.map((line) => `*${line.slice(0, line.indexOf(':'))}*${line.slice(line.indexOf(':'))}`).join(' ')}`];
}
