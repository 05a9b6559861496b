/** What every check of a sink has in its hands: an HTTP source, whose answers say what is delivered, and the sink under test. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryFolder } from '../../../testing/reef-process.ts';
import { freePort } from '../../../testing/servers/free-port.ts';
import { TcpProxy } from '../../../testing/tcp-proxy.ts';
import { patienceMs } from './patience.ts';
import { postRows } from './post-rows.ts';
import { ReefRun } from './reef-run.ts';
import { difference, type Expectation, missingRows, type Row } from './rows.ts';
import type { ConformingSink, NodeSettings, SinkSide } from './sides.ts';

export class SinkBench {
  readonly t: TestContext;
  readonly sink: ConformingSink;
  readonly folder: string;
  readonly side: SinkSide;
  readonly #port: number;
  readonly #proxy: TcpProxy | undefined;
  /** Rows whose delivery Reef has confirmed. */
  confirmed = 0;
  #over = false;
  #reef: ReefRun | undefined;

  private constructor(
    t: TestContext,
    sink: ConformingSink,
    parts: Pick<SinkBench, 'folder' | 'side'> & { port: number },
    proxy?: TcpProxy,
  ) {
    this.t = t;
    this.sink = sink;
    this.folder = parts.folder;
    this.side = parts.side;
    this.#port = parts.port;
    this.#proxy = proxy;
    t.after(() => {
      this.#over = true;
    });
  }

  static async open(t: TestContext, sink: ConformingSink): Promise<SinkBench> {
    const folder = temporaryFolder(t);
    const side = await sink.open(t, folder);
    const proxy = side.proxy ?? (side.serverPort === undefined ? undefined : await TcpProxy.start(t, side.serverPort));
    return new SinkBench(t, sink, { folder, side, port: await freePort() }, proxy);
  }

  get proxy(): TcpProxy {
    assert.ok(this.#proxy, 'the sink names no `serverPort`: expected it, or an exception to this check');
    return this.#proxy;
  }

  /** Reef, not yet started. */
  reef(settings?: NodeSettings): ReefRun {
    const { side, sink } = this;
    const own = settings ?? side.settings({ port: this.#proxy?.port ?? 0, impatient: false });
    const encoding = side.encoding === undefined ? {} : { encoding: side.encoding };
    this.#reef = new ReefRun(this.t, this.folder, [
      { id: 'in', kind: 'source', type: 'http', settings: { port: this.#port, gather_ms: 0 }, out: [{ id: 'out' }] },
      { id: 'out', kind: 'sink', type: sink.type, settings: { ...own, ...encoding } },
    ]);
    return this.#reef;
  }

  /** Sends rows to Reef until it has confirmed them; what a request holds is sent again when its answer does not come. */
  feed(rows: readonly Row[], rowsAtOnce = 500): Promise<void> {
    return postRows(rows, {
      port: this.#port,
      rowsAtOnce,
      over: () => this.#over || this.#reef?.gone === true,
      confirmed: (count) => {
        this.confirmed += count;
      },
    });
  }

  /** Looks at what is there until nothing is missing: what a server has taken may take a moment to be read. */
  async expect(rows: readonly Row[], reef: ReefRun, expectation: Expectation = {}): Promise<void> {
    if (this.side.keepsNothing) return;
    const ordered = expectation.ordered === true && !this.side.unordered;
    const deadline = performance.now() + patienceMs();
    for (;;) {
      const arrived = await this.side.read(reef);
      const wrong = difference(rows, arrived, { ...expectation, ordered });
      if (wrong === undefined) return;
      const final = performance.now() > deadline || reef.gone || missingRows(rows, arrived).length === 0;
      if (final) assert.fail(`${wrong}\n${this.context(reef)}`);
      await pause(50);
    }
  }

  /** What stands in the dead-letter file: rows that were refused for good. */
  deadLetters(): string {
    const files = globSync('state/**/dead-letters.ndjson', { cwd: this.folder });
    return files.map((file) => readFileSync(join(this.folder, file), 'utf8')).join('');
  }

  /** For messages. */
  context(reef: ReefRun): string {
    const server = this.side.server?.log;
    return `reef said:\n${reef.stderr.slice(-3000)}${server === undefined ? '' : `\nthe server's log ends:\n${server.slice(-3000)}`}`;
  }
}
