import type { Requires } from './client-libraries.ts';
import type { Fields, Settings } from './fields.ts';
import type { Codec, Json, PunchlineKind } from './plan.ts';

/**
 * What a node type is: one declaration, from which validation, types, defaults, help and docs derive.
 * The name of a type is its key in the registry (its folder), never repeated in the declaration.
 * Its functions are declared as methods, so that a spec of particular settings can stand where any spec is asked for.
 */
export interface NodeDeclaration<F extends Fields> {
  /** One sentence, ends with a full stop. */
  readonly summary: string;
  readonly settings: F;
  /** Punchline fragments (one node each) that a user may copy; those that need nothing are run in CI. */
  readonly examples: readonly NodeExample[];
  /** For the node's page: what it opens to others, what it trusts, what it reads or writes on the machine. Sentences. */
  readonly security?: string;
  /** Client libraries that `open` loads: exact versions by package name, optional dependencies all. Default none. */
  readonly requires?: Requires;
  /**
   * What it counts beside what every node of its kind does: names that end with `_total`, as {@link OpenContext.count} takes them, and
   * sentences. `refused_total` is the series `reef_node_refused_total`.
   */
  readonly metrics?: Readonly<Record<string, string>>;
  /** Constraints across settings, and of a source or sink with its codec; called only when each setting is right by itself. Default none. */
  check?(settings: Settings<F>, codec?: Codec): readonly SettingIssue[];
}

/** What sources and sinks declare beside that: where rows come in and go out. */
export interface ConnectorDeclaration<F extends Fields> extends NodeDeclaration<F> {
  /** The codecs that it reads or writes; the first is the default. */
  readonly codecs: readonly Codec['name'][];
  /** One sentence: what is promised about delivery, and of a source what a replay starts from. */
  readonly delivery: string;
  /**
   * For `reef check --connect`: proves that what the settings name can be reached, and with these rights, without moving a row or
   * leaving anything behind. Resolves with sentences that are read behind `source "in"` (`reaches broker a:9092 as "reef"`); rejects with
   * a `ReefError` that says what is in the way.
   */
  probe?(context: ProbeContext<F>): Promise<readonly string[]>;
}

export interface NodeExample {
  readonly title: string;
  readonly yaml: string;
  /** Of a function or sink: rows to show it with. Its page has what comes out of them, found by running it. */
  readonly input?: readonly { readonly [column: string]: Json }[];
  /** What must be there for it to run and end (`a server`, `a certificate`): without that it is only checked. */
  readonly needs?: string;
}

/** What is wrong with settings that are right one by one. */
export interface SettingIssue {
  /** Leads to the setting that it is about; empty: to the node. */
  readonly path: readonly (string | number)[];
  /** To be read after the name of the setting: `is empty, expected at least one message`. */
  readonly message: string;
  /** `warning`: it is allowed, and a risk. Default `error`. */
  readonly severity?: 'error' | 'warning';
}

/** What every node is given when it is opened. */
export interface OpenContext<F extends Fields> {
  readonly id: string;
  readonly settings: Settings<F>;
  /** Folder that relative paths start from. */
  readonly folder: string;
  readonly punchlineKind: PunchlineKind;
  /** Its name, for what others are to know a node by. Absent in tests of single nodes. */
  readonly punchline?: string;
  readonly log: Log;
  /** Adds to a figure that the type declares in `metrics`. What a function counts must be of the rows of a batch, within `apply`. */
  count(metric: string, by?: number): void;
}

/** What a source or sink is given to prove that it could be opened. */
export interface ProbeContext<F extends Fields> extends OpenContext<F> {
  readonly codec: Codec;
  /** Aborts when the answer has taken too long. */
  readonly signal: AbortSignal;
}

export interface Log {
  info(message: string, data?: Readonly<Record<string, unknown>>): void;
  warn(message: string, data?: Readonly<Record<string, unknown>>): void;
}
