/** Which gatherer takes which rows: there is one for each table, and for each way in which bytes become rows. */
import type { Feed } from '../../../spec/feed.ts';
import type { Codec } from '../../../spec/plan.ts';
import type { RecordLayout } from '../../../spec/records.ts';
import type { Collector } from './collector.ts';
import { Gatherer } from './gatherer.ts';
import { RecordGatherer } from './record-gatherer.ts';
import type { HttpSourceSettings } from './settings.ts';
import { Ways } from './ways.ts';

/** Headers of CSV that differ; each has its own way into the pipeline, and no end of them may be made up by clients. */
const MOST_HEADERS = 256;

/** Where the rows of a path go. */
export class Route {
  readonly #lanes: Lanes;
  readonly #table: string | undefined;
  readonly #lines: Ways;
  #json: Ways | undefined;
  readonly #csv = new Map<string, Ways>();

  /** `table` empty: the outs without one; `undefined`: all outs. */
  constructor(lanes: Lanes, codec: Codec, table: string | undefined) {
    this.#lanes = lanes;
    this.#table = table;
    // Documents are lines by the time that they go on.
    const asIs = codec.name === 'line' || codec.name === 'raw' || (codec.name === 'json' && codec.form !== 'document');
    this.#lines = lanes.make('', table, asIs ? undefined : JSON_LINES, codec.name === 'raw' ? 'one' : 'lines');
    this.#json = codec.name === 'line' ? undefined : this.#lines;
  }

  /** Rows on lines, as the node's codec says. */
  get lines(): Collector {
    return this.#lines.next();
  }

  get json(): Collector {
    this.#json ??= this.#lanes.make('json', this.#table, JSON_LINES);
    return this.#json.next();
  }

  /** `undefined`: there are too many headers that differ. */
  csv(separator: string, columns: readonly string[]): Collector | undefined {
    const key = JSON.stringify([separator, columns]);
    let ways = this.#csv.get(key);
    if (!ways && this.#csv.size < MOST_HEADERS) {
      const codec: Codec = { name: 'csv', separator, header: false, columns };
      ways = this.#lanes.make(`csv${this.#csv.size + 1}`, this.#table, codec);
      this.#csv.set(key, ways);
    }
    return ways?.next();
  }
}

const JSON_LINES: Codec = { name: 'json' };

/** Makes gatherers, and opens them once there is something to feed. */
class Lanes {
  readonly all: Ways[] = [];
  readonly #gatherMs: number;
  #feed: Feed | undefined;

  readonly #beside: readonly string[];

  constructor(gatherMs: number, beside: readonly string[]) {
    this.#gatherMs = gatherMs;
    this.#beside = beside;
  }

  make(kind: string, table: string | undefined, codec: Codec | undefined, rows: RecordLayout['rows'] = 'lines'): Ways {
    const name = `requests${table ? `/${table}` : ''}${kind && `.${kind}`}`;
    const columns = this.#beside;
    const ways = new Ways((number, traffic) => {
      const options = { name: number === 0 ? name : `${name}.${number + 1}`, table, codec, gatherMs: this.#gatherMs, traffic };
      return columns.length > 0 || rows === 'one' ? new RecordGatherer({ ...options, columns, rows }) : new Gatherer(options);
    });
    this.all.push(ways);
    if (this.#feed) ways.open(this.#feed);
    return ways;
  }

  open(feed: Feed): void {
    this.#feed = feed;
    for (const ways of this.all) ways.open(feed);
  }
}

export class Routes {
  readonly #lanes: Lanes;
  /** `undefined`: every path is taken, by the one route. */
  readonly #paths: ReadonlyMap<string, Route> | undefined;
  readonly #every: Route | undefined;

  /** `beside`: columns whose values stand beside the rows of a request. */
  constructor({ paths, gather_ms }: Pick<HttpSourceSettings, 'paths' | 'gather_ms'>, codec: Codec, beside: readonly string[]) {
    this.#lanes = new Lanes(gather_ms, beside);
    if (paths === undefined) {
      this.#every = new Route(this.#lanes, codec, undefined);
      return;
    }
    const byTable = new Map<string, Route>();
    for (const table of new Set(Object.values(paths))) byTable.set(table, new Route(this.#lanes, codec, table));
    this.#paths = new Map(Object.entries(paths).map(([path, table]) => [path, byTable.get(table)!]));
  }

  find(url: string): Route | undefined {
    if (!this.#paths) return this.#every;
    const query = url.indexOf('?');
    return this.#paths.get(query < 0 ? url : url.slice(0, query));
  }

  open(feed: Feed): void {
    this.#lanes.open(feed);
  }

  stop(): void {
    for (const ways of this.#lanes.all) ways.stop();
  }
}
