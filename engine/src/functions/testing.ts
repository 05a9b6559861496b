/** Runs a function over rows as the worker's chain would, for tests. */
import { chooseFunctionKernel } from '../batch/function-kernel.ts';
import type { KernelVariant } from '../batch/kernel-module.ts';
import { testBench } from '../batch/testing.ts';
import type { FunctionContext, FunctionSpec } from '../spec/function.ts';
import type { Json } from '../spec/plan.ts';
import { validateSettings } from '../spec/validate.ts';

export interface Outcome {
  /** What each live row is afterwards. */
  readonly rows: unknown[];
  /** The same as text. */
  readonly text: string;
  readonly rejections: readonly { readonly row: number; readonly reason: string }[];
  readonly filtered: number;
  /** Row numbers by table. */
  readonly tables: Readonly<Record<string, number[]>>;
}

export interface RunOptions {
  readonly variant?: KernelVariant;
  readonly folder?: string;
  /** Size of the arena in MiB. */
  readonly arena?: number;
}

export async function run(
  spec: FunctionSpec,
  given: Readonly<Record<string, Json>>,
  text: string,
  { variant = 'debug', folder = '/', arena }: RunOptions = {},
): Promise<Outcome> {
  chooseFunctionKernel(variant);
  const { settings, problems } = await validateSettings(spec.settings, given);
  if (settings === undefined) throw new TypeError(JSON.stringify(problems));
  const checked = settings as never;
  const issues = spec.check?.(checked) ?? [];
  if (issues.length > 0) throw new TypeError(issues.map(({ message }) => message).join('; '));
  const reads = spec.reads(checked);
  const writes = spec.writes(checked).map(({ name }) => name);
  const bench = testBench({
    columns: [...reads, ...writes, ...(spec.removes?.(checked) ?? [])],
    variant,
    ...(arena === undefined ? {} : { arena }),
  });
  const opened = await spec.open({
    id: 'f',
    settings: checked,
    folder,
    punchlineKind: 'BatchPunchline',
    declared: [],
    alive() {},
    notice() {},
    prepared: structuredClone(await spec.prepare?.({ id: 'f', settings: checked, folder })),
    cancelled: new Int32Array(1),
    log: { info() {}, warn() {} },
    count() {},
  } satisfies FunctionContext<never>);
  const { view } = bench.decode(text);
  view.allow({ reads, writes });
  await opened.apply(view);
  view.allow(undefined);
  const { tables } = view.routed();
  return {
    rows: bench.rows(view),
    text: bench.encode(view),
    rejections: view.takeRejections(),
    filtered: view.takeFiltered(),
    tables: Object.fromEntries(Array.from(tables, ([table, rows]) => [table, Array.from(rows)])),
  };
}
