/**
 * The HTTP client that Reef takes, alone: sends one bulk that is ready again and again, eight at a time as the sink does, and reads the
 * answers as text. It looks at no row. `opensearch-library.ts URL INDEX ROWS FILE`: the bulk is the first 5000 rows of the file.
 */
import { open } from 'node:fs/promises';
import { Pool } from 'undici';

const ROWS_PER_BULK = 5000;
const [url, index, rows, path] = process.argv.slice(2) as [string, string, string, string];
const lines: string[] = [];
for await (const line of (await open(path)).readLines()) {
  lines.push(line);
  if (lines.length === ROWS_PER_BULK) break;
}
const body = Buffer.from(lines.map((line) => `{"index":{}}\n${line}\n`).join(''));
const pool = new Pool(url, { connections: 8 });
let left = Number(rows) / lines.length;

async function send(): Promise<void> {
  while (left-- > 0) {
    const answer = await pool.request({
      method: 'POST',
      path: `/${index}/_bulk`,
      headers: { 'content-type': 'application/x-ndjson' },
      body,
    });
    const said = await answer.body.text();
    if (answer.statusCode !== 200 || !said.includes('"errors":false'))
      throw new Error(`${answer.statusCode}: ${said.slice(0, 500)}`);
  }
}

await Promise.all(Array.from({ length: 8 }, send));
await pool.close();
