/** Where each row goes. Names that rows give are judged once each: a row cannot lead to what belongs to the server. */
import type { RowTexts } from '../../spec/row-texts.ts';
import { indexNameIssue } from './index-name.ts';
import type { OpenSearchSettings } from './settings.ts';

/** Names that are remembered. */
const MOST_KNOWN = 10_000;
const DAY_MS = 86_400_000;

/** The name as JSON has it, or why the row cannot go anywhere. */
export type Choice = { readonly name: string } | { readonly reason: string };

export class IndexChooser {
  readonly #settings: OpenSearchSettings['index'];
  readonly #known = new Map<string, Choice>();

  constructor(settings: OpenSearchSettings['index']) {
    this.#settings = settings;
  }

  /** Columns of which it wants the texts, in this order. */
  get columns(): readonly string[] {
    const { prefix_column, time_column } = this.#settings;
    return [prefix_column, time_column].filter((column) => column !== undefined);
  }

  /** The name, where all rows have the same. */
  fixed(now: number): string | undefined {
    const { prefix_column, time_column } = this.#settings;
    if (prefix_column !== undefined || time_column !== undefined) return undefined;
    return this.#name(undefined, now);
  }

  choose(texts: readonly RowTexts[], row: number, now: number): Choice {
    const { prefix_column, time_column } = this.#settings;
    const prefix = prefix_column === undefined ? '' : textOf(texts[0]!, row);
    const time = time_column === undefined ? '' : textOf(texts[texts.length - 1]!, row);
    const key = `${prefix}\n${time_column === undefined ? Math.floor(now / DAY_MS) : time.slice(0, 40)}`;
    const known = this.#known.get(key);
    if (known) return known;
    const found = this.#judge(prefix, time, now);
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }

  #judge(prefix: string, time: string, now: number): Choice {
    const { prefix_column, time_column, whitelist } = this.#settings;
    if (prefix !== '' && whitelist !== undefined && !whitelist.includes(prefix))
      return { reason: `its "${prefix_column}" is "${prefix}", expected one of index.whitelist` };
    let at = now;
    if (time_column !== undefined) {
      at = /^-?\d+$/.test(time) ? Number(time) : Date.parse(time);
      if (!(Math.abs(at) < 8.64e15))
        return { reason: `its "${time_column}" is "${time}", expected ISO 8601 or milliseconds since 1970` };
    }
    const name = this.#name(prefix === '' ? undefined : prefix, at);
    if (name === undefined) return { reason: `its "${prefix_column}" is empty, expected what its index begins with` };
    const issue = indexNameIssue(name);
    return issue === undefined ? { name } : { reason: `its index would be "${name}": ${issue}` };
  }

  #name(given: string | undefined, time: number): string | undefined {
    const { type, prefix, name } = this.#settings;
    const base = given ?? (type === 'daily' ? prefix : (name ?? prefix));
    if (base === undefined || type !== 'daily') return base;
    return `${base}-${new Date(time).toISOString().slice(0, 10).replaceAll('-', '.')}`;
  }
}

export function textOf({ bytes, offsets }: RowTexts, row: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8', offsets[row]!, offsets[row + 1]! - 1);
}
