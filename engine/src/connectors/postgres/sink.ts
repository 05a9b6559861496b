import { openClientTls } from '../../net/client-tls.ts';
import { bulkLimits } from '../../spec/bulk-settings.ts';
import type { BulkSink } from '../../spec/bulk-sink.ts';
import type { ProbeContext } from '../../spec/node.ts';
import { bulkSink, type SinkContext } from '../../spec/sink.ts';
import { loadLibrary } from './client.ts';
import { Connections } from './connections.ts';
import { PostgresSink } from './postgres-sink.ts';
import { checkSettings, copySides, settings } from './settings.ts';

export default bulkSink({
  summary: 'Writes rows into a table of PostgreSQL.',
  settings,
  check: checkSettings,
  codecs: ['json'],
  requires: { pg: '8.23.1', 'pg-copy-streams': '7.0.0' },
  delivery:
    'At least once: a bulk is one statement, so all of it is there or nothing, and its rows count as delivered when the server has committed it. When the answer is lost on the way it is sent again, so rows may stand there twice, unless `on_conflict` with a key makes that harmless. A row that the table cannot take goes to the error table with what the server said; what may pass (SQLSTATE classes 08, 25, 40, 53, 55, 57, 58, XX: shutdown, deadlock, serialization failure, full disk, too many connections) is tried again for ever.',
  security:
    'TLS is required unless `encryption: none`, and the certificate is checked with its name. Passwords are secrets and are proven by SCRAM-SHA-256 where the server asks for it; a client certificate works too. The user needs INSERT on the table (and SELECT and UPDATE of it with `on_conflict`), CREATE on its schema only with `create_table`. Names of tables and columns are quoted; types in `create_table` go into SQL as they stand.',
  examples: [
    {
      title: 'COPY of three columns',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the punchline.
      yaml: 'id: out\nkind: sink\ntype: postgres\nsettings:\n  host: db.example\n  database: metrics\n  user: reef\n  password: ${PGPASSWORD}\n  table: readings\n  columns: {sensor: sensor, at: time, value: value}\n',
      needs: 'a server',
    },
    {
      title: 'Every row once, whatever comes twice',
      yaml: 'id: out\nkind: sink\ntype: postgres\nsettings:\n  host: /var/run/postgresql\n  encryption: none\n  database: shop\n  user: reef\n  table: audit.orders\n  create_table: {id: bigint, placed: timestamptz not null, more: jsonb}\n  conflict_columns: [id]\n  on_conflict: update\n  unknown_columns: store\n  unknown_column: more\n',
      needs: 'a server',
    },
  ],
  reads: ({ columns }) => Object.values(columns ?? {}),
  sideColumns: copySides,
  probe,
  open: openPostgresSink,
});

type Context = Pick<SinkContext<typeof settings>, 'id' | 'settings' | 'folder' | 'log'>;

async function makeSink({ id, settings: given, folder, log }: Context): Promise<PostgresSink> {
  const library = await loadLibrary(`PostgreSQL sink "${id}"`);
  const tls = given.encryption === 'none' ? undefined : await openClientTls(given.tls, folder, `sink "${id}"`, log);
  const connections = new Connections({ library, settings: given, tls });
  return new PostgresSink({ id, settings: given, limits: bulkLimits(given), connections });
}

async function openPostgresSink(context: Context): Promise<BulkSink> {
  const sink = await makeSink(context);
  try {
    await sink.prepare(new AbortController().signal);
  } catch (error) {
    if (context.settings.required_at_start || !(error as { retry?: boolean }).retry) {
      await sink.close();
      throw error;
    }
    context.log.warn(`${(error as Error).message}; the run starts and waits for it`);
  }
  return sink;
}

async function probe(context: ProbeContext<typeof settings>): Promise<readonly string[]> {
  const sink = await makeSink(context);
  try {
    return await sink.probe(context.signal);
  } finally {
    await sink.close();
  }
}
