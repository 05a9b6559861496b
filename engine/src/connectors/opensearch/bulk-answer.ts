/** What a server says of a bulk: nothing is read of an answer that says that there were no errors. */
import type { RefusedRow, Undelivered } from '../../spec/bulk-sink.ts';

/** Asked for: enough to know what became of each document. */
export const FILTER_PATH =
  'errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.type,items.*.error.caused_by.reason';

interface ItemError {
  readonly type?: string;
  readonly reason?: string;
  readonly caused_by?: { readonly type?: string; readonly reason?: string };
}

interface Item {
  readonly status?: number;
  readonly error?: ItemError | string;
}

/** The server may take the document later, whatever its status is. */
const passing = new Set([
  'cluster_block_exception',
  'unavailable_shards_exception',
  'no_shard_available_action_exception',
  'es_rejected_execution_exception',
  'rejected_execution_exception',
  'circuit_breaking_exception',
  'process_cluster_event_timeout_exception',
  'node_not_connected_exception',
  'node_closed_exception',
  'master_not_discovered_exception',
  'cluster_manager_not_discovered_exception',
]);

/** The index is not there and may not be made, or may not be written to by this user. */
const closed = new Set(['index_not_found_exception', 'security_exception']);

const MOST_REASON = 500;

export interface AnswerOptions {
  readonly operation: 'index' | 'create';
  /** Rows say where they go: one that leads nowhere is to blame for it. Otherwise an administrator has to open the index. */
  readonly namedByRows: boolean;
}

/** `undefined`: it cannot be read. `rows`: the number in the bulk of each document. */
export function readAnswer(body: Buffer, rows: Uint32Array, { operation, namedByRows }: AnswerOptions): Undelivered | undefined {
  // In this order with every version.
  if (/^\s*\{\s*("took"\s*:\s*\d+\s*,\s*)?"errors"\s*:\s*false\b/.test(body.toString('latin1', 0, 100))) return {};
  const items = itemsOf(body);
  if (items?.length !== rows.length) return undefined;
  const refused: RefusedRow[] = [];
  const again: number[] = [];
  let againReason: string | undefined;
  for (const [at, item] of items.entries()) {
    const { status = 0, error } = (Object.values(item)[0] ?? {}) as Item;
    // It was there already: an earlier try has been taken after all.
    const taken = (status >= 200 && status < 300) || (operation === 'create' && status === 409);
    if (taken) continue;
    const type = typeof error === 'object' ? error.type : undefined;
    const reason = describe(status, error);
    const awaited = passing.has(type ?? '') || (closed.has(type ?? '') && !namedByRows);
    if (status === 429 || status === 408 || status >= 500 || status === 0 || awaited) {
      again.push(rows[at]!);
      againReason ??= reason;
    } else refused.push({ row: rows[at]!, reason });
  }
  return { refused, again, ...(againReason === undefined ? {} : { againReason }) };
}

function itemsOf(body: Buffer): readonly object[] | undefined {
  try {
    const { items } = JSON.parse(body.toString('utf8')) as { readonly items?: readonly object[] };
    return Array.isArray(items) ? items : undefined;
  } catch {
    return undefined;
  }
}

function describe(status: number, error: Item['error']): string {
  if (typeof error !== 'object') return `${status}${error === undefined ? '' : `: ${error}`}`;
  const { type, reason, caused_by } = error;
  const cause = caused_by?.reason === undefined || caused_by.reason === reason ? '' : `: ${caused_by.reason}`;
  const text = `${status} ${type ?? ''}: ${reason ?? ''}${cause}`;
  return text.length > MOST_REASON ? `${text.slice(0, MOST_REASON)}…` : text;
}
