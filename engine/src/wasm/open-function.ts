/** From the settings of a wasm node to a function that runs: finds and loads the module, makes the guest at the first batch. */
import type { Batch } from '../batch/batch.ts';
import type { TokenAccess } from '../batch/token-access.ts';
import type { ColumnDeclaration } from '../spec/column-type.ts';
import type { BatchFunction } from '../spec/function.ts';
import type { Log } from '../spec/node.ts';
import { type ModuleReference, resolveModule } from './artifacts/resolve-module.ts';
import { CpuLimit } from './cpu-limit.ts';
import { FailureRate } from './failure-rate.ts';
import { FunctionLog } from './function-log.ts';
import { type FunctionModule, loadFunctionModule } from './function-module.ts';
import type { Grants } from './grants.ts';
import type { GuestOptions } from './guest.ts';
import { RlineFunction } from './rline-function.ts';
import type { RlineFormat } from './rline-kernel.ts';
import { declaredTypes } from './row-encoding.ts';
import { startGuest, tryStart } from './start-guest.ts';

/** What is the same in every worker, found, checked and compiled once. */
export interface LoadOptions {
  readonly reference: ModuleReference;
  readonly function: string | undefined;
  readonly limits: { readonly memoryBytes: number | undefined };
}

export interface OpenFunctionOptions {
  readonly node: string;
  readonly format: RlineFormat;
  readonly columns: readonly string[] | undefined;
  readonly declared: readonly ColumnDeclaration[];
  readonly strictIntegers: boolean;
  readonly limits: {
    readonly cpuMsPerRow: number;
    readonly memoryBytes: number | undefined;
    readonly outputBytesPerRow: number;
    readonly logBytesPerSec: number;
  };
  readonly grants: Grants;
  readonly log: Log;
  readonly alive?: () => void;
  readonly notice: (what: string, rows: number, hint: string) => void;
  /** Anything but 0 at index 0 ends a row at its next look. */
  readonly cancelled?: Int32Array;
  /** Stop the punchline when more than this share of rows fails. */
  readonly stopAtRate?: number;
}

export interface LoadedFunction extends FunctionModule {
  /** For people: the file, or the artifact with its version and place. */
  readonly from: string;
}

export async function loadFunction({ reference, function: name, limits }: LoadOptions): Promise<LoadedFunction> {
  const { bytes, from } = await resolveModule(reference);
  const module = await loadFunctionModule(bytes, { name: reference.path, function: name, memoryBytes: limits.memoryBytes });
  return { ...module, from };
}

export function openRlineFunction(module: FunctionModule, options: OpenFunctionOptions): BatchFunction {
  // Says now what would go wrong at the first batch, with which the kernel's memory comes.
  tryStart(options.node, guestOptions(options, module));
  let made: RlineFunction | undefined;
  return {
    digest: module.digest,
    apply(batch: Batch) {
      made ??= make(options, module, (batch as Batch & TokenAccess).arena.memory);
      made.apply(batch);
    },
  };
}

function guestOptions(options: OpenFunctionOptions, loaded: FunctionModule): Omit<GuestOptions, 'kernelMemory'> {
  const { limits, grants, alive, cancelled } = options;
  const cpu = new CpuLimit({
    msPerRow: limits.cpuMsPerRow,
    ...(alive ? { alive } : {}),
    ...(cancelled ? { cancel: cancelled } : {}),
  });
  return { ...loaded, cpu, outputBytesPerRow: limits.outputBytesPerRow, grants };
}

function make(options: OpenFunctionOptions, loaded: FunctionModule, kernelMemory: WebAssembly.Memory): RlineFunction {
  const { limits, log, stopAtRate, node } = options;
  const guest = startGuest(node, { ...guestOptions(options, loaded), kernelMemory });
  const rate = stopAtRate === undefined ? undefined : new FailureRate(node, stopAtRate);
  return new RlineFunction({
    guest,
    name: loaded.function,
    format: options.format,
    columns: options.columns,
    types: declaredTypes(options.declared),
    log: new FunctionLog(log, limits.logBytesPerSec),
    digest: loaded.digest,
    strictIntegers: options.strictIntegers,
    onWide: wideNotice(options),
    ...(rate === undefined ? {} : { onRows: (rows: number, failed: number) => rate.count(rows, failed) }),
  });
}

/** More different columns than these are not named one by one. */
const MOST_NAMED = 20;

function wideNotice({
  notice,
  strictIntegers,
  node,
  format,
}: OpenFunctionOptions): (column: string | undefined, rows: number) => void {
  const named = new Set<string>();
  const does = format === 'json' ? 'refuses such rows' : 'sees only their low 32 bits';
  const hint = `function "${node}" ${does} if it was built with the published crates (strict_integers rejects such rows)`;
  return (column, rows) => {
    if (strictIntegers) return;
    if (column !== undefined && named.size < MOST_NAMED) named.add(column);
    const where = column !== undefined && named.has(column) ? `column ${JSON.stringify(column)}` : 'other columns';
    notice(`integers beyond 32 bits in ${where}`, rows, hint);
  };
}
