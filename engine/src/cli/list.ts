/** `reef list`: the node types that there are. */
import { parseArgs } from 'node:util';
import { nodeKinds } from '../nodes.ts';
import { installCommand } from '../spec/client-libraries.ts';
import { alignColumns } from './align-columns.ts';
import { argumentProblem } from './argument-problem.ts';
import type { CommandIo } from './command-io.ts';
import { allNodeFacts, type NodeFacts } from './node-facts.ts';
import { listUsage } from './usage.ts';

const WIDTH = 110;

/** Exit codes: 0 listed, 2 a wrong command line. */
export async function runList(args: readonly string[], io: Pick<CommandIo, 'stdout' | 'stderr'>): Promise<number> {
  let json: boolean;
  try {
    json = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } }).values.json;
  } catch (error) {
    io.stderr.write(`reef list: ${argumentProblem(error)}\nusage: ${listUsage}\n`);
    return 2;
  }
  const facts = await allNodeFacts();
  io.stdout.write(json ? `${JSON.stringify(facts, undefined, 2)}\n` : listText(facts));
  return 0;
}

/** One line for each. */
export function listText(facts: readonly NodeFacts[]): string {
  const blocks = nodeKinds.map((kind) => {
    const rows = facts
      .filter((fact) => fact.kind === kind)
      .map(({ type, summary, missing }) => [
        `  ${type}`,
        `${missing.length === 0 ? '' : '(not installed) '}${firstSentence(summary)}`,
      ]);
    return [`${kind}s:`, ...alignColumns(rows, WIDTH)].join('\n');
  });
  const lacking = facts
    .filter(({ missing }) => missing.length > 0)
    .map(({ kind, type, missing }) => `\n${kind} ${type} needs: ${installCommand(missing)}`);
  return `${blocks.join('\n\n')}\n${[...new Set(lacking)].join('')}\nreef help TYPE prints the settings of one.\n`;
}

function firstSentence(text: string): string {
  return /^.*?\.(?= |$)/s.exec(text)?.[0] ?? text;
}
