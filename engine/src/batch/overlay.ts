/**
 * The columns of a view: the decoded rows' own members, and what functions have laid over them.
 *
 * Until a projection the rows' raw text stays the base, and three things are noted: new values of columns (`undefined`: removed),
 * and where members were moved to by a rename. After a projection, and for lines, the columns are an explicit list.
 */
import type { DecodedRows } from './decoded-rows.ts';
import { mergeTokens } from './decoded-rows.ts';
import type { Tokens } from './tokens.ts';

/** Where a member of the raw rows goes out: under which name, and which wins when several go out under one name (the higher). */
interface Place {
  readonly name: string;
  readonly rank: number;
}

/** One member of the raw rows that does not go out as it came. */
export interface MemberEdit {
  /** Its name in the rows and the tokens there. */
  readonly base: string;
  readonly at: Tokens;
  /** The name and value that go out in its place. */
  readonly name: string;
  readonly tokens: Tokens | undefined;
  readonly rank: number;
}

export class Overlay {
  readonly rows: DecodedRows;
  #values: Map<string, Tokens | undefined>;
  #places: Map<string, Place>;
  #explicit: boolean;
  #ranks: number;
  /** True while the maps belong to another overlay as well. */
  #shared = false;
  /** Pointer to the encoding plan of each mode, while nothing has changed since it was made. */
  readonly plans = new Map<string, number>();

  constructor(rows: DecodedRows) {
    this.rows = rows;
    this.#values = new Map();
    this.#places = new Map();
    this.#ranks = 0;
    this.#explicit = rows.fixed !== undefined;
    for (const name of rows.fixed ?? []) this.#values.set(name, rows.column(name));
  }

  clone(): Overlay {
    const clone = new Overlay(this.rows);
    clone.#values = this.#values;
    clone.#places = this.#places;
    clone.#explicit = this.#explicit;
    clone.#ranks = this.#ranks;
    clone.#shared = true;
    this.#shared = true;
    for (const [mode, plan] of this.plans) clone.plans.set(mode, plan);
    return clone;
  }

  /** The column as functions see it; `undefined`: no row has it. */
  get(name: string): Tokens | undefined {
    if (this.#values.has(name)) return this.#values.get(name);
    return this.rows.sideColumn(name) ?? (this.#explicit ? undefined : this.rows.column(name));
  }

  set(name: string, tokens: Tokens): void {
    this.#change();
    this.#values.set(name, tokens);
  }

  drop(name: string): void {
    this.#change();
    if (this.#explicit) this.#values.delete(name);
    else this.#values.set(name, undefined);
  }

  /** A row that has no `from` keeps its `to`. */
  rename(from: string, to: string): void {
    if (from === to) return;
    const moved = this.get(from);
    if (moved === undefined) return;
    this.#change();
    const old = this.#explicit ? this.#values.get(to) : this.get(to);
    const tokens = old === undefined ? moved : mergeTokens(this.rows.arena, moved, old, this.rows.size);
    if (this.#explicit) {
      const entries = this.#values.has(from)
        ? Array.from(this.#values).map(([name, value]): [string, Tokens | undefined] =>
            name === from ? [to, tokens] : [name, value],
          )
        : [...this.#values, [to, tokens] as [string, Tokens]];
      this.#values = new Map(entries.filter(([name, value]) => name !== to || value === tokens));
      return;
    }
    this.#values.delete(to);
    this.#values.set(to, tokens);
    this.#values.set(from, undefined);
    this.#moveMembers(from, to);
  }

  /** Leaves these columns only, in this order. */
  project(columns: ReadonlyMap<string, Tokens | undefined>): void {
    this.#change();
    this.#explicit = true;
    this.#places = new Map();
    this.#values = new Map(columns);
  }

  /** The explicit list of columns that some rows have; `undefined` while the raw rows are the base. */
  list(): readonly (readonly [string, Tokens])[] | undefined {
    return this.#explicit ? this.#present() : undefined;
  }

  /** Names in the explicit list, those that no row has included. */
  names(): readonly string[] | undefined {
    return this.#explicit ? Array.from(this.#values.keys()) : undefined;
  }

  /** False while every row is just its raw text. */
  get edited(): boolean {
    return this.#explicit || this.#values.size > 0 || this.#places.size > 0;
  }

  /** What changes in the raw rows: members edited, those of one outgoing name by ascending rank, and values in order of setting. */
  edits(): { readonly members: readonly MemberEdit[]; readonly values: readonly (readonly [string, Tokens])[] } {
    const members: MemberEdit[] = [];
    for (const base of new Set([...this.#places.keys(), ...this.#values.keys()])) {
      const at = this.rows.column(base);
      if (at === undefined) continue;
      const place = this.#places.get(base) ?? { name: base, rank: 0 };
      members.push({ base, at, name: place.name, tokens: this.#values.get(place.name), rank: place.rank });
    }
    members.sort((a, b) => a.rank - b.rank);
    return { members, values: this.#present() };
  }

  /** Columns that some rows have. */
  #present(): [string, Tokens][] {
    const present: [string, Tokens][] = [];
    for (const [name, tokens] of this.#values) if (tokens !== undefined) present.push([name, tokens]);
    return present;
  }

  /** Members that went out as `from` go out as `to`, before those that did already, in their old ranking. */
  #moveMembers(from: string, to: string): void {
    const moving = Array.from(this.#places).filter(([, place]) => place.name === from);
    if (!this.#places.has(from)) moving.push([from, { name: from, rank: 0 }]);
    moving.sort(([, a], [, b]) => a.rank - b.rank);
    for (const [base] of moving) this.#places.set(base, { name: to, rank: ++this.#ranks });
  }

  #change(): void {
    this.plans.clear();
    if (!this.#shared) return;
    this.#values = new Map(this.#values);
    this.#places = new Map(this.#places);
    this.#shared = false;
  }
}
