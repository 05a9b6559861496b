import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const engine = new URL('../../dist/index.js', import.meta.url);

/** Writes a user's function module whose `apply` has the given body (with `batch`); it reads and writes the given columns. `state`: statements run at opening, for functions that keep state by partition. */
export function writeFunction(
  folder: string,
  name: string,
  body: string,
  reads: readonly string[] = [],
  writes: readonly string[] = [],
  state = '',
): string {
  const text = `import { batchFunction } from '${engine}';
export default batchFunction({
  summary: 'Made by a test.',
  settings: {},
  examples: [],
  reads: () => ${JSON.stringify(reads)},
  writes: () => ${JSON.stringify(writes.map((column) => ({ name: column, type: 'any' })))},
  tables: () => ['left', 'right'],
  ${state ? "state: 'partition'," : ''}
  open: () => { ${state}; return { apply(batch) { ${body} } }; },
});
`;
  writeFileSync(join(folder, name), text);
  return `./${name}`;
}
