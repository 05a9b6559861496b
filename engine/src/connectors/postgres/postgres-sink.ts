import { ReefError } from '../../errors.ts';
import type { Bulk, BulkLimits, BulkSink, Undelivered } from '../../spec/bulk-sink.ts';
import type { Connection, Connections } from './connections.ts';
import { copyCsv, copyText } from './copy-text.ts';
import { probeTable } from './probe.ts';
import type { PostgresSettings } from './settings.ts';
import { faultOf, reasonOf, type ServerError } from './sqlstate.ts';
import { prepareTable, type Statements } from './table.ts';

export interface PostgresSinkParts {
  readonly id: string;
  readonly settings: PostgresSettings;
  readonly limits: BulkLimits;
  readonly connections: Connections;
}

const COMMA = 44;
const BRACKET_OPEN = 91;
const BRACKET_CLOSE = 93;

export class PostgresSink implements BulkSink {
  readonly limits: BulkLimits;
  readonly #parts: PostgresSinkParts;
  /** Looked up once, and again after the server had something against them. */
  #statements: Statements | undefined;

  constructor(parts: PostgresSinkParts) {
    this.#parts = parts;
    this.limits = parts.limits;
  }

  /** Connects and looks the table up. Rejects with a `ReefError`, one with `retry` where it may work later. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { id, settings, connections } = this.#parts;
    try {
      await connections.with(
        async (connection) => {
          this.#statements ??= await prepareTable(connection.client, settings, `PostgreSQL sink "${id}"`);
        },
        signal,
        () => false,
      );
    } catch (error) {
      throw this.#failure('open', error as ServerError, faultOf(error as ServerError) === 'passing');
    }
  }

  /** Sentences about what is reached. Rejects with a `ReefError`. */
  async probe(signal: AbortSignal): Promise<readonly string[]> {
    const { id, settings, connections } = this.#parts;
    try {
      return await connections.with(
        (connection) => probeTable(connection, settings, `PostgreSQL sink "${id}"`),
        signal,
        () => false,
      );
    } catch (error) {
      throw this.#failure('open', error as ServerError, false);
    }
  }

  async send(bulk: Bulk, signal: AbortSignal): Promise<Undelivered | undefined> {
    try {
      if (!this.#statements) await this.prepare(signal);
      const statements = this.#statements!;
      return await this.#parts.connections.with(
        (connection) => store(connection, statements, bulk),
        signal,
        (error) => faultOf(error) === 'row',
      );
    } catch (error) {
      const fault = faultOf(error as ServerError);
      // The statement was one, so nothing of it is there. A lone row that is refused is the one to blame.
      if (fault === 'row') return { split: reasonOf(error as ServerError) };
      if (fault === 'settings') this.#statements = undefined;
      throw this.#failure('write to', error as ServerError, true);
    }
  }

  async close(): Promise<void> {
    await this.#parts.connections.close();
  }

  #failure(action: string, error: ServerError, retry: boolean): ReefError {
    if (error instanceof ReefError && !error.retry && !retry) return error;
    const { id, settings } = this.#parts;
    const where = settings.host.startsWith('/') ? settings.host : `${settings.host}:${settings.port}`;
    const reason = error instanceof ReefError ? error.message : reasonOf(error);
    const text = `Cannot ${action} PostgreSQL sink "${id}": ${where}: ${reason}`;
    return new ReefError(retry ? 'io' : 'config', text, { cause: error, retry });
  }
}

async function store(connection: Connection, { copy, insert }: Statements, bulk: Bulk): Promise<Undelivered | undefined> {
  if (copy) {
    const [lone, ...others] = copy.columns;
    await connection.copy(copy.text, others.length > 0 ? copyCsv(bulk) : copyText(bulk, lone!));
    return undefined;
  }
  const { text, known } = insert!;
  const { rows } = await connection.query(text, known === undefined ? [jsonArray(bulk)] : [jsonArray(bulk), known]);
  if (rows.length === 0) return undefined;
  const refused = rows.map(([number, names]) => ({
    row: Number(number) - 1,
    reason: `the table has no place for ${names}, expected "unknown_columns" to say where that goes`,
  }));
  return { refused };
}

/** The rows as one JSON array: their line ends become commas. */
function jsonArray({ bytes, rows, offsets }: Bulk): Buffer {
  const first = offsets[0]!;
  const last = offsets[rows]!;
  const out = Buffer.allocUnsafe(last - first + 1);
  out[0] = BRACKET_OPEN;
  out.set(bytes.subarray(first, last), 1);
  for (let row = 1; row < rows; row++) out[offsets[row]! - first] = COMMA;
  out[out.length - 1] = BRACKET_CLOSE;
  return out;
}
