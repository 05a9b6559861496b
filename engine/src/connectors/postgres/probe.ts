import { ReefError } from '../../errors.ts';
import type { Connection } from './connections.ts';
import { copies, type PostgresSettings } from './settings.ts';
import { prepareTable, quotedName } from './table.ts';

/** Looks at the table and the rights of the user without changing anything. Rejects as the start of a run would. */
export async function probeTable(connection: Connection, given: PostgresSettings, subject: string): Promise<readonly string[]> {
  const table = quotedName(given.table);
  const { rows } = await connection.query(
    "SELECT current_setting('server_version'), current_user, to_regclass($1) IS NOT NULL, has_table_privilege(to_regclass($1), 'INSERT')",
    [table],
  );
  const [version, user, there, allowed] = rows[0]!;
  const reached = `reaches PostgreSQL ${version} at ${given.host}:${given.port} as "${user}"`;
  if (!there && given.create_table !== undefined) return [reached, `would make table ${given.table}`];
  const { copy } = await prepareTable(connection.client, { ...given, create_table: undefined }, subject);
  if (!allowed)
    throw new ReefError('config', `Cannot open ${subject}: "${user}" may not write to table ${given.table}, expected INSERT`);
  const way = copy ? 'COPY' : 'INSERT';
  return [reached, `may write to table ${given.table}, by ${way}${copies(given) && !copy ? ' (it has lists)' : ''}`];
}
