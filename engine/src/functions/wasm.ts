/** The `wasm` node: a function built for REEF, run over batches within limits and without privileges. */
import { createHash } from 'node:crypto';
import { choice, flag, group, integer, list, map, number, type Settings, text } from '../spec/fields.ts';
import { batchFunction, type FunctionContext, type PrepareContext } from '../spec/function.ts';
import { resolveModule } from '../wasm/artifacts/resolve-module.ts';
import { examineFunction } from '../wasm/examine-function.ts';
import type { FunctionModule } from '../wasm/function-module.ts';
import { type LoadedFunction, loadFunction, openRlineFunction } from '../wasm/open-function.ts';

const limits = {
  cpu_ms_per_row: integer(
    'CPU time that one row may take, in milliseconds. The default suits functions that work on audio or images; lower it for others: it is how long a poisoned row can hold its partition. After a row has run into it, it falls to the larger of 1 s and 100 times the p99 until 1,000 rows have passed.',
    { default: 30_000, min: 10, max: 3_600_000, unit: 'ms' },
  ),
  memory_bytes: integer(
    'Memory that the function may have. Default: the larger of 256 MiB and what the module declares at least.',
    { optional: true, min: 65_536, max: 1024 * 1024 * 1024, unit: 'bytes' },
  ),
  output_bytes_per_row: integer('Length of the answer to one row, prints included.', {
    default: 16 * 1024 * 1024,
    min: 64,
    max: 256 * 1024 * 1024,
    unit: 'bytes',
  }),
  log_bytes_per_sec: integer('What the function prints goes to the log at this rate at most; the rest is counted.', {
    default: 4096,
    min: 0,
    max: 1024 * 1024,
    unit: 'bytes/s',
  }),
};

const grant = {
  clock: flag(
    'The real clocks. Without it the wall clock shows when the batch came in, and the others only move when they are read.',
    {
      default: false,
    },
  ),
  random: flag('Real randomness. Without it random numbers come from a generator with a fixed seed.', { default: false }),
  env: map(text('Its value.'), 'Environment variables. Without it the environment is empty.', { default: {} }),
  args: list(text('An argument.'), 'Command-line arguments. Without it there are none.', { default: [] }),
};

const settings = {
  path: text(
    'The module: a file, or an artifact as `group:artifact:version:file.wasm` or `wasm:group:artifact:version`. The version `latest` is the highest one there.',
  ),
  function: text('The exported function to call for each row. May be left out when the module exports only one.', {
    optional: true,
  }),
  format: choice(
    ['bincode', 'json'],
    'How rows are encoded for the function: as it was built (`rline_bindgen` without argument: bincode).',
    {
      default: 'bincode',
    },
  ),
  input_columns: list(
    text('Name of a column.'),
    'Only these columns are sent to the function; the others go round it as the bytes that they are. Default: the whole row. A function decodes all that it is sent, so this often decides how fast it is.',
    { optional: true },
  ),
  artifacts: text('Folder of the local artifacts: zips, or unpacked folders, with their metadata.yaml.', {
    default: 'artifacts',
  }),
  reload: flag(
    'The module is read again at every start, so that a replaced file or a higher `latest` takes effect then. A running punchline keeps its module.',
    {
      default: false,
    },
  ),
  limits: group(limits, 'What the function may use.'),
  grant: group(grant, 'What the function may see beside its rows. Nothing by default.'),
  strict_integers: flag(
    'Rows with an integer beyond 32 bits go to the error table. Without it they are sent, and the function keeps the low 32 bits, as published ones do; the first of each column is warned of.',
    { default: false },
  ),
  on_repeated_failure: choice(
    ['error_table', 'stop'],
    'What happens when more than `failure_rate` of the last 1,000 rows failed: they go on to the error table, or the punchline stops.',
    { default: 'error_table' },
  ),
  failure_rate: number('The share of failing rows from which on `on_repeated_failure` counts.', { default: 0.5, min: 0, max: 1 }),
};

export default batchFunction({
  summary: 'Runs a WebAssembly function that was built for REEF on each row.',
  settings,
  security:
    'The module runs in a sandbox: it sees the columns that it is sent, and neither files, network, clock, randomness, environment nor arguments beyond what `grant` names. CPU time, memory, answers and log are limited. `reef inspect` says what a module asks for.',
  examples: [
    {
      title: 'The part of the day, from a function that reads one column',
      yaml: 'id: moment\nkind: function\ntype: wasm\nsettings:\n  path: ./moment.wasm\n  function: moment\n  input_columns: [creation_timestamp]\n',
      input: [{ id: 'a', creation_timestamp: 1517918400 }, { id: 'b', creation_timestamp: 1517918460 }, { id: 'c' }],
    },
    {
      title: 'An artifact that takes JSON, with tighter limits',
      yaml: 'id: spectrogram\nkind: function\ntype: wasm\nsettings:\n  path: "punch:melspectrogram:latest:melspectrogram.wasm"\n  function: melspectrogram\n  format: json\n  limits:\n    cpu_ms_per_row: 10000\n',
      needs: 'an artifact of this name',
    },
  ],
  reads: ({ input_columns }) => input_columns ?? [],
  writes: () => [],
  writesOthers: () => true,
  examine: ({ settings: given, folder }) =>
    examineFunction({
      reference: { path: given.path, folder, artifacts: given.artifacts },
      function: given.function,
      format: given.format,
      columns: given.input_columns,
      limits: limitsOf(given.limits),
      grants: given.grant,
    }),
  digestOf: async (context) =>
    createHash('sha256')
      .update((await resolveModule(referenceOf(context))).bytes)
      .digest('hex'),
  prepare: (context) => loadFunction(optionsOf(context)),
  moduleOf: (prepared) => prepared as LoadedFunction,
  open,
});

function referenceOf({ settings: { path, artifacts }, folder }: PrepareContext<typeof settings>) {
  return { path, folder, artifacts };
}

function optionsOf(context: PrepareContext<typeof settings>) {
  const { settings: given } = context;
  return { reference: referenceOf(context), function: given.function, limits: limitsOf(given.limits) };
}

function open(context: FunctionContext<typeof settings>) {
  const { settings: given, log, alive, notice, cancelled } = context;
  return openRlineFunction(context.prepared as FunctionModule, {
    format: given.format,
    columns: given.input_columns,
    declared: context.declared,
    strictIntegers: given.strict_integers,
    limits: limitsOf(given.limits),
    grants: given.grant,
    cancelled,
    node: context.id,
    log,
    alive,
    notice,
    ...(given.on_repeated_failure === 'stop' ? { stopAtRate: given.failure_rate } : {}),
  });
}

function limitsOf(given: Settings<typeof limits>) {
  return {
    cpuMsPerRow: given.cpu_ms_per_row,
    memoryBytes: given.memory_bytes,
    outputBytesPerRow: given.output_bytes_per_row,
    logBytesPerSec: given.log_bytes_per_sec,
  };
}
