/**
 * The one call by which a connector joins the suite:
 *
 *     sourceConforms({ type: 'mqtt', open: (t, folder) => ({ settings: …, write: … }), except: { … } }, { skip });
 *
 * One test a check, in a file of its own (`conformance.server.test.ts` of the connector's folder), so that files of different
 * connectors run at the same time.
 */
import { after, describe, type TestContext, test } from 'node:test';
import { checks } from './checks.ts';
import { ListenerBench } from './listener-bench.ts';
import { listenerCheckRuns, listenerChecks } from './listener-checks.ts';
import { type Kind, keepResults } from './results.ts';
import type { ConformingListener, ConformingSink, ConformingSource } from './sides.ts';
import { SinkBench } from './sink-bench.ts';
import { sinkChecks } from './sink-checks.ts';
import { SourceBench } from './source-bench.ts';
import { sourceChecks } from './source-checks.ts';

export interface JoinOptions {
  /** What `missing` said. Default: nothing is missing. */
  readonly skip?: string | false;
}

export function sourceConforms(source: ConformingSource, options?: JoinOptions): void {
  const run = async (t: TestContext, check: keyof typeof checks) => sourceChecks[check](await SourceBench.open(t, source));
  conforms({ kind: 'source', checks, run, ...source }, options);
}

export function sinkConforms(sink: ConformingSink, options?: JoinOptions): void {
  const run = async (t: TestContext, check: keyof typeof checks) => sinkChecks[check](await SinkBench.open(t, sink));
  conforms({ kind: 'sink', checks, run, ...sink }, options);
}

/** For sources that listen, besides {@link sourceConforms}: who gets in. */
export function listenerConforms(listener: ConformingListener, options?: JoinOptions): void {
  const run = async (t: TestContext, check: keyof typeof listenerChecks) =>
    listenerCheckRuns[check](await ListenerBench.open(t, listener));
  conforms({ kind: 'listener', checks: listenerChecks, run, ...listener }, options);
}

interface Suite<C extends string> {
  readonly kind: Kind;
  readonly type: string;
  readonly variant?: string;
  readonly checks: Readonly<Record<C, string>>;
  readonly except?: Partial<Readonly<Record<C, string>>>;
  readonly documented?: boolean;
  run(t: TestContext, check: C): Promise<void>;
}

function conforms<C extends string>(suite: Suite<C>, { skip = false }: JoinOptions = {}): void {
  const { kind, type, variant, checks, except = {} as never, documented = true, run } = suite;
  const names = Object.keys(checks) as C[];
  const passed = new Set<C>();
  describe(`${kind} ${type}${variant === undefined ? '' : ` (${variant})`}`, { skip, concurrency: 1 }, () => {
    for (const name of names.filter((check) => except[check] === undefined)) {
      test(`${name}: ${checks[name]}`, { timeout: 120_000 }, async (t) => {
        await run(t, name);
        passed.add(name);
      });
    }
    after(() => {
      if (documented && skip === false) keepResults({ kind, type, variant }, names, { passed, except });
    });
  });
}
