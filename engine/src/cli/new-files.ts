/** What `reef new` writes: for each kind of node the node itself, a punchline that uses it, and a test. All of it works as it stands. */
import type { NodeKind } from '../spec/plan.ts';

export interface NewFile {
  readonly name: string;
  readonly text: string;
}

/** `name`: in kebab-case. */
export function newFiles(kind: NodeKind, name: string): NewFile[] {
  return {
    source: () => [
      { name: `${name}.ts`, text: sourceText },
      { name: `${name}.yaml`, text: sourcePunchline(name) },
      { name: `${name}.test.yaml`, text: sourceCases(name) },
    ],
    function: () => [
      { name: `${name}.ts`, text: functionText },
      { name: `${name}.yaml`, text: functionPunchline(name) },
      { name: `${name}.test.yaml`, text: functionCases(name) },
    ],
    sink: () => [
      { name: `${name}.ts`, text: sinkText },
      { name: `${name}.yaml`, text: sinkPunchline(name) },
      { name: `${name}.test.ts`, text: sinkTest(name) },
    ],
  }[kind]();
}

const functionText = `import { batchFunction, text } from '@reef/engine';

export default batchFunction({
  summary: 'Adds the column greeting.',
  settings: {
    word: text('What it greets with.', { default: 'Hello' }),
  },
  security: 'It sees only its rows.',
  examples: [],
  // The columns that apply may ask for, and those that it sets.
  reads: () => ['name'],
  writes: () => [{ name: 'greeting', type: 'string' }],
  open: ({ settings }) => ({
    // Called with some thousands of rows at once. Arrays are indexed by the number of the row.
    apply(batch) {
      const name = batch.column('name');
      const strings = new Array<string | undefined>(batch.size);
      for (const row of batch.rows) {
        const value = name.string(row);
        if (value === undefined) batch.reject(row, 'column name is missing or no text');
        else strings[row] = \`\${settings.word}, \${value}\`;
      }
      batch.set('greeting', { strings });
    },
  }),
});
`;

function twoNames(next: string): string {
  return `    - id: in
      kind: source
      type: generator
      settings:
        interval: 0
        messages_size: 2
        messages_column: [{ name: Ada }, { name: Grace }]
      out: [{ id: ${next} }]
`;
}

function functionPunchline(name: string): string {
  return `# reef run ${name}.yaml
kind: BatchPunchline
spec:
  dag:
${twoNames(name)}
    - id: ${name}
      kind: function
      type: ./${name}.ts
      out: [{ id: out }]

    - { id: out, kind: sink, type: show }
`;
}

function functionCases(name: string): string {
  return `# reef test ${name}.yaml
cases:
  - name: names are greeted
    input:
      in: { rows: [{ name: Ada }] }
    expect:
      out: { rows: [{ name: Ada, greeting: "Hello, Ada" }] }

  - name: a row without a name is rejected
    input:
      in: { rows: [{ id: 1 }] }
    expect:
      out: { rows: [] }
      ${name}: { rejected: [{ row: { id: 1 }, reason_includes: name is missing }] }
`;
}

const sourceText = `import { type Feed, feedBytes, integer, type PartitionFeed, type Source, type SourceContext, source } from '@reef/engine';

const settings = {
  count: integer('How many rows it makes.', { default: 3, min: 0, unit: 'rows' }),
};

export default source({
  summary: 'Counts.',
  settings,
  codecs: ['json'],
  delivery: 'At least once: goes on behind the last row that was delivered.',
  security: 'It reads nothing.',
  examples: [],
  columns: () => [{ name: 'n', type: 'integer' }],
  open: (context) => new Counter(context),
});

const PARTITION = 'numbers';

interface Place {
  readonly offset: number;
  readonly n: number;
}

class Counter implements Source {
  readonly #context: SourceContext<typeof settings>;
  /** Where each row ends that is not delivered yet: the engine asks for positions by the number of bytes. */
  #places: Place[] = [];

  constructor(context: SourceContext<typeof settings>) {
    this.#context = context;
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    const start = (feed.resume.get(PARTITION) as unknown as Place | undefined) ?? { offset: 0, n: 0 };
    this.#places = [start];
    const partition = feed.partition(PARTITION, { offset: start.offset, position: (offset) => ({ ...this.#placeAt(offset) }) });
    try {
      await this.#count(start, partition, signal);
      if (!signal.aborted) await partition.end();
    } catch (error) {
      // Waiting for memory ends with an error when the engine stops.
      if (!signal.aborted) throw error;
    }
  }

  /** All up to here is delivered. */
  committed(_partition: string, position: unknown): void {
    this.#places = this.#places.filter(({ offset }) => offset >= (position as Place).offset);
  }

  async close(): Promise<void> {}

  async #count(start: Place, partition: PartitionFeed, signal: AbortSignal): Promise<void> {
    let { offset, n } = start;
    while (n < this.#context.settings.count && !signal.aborted) {
      const line = Buffer.from(\`{"n":\${++n}}\\n\`);
      offset += line.length;
      this.#places.push({ offset, n });
      await feedBytes(partition, line);
    }
  }

  #placeAt(offset: number): Place {
    return this.#places.findLast((place) => place.offset <= offset)!;
  }
}
`;

