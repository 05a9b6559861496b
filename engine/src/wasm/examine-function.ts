/** What `reef check` says of a wasm node: found and rewritten as for a run, but nothing of it is run. */
import { resolveModule } from './artifacts/resolve-module.ts';
import { loadFunctionModule } from './function-module.ts';
import type { LoadOptions, OpenFunctionOptions } from './open-function.ts';

export type ExamineOptions = Pick<LoadOptions, 'reference' | 'function'> &
  Pick<OpenFunctionOptions, 'format' | 'columns' | 'limits' | 'grants'>;

const PAGE_BYTES = 65_536;
const LONG_MS = 30_000;

export async function examineFunction(options: ExamineOptions): Promise<readonly string[]> {
  const { reference, format, columns, limits, grants } = options;
  const { bytes, from } = await resolveModule(reference);
  const {
    info,
    function: name,
    digest,
  } = await loadFunctionModule(bytes, {
    name: reference.path,
    function: options.function,
    memoryBytes: limits.memoryBytes,
  });
  const { minPages, maxPages } = info.memory!;
  const imports = info.imports.filter(({ kind }) => kind === 'function').map((one) => one.name);
  const granted = [
    ...(grants.clock ? ['clock'] : []),
    ...(grants.random ? ['random'] : []),
    ...Object.keys(grants.env).map((variable) => `env ${variable}`),
    ...(grants.args.length > 0 ? ['args'] : []),
  ];
  return [
    `calls ${name} of ${from}, ${size(bytes.length)}, SHA-256 ${digest.slice(0, 12)}…, in ${format}`,
    columns === undefined
      ? 'is sent the whole row: input_columns with what the function reads would make it faster'
      : `is sent ${columns.join(', ') || 'no column'}`,
    `imports ${imports.join(', ') || 'nothing'}; is granted ${granted.join(', ') || 'nothing'}`,
    `may use ${limits.cpuMsPerRow} ms of CPU time${limits.cpuMsPerRow < LONG_MS ? '' : ' (that is how long a poisoned row holds its partition: lower limits.cpu_ms_per_row to what the function needs)'} and answer with ${size(limits.outputBytesPerRow)} a row, have ${size(maxPages * PAGE_BYTES)} of memory (it starts with ${size(minPages * PAGE_BYTES)}), print ${size(limits.logBytesPerSec)} a second`,
  ];
}

function size(bytes: number): string {
  if (bytes < 10_240) return `${bytes} B`;
  return bytes < 10 * 2 ** 20 ? `${Math.round(bytes / 1024)} KiB` : `${Math.round(bytes / 2 ** 20)} MiB`;
}
