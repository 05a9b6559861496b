/** The worker thread: waits until it is told what it is for, opens the functions, then computes one batch after the other. */
import { parentPort } from 'node:worker_threads';
import { createDecoder } from '../batch/decoder.ts';
import { resolveNodeSpec } from '../nodes.ts';
import type { BatchFunction, FunctionSpec } from '../spec/function.ts';
import type { Log } from '../spec/node.ts';
import { nodeLog } from '../spec/node-log.ts';
import { ownCounter } from '../spec/own-metrics.ts';
import { keepSecret, redactedData } from '../spec/secrets.ts';
import { Chain, cpuMicros, emptyCounts, functionCounts, isStop, type OpenedFunction } from './chain.ts';
import { Notices } from './notices.ts';
import { Output } from './output.ts';
import type {
  ComputeRequest,
  Counts,
  FromWorker,
  OutRange,
  PlannedFunction,
  PreparedFunction,
  ToWorker,
  WorkerData,
} from './protocol.ts';
import { Tap } from './tap.ts';

const port = parentPort!;
let data: WorkerData;
const send = (message: FromWorker): void => port.postMessage(message);

let waiting: { readonly resolve: (range: OutRange) => void } | undefined;
const queue: ComputeRequest[] = [];
const notices = new Notices();
let busy = false;
let compute: (request: ComputeRequest) => Promise<void>;

async function begin(): Promise<void> {
  const { plan } = data;
  plan.secrets.forEach(keepSecret);
  const decoder = createDecoder({ memory: data.memory, kernel: data.kernel, arena: data.arena, maxRows: data.maxRows });
  decoder.setColumns(plan.columns);
  const functions: OpenedFunction[] = [];
  for (const [index, planned] of plan.functions.entries()) functions.push(await openFunction(planned, data.prepared[index]!));
  const chain = new Chain(plan, decoder, functions, { maxRows: data.maxRows, notices, tap: new Tap(data.tap) });

  compute = async (request) => {
    const counts = emptyCounts(plan.sinks.length);
    const start = cpuMicros();
    const output = new Output(
      decoder,
      plan.sinks,
      request.out,
      request.wanted,
      (sink, parts, bytes) => {
        send({ type: 'need', batch: request.batch, sink, parts, bytes });
        return new Promise((resolve) => {
          waiting = { resolve };
        });
      },
      (delivery, row) => chain.tooLarge(request, counts, delivery, row),
    );
    let from = request.from;
    while (from < request.to) {
      const pass = await chain.compute(request, from);
      for (const tapped of pass.tapped) send(tapped);
      for (const delivery of pass.deliveries) await output.write(delivery);
      add(counts, pass.counts);
      if (pass.consumed === from) break;
      from = pass.consumed;
    }
    counts.cpuMicros = cpuMicros() - start;
    send({ type: 'done', batch: request.batch, consumed: from, parts: output.finish(), counts });
  };
  send({ type: 'ready' });
}

async function openFunction(planned: PlannedFunction, prepared: PreparedFunction): Promise<OpenedFunction> {
  const { plan } = data;
  const spec = (await resolveNodeSpec('function', planned.type, plan.folder)) as FunctionSpec;
  const { isolated, digest } = prepared;
  if (isolated !== undefined) return { planned, spec, run: rejectAll(isolated), ...(digest === undefined ? {} : { digest }) };
  const run = await spec.open({
    id: planned.id,
    settings: planned.settings as never,
    declared: planned.declared,
    folder: plan.folder,
    punchlineKind: plan.punchlineKind,
    log: logFor(planned.id),
    alive: () => send({ type: 'alive' }),
    count: ownCounter(spec, (metric, by) => notices.count(planned.id, metric, by)),
    notice: (what, rows, hint) => notices.add(planned.id, what, hint, rows),
    prepared: prepared.value,
    cancelled: data.cancelled,
  });
  return { planned, spec, run, ...(run.digest === undefined ? {} : { digest: run.digest }) };
}

function rejectAll(reason: string): BatchFunction {
  return {
    apply(batch) {
      for (const row of batch.rows) batch.reject(row, reason);
    },
  };
}

function logFor(node: string): Log {
  // What a function gives along may be anything; what is sent must be plain.
  const sent = (level: 'info' | 'warn') => (message: string, data: unknown) => {
    send({ type: 'log', level, message: String(message), data: redactedData(data) });
  };
  return nodeLog({ info: sent('info'), warn: sent('warn') }, node);
}

function add(sum: Counts, more: Counts): void {
  sum.rows += more.rows;
  sum.malformed += more.malformed;
  sum.notObject += more.notObject;
  sum.filtered += more.filtered;
  sum.nowhere += more.nowhere;
  if (more.counted.length > 0) sum.counted = [...sum.counted, ...more.counted];
  if (more.notices.length > 0) sum.notices = [...sum.notices, ...more.notices];
  if (more.marked) sum.marked = [...(sum.marked ?? []), ...more.marked];
  for (const [node, counts] of Object.entries(more.functions)) {
    const all = functionCounts(sum, node);
    all.entered += counts.entered;
    all.left += counts.left;
    all.cpuMicros += counts.cpuMicros;
  }
  for (const [node, rows] of Object.entries(more.rejected)) sum.rejected[node] = (sum.rejected[node] ?? 0) + rows;
  more.delivered.forEach((rows, sink) => {
    sum.delivered[sink]! += rows;
  });
}

/** A bug of the engine, not of a row: the worker ends, main sees it and isolates the batch. */
function fail(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

async function drain(): Promise<void> {
  if (busy) return;
  busy = true;
  for (let request = queue.shift(); request; request = queue.shift()) await compute(request);
  busy = false;
}

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'begin':
      data = message.data;
      begin().catch((error: unknown) => {
        send({ type: 'unfit', message: error instanceof Error ? error.message : String(error) });
      });
      break;
    case 'more':
      waiting?.resolve(message.out);
      break;
    case 'compute':
      queue.push(message);
      void drain().catch((error: unknown) => (isStop(error) ? send({ type: 'unfit', message: error.message }) : fail(error)));
      break;
  }
});
