import { isatty } from 'node:tty';
import { choice, integer } from '../../spec/fields.ts';
import { type Sink, type SinkChunk, type SinkContext, sink } from '../../spec/sink.ts';
import type { ByteWriter } from '../stdout/byte-writer.ts';
import { openStandardOutput } from '../stdout/standard-output.ts';
import { renderTable, type TableOptions } from './table.ts';

const settings = {
  rows: integer('How many rows to show, the first ones; the others count as delivered. 0 shows all.', {
    default: 10,
    min: 0,
    unit: 'rows',
  }),
  format: choice(
    ['table', 'json'],
    '`table`: columns side by side, fitted to the width of the terminal; `json`: one row per line, as it is.',
    { default: 'table' },
  ),
};

export default sink({
  summary: 'Shows the first rows to people, on standard output.',
  settings,
  codecs: ['json'],
  delivery:
    'Rows beyond those it shows count as delivered; what is on the screen cannot be taken back, so a restart may show rows again.',
  security: 'Whoever sees the output sees the rows. Control characters in them are shown, not sent to the terminal.',
  examples: [
    {
      title: 'The first 20 rows as a table',
      yaml: 'id: screen\nkind: sink\ntype: show\nsettings:\n  rows: 20\n',
      input: [
        { id: 'us1', magnitude: 6.4, place: 'Hualian' },
        { id: 'us2', magnitude: 2, place: 'Jarm' },
      ],
    },
  ],
  async open(context) {
    return new ShowSink(context, await openStandardOutput(), terminal());
  },
});

/** What is known of standard output; without a terminal there is no colour, and lines as wide as COLUMNS says. */
function terminal(): TableOptions {
  const isTerminal = isatty(1);
  const width = (isTerminal ? process.stdout.columns : Number(process.env.COLUMNS)) || 120;
  return { width, color: isTerminal && !process.env.NO_COLOR && process.env.TERM !== 'dumb' };
}

export class ShowSink implements Sink {
  readonly #output: ByteWriter;
  readonly #options: TableOptions;
  readonly #json: boolean;
  /** A batch shows one table when it has its rows. A stream may be slow: its rows are shown as they come. */
  readonly #atOnce: boolean;
  #left: number;
  #rows: string[] = [];

  constructor(
    context: Pick<SinkContext<typeof settings>, 'settings' | 'punchlineKind'>,
    output: ByteWriter,
    options: TableOptions,
  ) {
    const { rows, format } = context.settings;
    this.#output = output;
    this.#options = options;
    this.#json = format === 'json';
    this.#left = rows === 0 ? Number.MAX_SAFE_INTEGER : rows;
    this.#atOnce = this.#json || rows === 0 || context.punchlineKind === 'StreamPunchline';
  }

  wanted(): number {
    return this.#left;
  }

  async write({ bytes }: SinkChunk): Promise<undefined> {
    const rows = firstLines(bytes, this.#left);
    this.#left -= rows.length;
    this.#rows.push(...rows);
    if (this.#atOnce || this.#left === 0) await this.#print();
    return undefined;
  }

  async close(): Promise<void> {
    await this.#print();
    await this.#output.close();
  }

  async #print(): Promise<void> {
    const rows = this.#rows;
    if (rows.length === 0) return;
    this.#rows = [];
    const text = this.#json ? `${rows.join('\n')}\n` : renderTable(rows, this.#options);
    await this.#output.write(Buffer.from(text));
  }
}

function firstLines(bytes: Uint8Array, most: number): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines: string[] = [];
  for (let at = 0; at < buffer.length && lines.length < most; ) {
    const newline = buffer.indexOf(0x0a, at);
    const end = newline === -1 ? buffer.length : newline;
    lines.push(buffer.toString('utf8', at, end));
    at = end + 1;
  }
  return lines;
}
