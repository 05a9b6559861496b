/** What every check of a source has in its hands: the source under test between its outside and a gate. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { temporaryFolder } from '../../../testing/reef-process.ts';
import { TcpProxy } from '../../../testing/tcp-proxy.ts';
import { Gate } from './gate.ts';
import { ReefRun } from './reef-run.ts';
import { difference, type Expectation, type Row } from './rows.ts';
import type { ConformingSource, NodeSettings, SourceSide } from './sides.ts';

export class SourceBench {
  readonly t: TestContext;
  readonly source: ConformingSource;
  readonly folder: string;
  readonly side: SourceSide;
  readonly gate: Gate;
  readonly #proxy: TcpProxy | undefined;

  private constructor(
    t: TestContext,
    source: ConformingSource,
    parts: Pick<SourceBench, 'folder' | 'side' | 'gate'>,
    proxy?: TcpProxy,
  ) {
    this.t = t;
    this.source = source;
    this.folder = parts.folder;
    this.side = parts.side;
    this.gate = parts.gate;
    this.#proxy = proxy;
  }

  static async open(t: TestContext, source: ConformingSource): Promise<SourceBench> {
    const folder = temporaryFolder(t);
    const gate = await Gate.start(t);
    const side = await source.open(t, folder);
    const proxy = side.proxy ?? (side.serverPort === undefined ? undefined : await TcpProxy.start(t, side.serverPort));
    return new SourceBench(t, source, { folder, side, gate }, proxy);
  }

  get proxy(): TcpProxy {
    assert.ok(this.#proxy, 'the source names no `serverPort`: expected it, or an exception to this check');
    return this.#proxy;
  }

  /** Reef, not yet started. */
  reef(settings?: NodeSettings): ReefRun {
    const { side, gate, source } = this;
    const own = settings ?? side.settings({ port: this.#proxy?.port ?? 0, impatient: false });
    const encoding = side.encoding === undefined ? {} : { encoding: side.encoding };
    return new ReefRun(this.t, this.folder, [
      {
        id: 'in',
        kind: 'source',
        type: source.type,
        settings: { ...own, ...encoding },
        out: [{ id: 'out' }, { id: 'errors', table: '_ppf_errors', columns: [{ name: '_ppf_error_document', type: 'string' }] }],
      },
      ...gate.sinks,
    ]);
  }

  /** Rows that the gate has. */
  get arrived(): readonly Row[] {
    const { read } = this.side;
    return this.gate.rows.map((row) => (read ? read(row) : (row as unknown as Row)));
  }

  /** Resolves with whether `condition` comes to hold while Reef runs, within the suite's patience. */
  async until(reef: ReefRun, condition: (gate: Gate) => boolean): Promise<boolean> {
    const { gate } = this;
    // Starting is not what is waited for; and once it has ended by itself, nothing comes any more.
    await Promise.race([reef.up(), gate.until(() => condition(gate))]);
    await gate.until(() => condition(gate) || reef.gone);
    return condition(gate);
  }

  /** Waits until all rows are there, and says what is wrong with them otherwise. */
  async expect(rows: readonly Row[], reef: ReefRun, expectation: Expectation = {}): Promise<void> {
    const seen = new Set<number>();
    let looked = 0;
    const complete = (): boolean => {
      for (const row of this.arrived.slice(looked)) seen.add(row.n);
      looked = this.gate.rows.length;
      return rows.every(({ n }) => seen.has(n));
    };
    // As long as rows come.
    for (let known = -1; known < seen.size && !complete(); ) {
      known = seen.size;
      await this.until(reef, complete);
    }
    const last = Math.max(...rows.map(({ n }) => n));
    const arrived = this.side.endless ? this.arrived.filter(({ n }) => n <= last) : this.arrived;
    const wrong = difference(rows, arrived, {
      ...expectation,
      ordered: expectation.ordered === true && !this.side.unordered,
    });
    if (wrong !== undefined) assert.fail(`${wrong}\n${this.context(reef)}`);
  }

  /** Waits until rows have come to the gate, whatever becomes of them there. */
  async untilOffered(reef: ReefRun): Promise<void> {
    assert.ok(await this.until(reef, ({ requests }) => requests > 0), `no rows came to the gate\n${this.context(reef)}`);
  }

  /** Waits until it says so; not any longer once rows are delivered instead. */
  async refuses(reef: ReefRun, pattern: RegExp): Promise<void> {
    const told = reef.says(pattern);
    const delivered = this.until(reef, ({ rows }) => rows.length > 0);
    await Promise.race([told, delivered.then((rows) => (rows ? undefined : told))]);
  }

  /** For messages. */
  context(reef: ReefRun): string {
    const server = this.side.server?.log;
    const errors =
      this.gate.errors.length === 0
        ? ''
        : `\nthe first of ${this.gate.errors.length} error documents: ${JSON.stringify(this.gate.errors[0]).slice(0, 1000)}`;
    return `reef said:\n${reef.stderr.slice(-3000)}${errors}${server === undefined ? '' : `\nthe server's log ends:\n${server.slice(-3000)}`}`;
  }
}
