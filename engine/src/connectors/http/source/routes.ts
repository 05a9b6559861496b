import { Gatherer } from './gatherer.ts';
import type { HttpSourceSettings } from './settings.ts';

/** Which gatherer takes the rows of a path: there is one for each table. */
export class Routes {
  readonly gatherers: readonly Gatherer[];
  /** `undefined`: every path is taken. */
  readonly #paths: ReadonlyMap<string, Gatherer> | undefined;

  constructor({ paths, gather_ms: gatherMs }: Pick<HttpSourceSettings, 'paths' | 'gather_ms'>) {
    const byTable = new Map<string | undefined, Gatherer>();
    for (const table of new Set(paths === undefined ? [undefined] : Object.values(paths))) {
      byTable.set(table, new Gatherer({ name: table ? `requests/${table}` : 'requests', table, gatherMs }));
    }
    this.gatherers = [...byTable.values()];
    this.#paths = paths && new Map(Object.entries(paths).map(([path, table]) => [path, byTable.get(table)!]));
  }

  find(url: string): Gatherer | undefined {
    if (!this.#paths) return this.gatherers[0];
    const query = url.indexOf('?');
    return this.#paths.get(query < 0 ? url : url.slice(0, query));
  }
}
