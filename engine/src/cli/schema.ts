/** `reef schema`: the JSON Schema of punchlines, for editors. */
import { parseArgs } from 'node:util';
import { argumentProblem } from './argument-problem.ts';
import type { CommandIo } from './command-io.ts';
import { punchlineSchema } from './punchline-schema.ts';
import { schemaUsage } from './usage.ts';

/** Exit codes: 0 printed, 2 a wrong command line. */
export async function runSchema(args: readonly string[], io: Pick<CommandIo, 'stdout' | 'stderr'>): Promise<number> {
  try {
    parseArgs({ args: [...args], options: {} });
  } catch (error) {
    io.stderr.write(`reef schema: ${argumentProblem(error)}\nusage: ${schemaUsage}\n`);
    return 2;
  }
  io.stdout.write(`${JSON.stringify(await punchlineSchema(), undefined, 2)}\n`);
  return 0;
}