function sourcePunchline(name: string): string {
  return `# reef run ${name}.yaml
kind: BatchPunchline
spec:
  dag:
    - id: ${name}
      kind: source
      type: ./${name}.ts
      settings: { count: 5 }
      out: [{ id: out }]

    - { id: out, kind: sink, type: show }
`;
}

function sourceCases(name: string): string {
  return `# reef test ${name}.yaml
cases:
  - name: it counts to five
    # The source itself runs, instead of rows of the test.
    real: [${name}]
    expect:
      out: { rows: [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }, { n: 5 }] }

  - name: a sink that refuses gets all rows in the end
    real: [${name}]
    faults:
      - refuse: { sink: out, times: 2 }
    expect:
      out: { nothing_lost: true }
`;
}

const sinkText = `import { appendFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ReefError, sink, text } from '@reef/engine';

export default sink({
  summary: 'Appends rows to a file.',
  settings: {
    path: text('The file; a relative path starts at the folder of the punchline.'),
  },
  codecs: ['json'],
  delivery: 'At least once: after a crash, rows since the last checkpoint stand there twice.',
  security: 'It writes to the file that \`path\` names.',
  examples: [],
  open({ id, folder, settings }) {
    const path = resolve(folder, settings.path);
    return {
      // One call at a time. It resolves when the rows are delivered; until then they are not acknowledged.
      async write({ bytes }) {
        try {
          // A copy: the memory is used again.
          await appendFile(path, Uint8Array.from(bytes));
        } catch (error) {
          // With \`retry\` the engine tries again, with growing pauses; without it the punchline ends.
          const retry = (error as NodeJS.ErrnoException).code === 'ENOSPC';
          throw new ReefError('io', \`Cannot write to sink "\${id}": \${(error as Error).message}\`, { cause: error, retry });
        }
        return undefined;
      },
      async close() {},
    };
  },
});
`;

function sinkPunchline(name: string): string {
  return `# reef run ${name}.yaml
kind: BatchPunchline
spec:
  dag:
${twoNames(name)}
    - id: ${name}
      kind: sink
      type: ./${name}.ts
      settings: { path: ${name}.jsonl }
`;
}

function sinkTest(name: string): string {
  return `// node --test ${name}.test.ts
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openSink } from '@reef/engine/testing';
import spec from './${name}.ts';

test('rows are in the file, in their order', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), '${name}-'));
  t.after(() => rm(folder, { recursive: true }));
  const sink = await openSink(spec, { folder, settings: { path: 'out.jsonl' } });
  await sink.write([{ n: 1 }, { n: 2 }]);
  await sink.write([{ n: 3 }]);
  await sink.close();
  assert.equal(await readFile(join(folder, 'out.jsonl'), 'utf8'), '{"n":1}\\n{"n":2}\\n{"n":3}\\n');
});

test('a wrong folder ends the punchline with a sentence', async () => {
  const sink = await openSink(spec, { settings: { path: '/no/such/folder/out.jsonl' } });
  await assert.rejects(sink.write([{ n: 1 }]), { name: 'ReefError', retry: false, message: /Cannot write to sink "test"/ });
});
`;
}
