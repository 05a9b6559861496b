import type { ColumnDeclaration } from './column-type.ts';

/** Anything that JSON (and so a structured clone between threads) can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Where something stands in a punchline file; lines and columns count from 1. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type PunchlineKind = 'StreamPunchline' | 'BatchPunchline';
export type NodeKind = 'source' | 'function' | 'sink';

/**
 * What happens when a sink is slower than the others. `required`: everybody waits, a row counts as delivered when this sink has it
 * too. `best_effort`: nobody waits, rows beyond a bound are dropped and counted.
 */
export type DeliveryPolicy = 'required' | 'best_effort';

/** How a sink is tried again after what may pass. */
export interface RetryPolicy {
  /** Upper bound of the first pause; it doubles with every try. */
  readonly initialMs: number;
  /** Upper bound of every pause. */
  readonly maxMs: number;
  /** Tries in all, the first included; `undefined`: for ever. */
  readonly maxAttempts?: number | undefined;
}

/** A punchline that has been read, checked and given all its defaults: plain data, may be posted to a worker. */
export interface Punchline {
  readonly kind: PunchlineKind;
  /** As it was given. */
  readonly apiVersion?: string;
  /** `metadata.name`, else the file's name without its ending. */
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Absolute path of the file, or `-` for standard input. */
  readonly file: string;
  /** Folder that relative paths in settings start from: the folder of the file, or the working directory. */
  readonly folder: string;
  /** In topological order: sources first. */
  readonly nodes: readonly PunchlineNode[];
  /** Over all its rows. */
  readonly exit?: ExitConditions;
}

/** When a run ends by itself. Rows and time count from its start. */
export interface ExitConditions {
  /** Enough rows are delivered, or enough time is over. */
  readonly success?: { readonly rows?: number; readonly secs?: number };
  /** Too many rows were rejected, or too much time is over. */
  readonly failure?: { readonly rows?: number; readonly secs?: number };
}

/** What a source is held to. */
export interface SourceControl {
  /** Rows per second at most; 0 and less: no bound. */
  readonly throughput?: number;
  /** Rows that may be under way, about; 0 and less: no bound but that of memory. */
  readonly pendingRows?: number;
  /** Rows that take longer are warned of; 0: none. */
  readonly rowTimeoutSecs?: number;
}

export interface PunchlineNode {
  readonly id: string;
  readonly kind: NodeKind;
  /** Name of a built-in node type without suffix (`file`), or a `file:` URL of a user's module. */
  readonly type: string;
  /** Validated, defaults applied, keys as the spec declares them. */
  readonly settings: Readonly<Record<string, Json>>;
  /** Present on every node whose spec has codecs. */
  readonly codec?: Codec;
  /** The column that the line codec fills, where it is not the first one that `out` declares. */
  readonly lineColumn?: string;
  /** Present on every sink. */
  readonly policy?: DeliveryPolicy;
  /** Present on every sink that rows are sent to. */
  readonly retry?: RetryPolicy;
  /** On sources only. */
  readonly control?: SourceControl;
  /** Over the rows of this node. */
  readonly exit?: ExitConditions;
  readonly out: readonly Edge[];
  readonly location: Location;
}

export interface Edge {
  readonly to: string;
  readonly table?: string;
  /** Absent: all columns pass. */
  readonly columns?: readonly ColumnDeclaration[];
}

/** `encoding` in a punchline. */
export type Codec = { readonly name: 'json'; readonly form?: JsonForm } | { readonly name: 'line' | 'raw' } | CsvCodec;

/** The one column that the raw codec fills: bytes, in JSON as base64. */
export const RAW_COLUMN = 'content';

/** The column that the line codec fills when `out` declares none. */
export const DEFAULT_LINE_COLUMN = 'message';

/** The column that the line codec fills: the first that the `out` of its source declares, metadata apart. */
export function lineColumnOf(
  out: readonly { readonly table?: string | undefined; readonly columns?: readonly { readonly name: string }[] | undefined }[],
): string {
  for (const { columns, table } of out) {
    const declared = table === ERROR_TABLE ? undefined : columns?.find(({ name }) => !name.startsWith('_ppf_'));
    if (declared) return declared.name;
  }
  return DEFAULT_LINE_COLUMN;
}

/** Bytes that stand behind each encoded row: its newline, which only raw bytes do not have. */
export function rowEndBytes({ name }: Codec): 0 | 1 {
  return name === 'raw' ? 0 : 1;
}

/** `lines`: each line is an object. `document`: an array of objects, or objects one behind the other, over any number of lines. */
export type JsonForm = 'lines' | 'document';

export interface CsvCodec {
  readonly name: 'csv';
  /** One character of ASCII. */
  readonly separator: string;
  /** The first row of a file (a partition) names the columns. */
  readonly header: boolean;
  /** In order. A source with a header has none: they are known when it is read. */
  readonly columns?: readonly string[];
}

/** Reserved table to which a node's rejected rows go, as rows with the one string column `_ppf_error_document`. */
export const ERROR_TABLE = '_ppf_errors';
/** In `Batch.route`: the edges without a table. */
export const NO_TABLE = '';
export const ERROR_COLUMN = '_ppf_error_document';
