import { setTimeout as delay } from 'node:timers/promises';
import type { ColumnDeclaration } from '../../spec/column-type.ts';
import type { Feed, Position } from '../../spec/feed.ts';
import { choice, group, integer, json, list, map, number, type Settings, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';
import { type Source, type SourceContext, source } from '../../spec/source.ts';
import { compileField, type FieldSettings, fieldProblem } from './fields.ts';
import { type Lines, type LinesPosition, openLines } from './lines.ts';
import { compileMessages, type Row } from './messages.ts';

const value = json('A value; in a string, `%{name}` stands for a field.');
const row = map(value, 'The columns of a message.');

const field = group(
  {
    name: text('The name that `%{name}` refers to.'),
    type: choice(
      ['random', 'list', 'counter', 'timestamp'],
      '`random`: a number between `min` and `max`, both included; `list`: one of `content`, at random; `counter`: from `min` upwards, after `max` from `min` again; `timestamp`: the present time.',
    ),
    min: number('The smallest number. The default is 0.', { optional: true }),
    max: number('The largest number. The default is 100 for `random`, and no bound for `counter`.', { optional: true }),
    content: list(value, 'The values of a `list`.', { optional: true }),
    format: text(
      'The pattern of a `timestamp` as Java writes it, such as `MMM dd HH:mm:ss`, in UTC; `unix` or `unix_ms` give a number. The default is ISO 8601.',
      { optional: true },
    ),
  },
  'A field.',
);

const settings = {
  interval: number('Time between two messages. 0: as fast as they are taken.', { default: 1000, min: 0, unit: 'ms' }),
  messages_column: list(row, 'The messages, sent in turn, each as its columns.', { optional: true }),
  columns: list(row, 'The same as `messages_column`, as Punch also names it.', { optional: true }),
  messages: list(
    text('A text; `%{name}` stands for a field.'),
    'The messages as texts, sent in turn, in the first column that `out` declares whose name does not begin with `_ppf_` (`data` where none is declared).',
    { optional: true },
  ),
  messages_size: integer('How many messages to send in all. -1: without end.', { default: -1, min: -1 }),
  fields: list(
    field,
    'What `%{name}` in messages stands for; `%{message_num}` is the number of the message, from 0. A name that is not listed goes out as it is.',
    { default: [] },
  ),
};

type GeneratorSettings = Settings<typeof settings>;
type Context = SourceContext<typeof settings>;

export default source({
  summary: 'Makes rows from templates: for demonstrations, simulations and load.',
  settings,
  codecs: ['json'],
  delivery:
    'At least once: the position is the number of messages, and the same number gives the same message again (but for timestamps).',
  security: 'It reads nothing: all that it sends stands in the punchline.',
  examples: [
    {
      title: 'A row a second',
      yaml: 'id: in\nkind: source\ntype: generator\nsettings:\n  interval: 1000\n  messages_column:\n    - data: "<14> Nov 23 10:30:45 host app: ready"\nout:\n  - id: next\n',
      needs: 'somebody to stop it',
    },
    {
      title: 'A thousand different rows at once',
      yaml: 'id: in\nkind: source\ntype: generator\nsettings:\n  interval: 0\n  messages_size: 1000\n  fields:\n    - {name: port, type: random, min: 1024, max: 32769}\n    - {name: host, type: list, content: [web1, web2]}\n  messages_column:\n    - {id: "%{message_num}", host: "%{host}", text: "%{host}:%{port}"}\nout:\n  - id: next\n',
    },
  ],
  check: checkSettings,
  columns: columnsOf,
  open: (context) => new Generator(context),
});

function checkSettings(given: GeneratorSettings): SettingIssue[] {
  const issues: SettingIssue[] = [];
  const kinds = (['messages_column', 'columns', 'messages'] as const).filter((name) => given[name] !== undefined);
  const [first, second] = kinds;
  if (first === undefined) issues.push({ path: [], message: 'has no messages, expected messages_column or messages' });
  else if (second !== undefined) issues.push({ path: [second], message: `stands beside ${first}, expected one of both` });
  else if (given[first]?.length === 0) issues.push({ path: [first], message: 'is empty, expected at least one message' });
  given.fields.forEach((entry, index) => {
    const problem = fieldProblem(entry as FieldSettings);
    if (problem !== undefined) issues.push({ path: ['fields', index], message: problem });
  });
  return issues;
}

function rowsOf({ messages_column, columns }: GeneratorSettings): readonly Row[] | undefined {
  return messages_column ?? columns;
}

function columnsOf(given: GeneratorSettings): readonly ColumnDeclaration[] | undefined {
  const names = new Set(rowsOf(given)?.flatMap((message) => Object.keys(message)));
  return names.size === 0 ? undefined : [...names].map((name) => ({ name, type: 'any' }));
}

const PARTITION = 'messages';
/** After a longer pause (nothing was taken) the missed messages are not sent in one burst. */
const MOST_LAG_MS = 1000;

class Generator implements Source {
  readonly repeats = true;
  readonly #context: Context;
  #lines: Lines | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    const start = (feed.resume.get(PARTITION) as LinesPosition | undefined) ?? { messages: 0, offset: 0 };
    const lines = this.#open(start);
    const position = (offset: number): Position => ({ messages: lines.messagesAt(offset), offset });
    const partition = feed.partition(PARTITION, { offset: start.offset, position });
    const { interval, messages_size } = this.#context.settings;
    const limit = messages_size === -1 ? Number.POSITIVE_INFINITY : messages_size;
    const clock = interval === 0 ? undefined : startClock(interval, () => lines.message);
    try {
      while (!signal.aborted && lines.has(limit)) {
        const until = Math.min(limit, clock?.due() ?? limit);
        while (!signal.aborted && lines.has(until)) {
          const room = await partition.room();
          const length = lines.fill(room, until);
          partition.advance(length, { flush: interval > 0 && !lines.has(until) });
        }
        if (clock !== undefined && lines.has(limit)) await delay(clock.wait(), undefined, { signal });
      }
    } catch (error) {
      if (signal.aborted) return;
      throw error;
    }
    if (!signal.aborted) await partition.end();
  }

  committed(_partition: string, position: Position): void {
    this.#lines?.committed((position as unknown as LinesPosition).offset);
  }

  async close(): Promise<void> {}

  #open(start: LinesPosition): Lines {
    const { declared, settings: given } = this.#context;
    const texts = new Set(declared?.filter(({ type }) => type === 'string').map(({ name }) => name));
    const column = declared?.find(({ name }) => !name.startsWith('_ppf_'))?.name ?? 'data';
    const rows = rowsOf(given) ?? (given.messages ?? []).map((message) => ({ [column]: message }));
    const fields = new Map(given.fields.map((entry, index) => [entry.name, compileField(entry as FieldSettings, index)]));
    this.#lines = openLines(compileMessages(rows, fields, texts), start);
    return this.#lines;
  }
}

interface Clock {
  /** The number of messages that should be out by now. */
  due(): number;
  /** Milliseconds until the next is due. */
  wait(): number;
}

/** Message n of this run is due n intervals after the start, whatever the timers do in between. */
function startClock(interval: number, sent: () => number): Clock {
  const first = sent();
  let start = performance.now();
  return {
    due() {
      const now = performance.now();
      start = Math.max(start, now - MOST_LAG_MS - (sent() - first) * interval);
      return first + Math.floor((now - start) / interval) + 1;
    },
    wait: () => Math.max(0, start + (sent() - first) * interval - performance.now()),
  };
}
