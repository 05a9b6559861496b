import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../../testing/certificates.ts';
import { wholeFile } from '../../testing/owner.ts';
import { missing } from '../../testing/servers/needs.ts';
import { type Postgres, postgres, startPostgres } from '../../testing/servers/postgres.ts';
import { sinkConforms } from '../testing/conformance/conforms.ts';
import type { Row } from '../testing/conformance/rows.ts';
import type { SettingsOptions } from '../testing/conformance/sides.ts';

const skip = await missing(postgres);
const shared = skip ? undefined : await startPostgres(wholeFile);
let tables = 0;

async function makeTable(db: Postgres, name: string): Promise<void> {
  await db.sql(`CREATE TABLE ${name} (seq bigserial, n int, text text); ALTER TABLE ${name} OWNER TO reef`);
}

sinkConforms(
  {
    type: 'postgres',
    except: {
      rows: 'Texts of PostgreSQL cannot hold U+0000: such a row goes to the error table. All others arrive as they were.',
    },
    async open(_t, folder) {
      writeFileSync(join(folder, 'password'), shared!.password);
      writeFileSync(join(folder, 'wrong'), 'not the password');
      const table = `conforms_${++tables}`;
      await makeTable(shared!, table);
      let target = shared!;
      const settings = ({ port, impatient }: SettingsOptions) => ({
        port,
        encryption: 'none',
        database: shared!.database,
        user: shared!.user,
        password: `\${file:password}`,
        table,
        columns: { n: 'n', text: 'text' },
        ...(impatient ? { connect_timeout_secs: 1, statement_timeout_secs: 1 } : {}),
        retry: { initial_ms: 20, max_ms: 500 },
      });
      return {
        settings,
        serverPort: shared!.ports.postgres,
        server: shared!,
        read: async () => {
          const lines = await target.sql(`SELECT json_build_object('n', n, 'text', text) FROM ${table} ORDER BY seq`);
          return lines.map((line) => JSON.parse(line) as Row);
        },
        wrongPassword: (options) => ({ ...settings(options), password: `\${file:wrong}` }),
        tlsServer: async (t, certificate: Certificate) => {
          target = await startPostgres(t, { tls: certificate });
          await makeTable(target, table);
          return target.ports.postgres;
        },
        tls: ({ caFile, ...options }) => ({
          ...settings(options),
          host: 'localhost',
          encryption: 'required',
          tls: { ca_file: caFile },
        }),
      };
    },
  },
  { skip },
);
