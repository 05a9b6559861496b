/**
 * The one call by which a connector joins the suite:
 *
 *     sourceConforms({ type: 'mqtt', open: (t, folder) => ({ settings: …, write: … }), except: { … } }, { skip });
 *
 * One test a check, in a file of its own (`conformance.server.test.ts` of the connector's folder), so that files of different
 * connectors run at the same time.
 */
import { after, describe, type TestContext, test } from 'node:test';
import { type Check, checks, type Exceptions } from './checks.ts';
import { keepResults } from './results.ts';
import type { ConformingSink, ConformingSource } from './sides.ts';
import { SinkBench } from './sink-bench.ts';
import { sinkChecks } from './sink-checks.ts';
import { SourceBench } from './source-bench.ts';
import { sourceChecks } from './source-checks.ts';

export interface JoinOptions {
  /** What `missing` said. Default: nothing is missing. */
  readonly skip?: string | false;
}

export function sourceConforms(source: ConformingSource, options?: JoinOptions): void {
  conforms('source', source, async (t, check) => sourceChecks[check](await SourceBench.open(t, source)), options);
}

export function sinkConforms(sink: ConformingSink, options?: JoinOptions): void {
  conforms('sink', sink, async (t, check) => sinkChecks[check](await SinkBench.open(t, sink)), options);
}

function conforms(
  kind: 'source' | 'sink',
  {
    type,
    except = {},
    documented = true,
  }: { readonly type: string; readonly except?: Exceptions; readonly documented?: boolean },
  run: (t: TestContext, check: Check) => Promise<void>,
  { skip = false }: JoinOptions = {},
): void {
  const names = Object.keys(checks) as Check[];
  const passed = new Set<Check>();
  describe(`${kind} ${type}`, { skip, concurrency: 1 }, () => {
    for (const name of names.filter((check) => except[check] === undefined)) {
      test(`${name}: ${checks[name]}`, { timeout: 120_000 }, async (t) => {
        await run(t, name);
        passed.add(name);
      });
    }
    after(() => {
      if (documented && skip === false) keepResults(kind, type, passed, except);
    });
  });
}
