import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ColumnDeclaration } from '../../spec/column-type.ts';
import type { Position } from '../../spec/feed.ts';
import type { Settings } from '../../spec/fields.ts';
import { FakeFeed, type FakeFeedOptions } from '../testing/fake-feed.ts';
import { TestLog, withDefaults } from '../testing/test-context.ts';
import { dateFormat } from './date-format.ts';
import { randomUnit } from './random.ts';
import generator from './source.ts';

type Given = Partial<Settings<typeof generator.settings>>;
type Field = NonNullable<Given['fields']>[number];

function field(given: Partial<Field> & Pick<Field, 'name' | 'type'>): Field {
  return { min: undefined, max: undefined, content: undefined, format: undefined, ...given };
}

async function openGenerator(given: Given, declared?: readonly ColumnDeclaration[]) {
  return generator.open({
    id: 'in',
    settings: withDefaults(generator.settings, { interval: 0, ...given }),
    folder: '/',
    punchlineKind: 'BatchPunchline',
    log: new TestLog(),
    count() {},
    hindered() {},
    codec: { name: 'json' },
    declared,
    referenced: new Set<string>(),
  });
}

async function generate(given: Given, options: FakeFeedOptions = {}, declared?: readonly ColumnDeclaration[]): Promise<FakeFeed> {
  const feed = new FakeFeed(options);
  await (await openGenerator(given, declared)).run(feed, new AbortController().signal);
  return feed;
}

function rows(feed: FakeFeed): Record<string, unknown>[] {
  return feed.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const varied: Given = {
  messages_size: 500,
  messages_column: [{ n: '%{message_num}', text: 'é %{word} "%{word}"', port: '%{port}' }, { other: '%{port}:%{word}' }],
  fields: [
    field({ name: 'port', type: 'random', min: 1, max: 30_000 }),
    field({ name: 'word', type: 'list', content: ['a', 'long "quoted" word', '日本', 7] }),
  ],
};
const repeated: Given = { messages_size: 500, messages_column: [{ a: 1 }, { b: 'zwei', c: [1, null] }, { d: 'é' }] };

describe('generator source', () => {
  test('sends messages in turn, with values of any kind, and ends', async () => {
    const feed = await generate({
      messages_size: 4,
      messages_column: [{ a: 1.5, b: [1, null], c: { d: true } }, { data: 'x "y"\n' }],
    });
    assert.equal(feed.text, '{"a":1.5,"b":[1,null],"c":{"d":true}}\n{"data":"x \\"y\\"\\n"}\n'.repeat(2));
    assert.equal(feed.partitions.get('messages')?.ended, true);
  });

  test('sends texts in the first declared column that is not reserved', async () => {
    const declared = [
      { name: '_ppf_id', type: 'string' },
      { name: 'log', type: 'string' },
    ] as const;
    assert.equal((await generate({ messages_size: 1, messages: ['hi'] }, {}, declared)).text, '{"log":"hi"}\n');
    assert.equal((await generate({ messages_size: 1, messages: ['hi'] })).text, '{"data":"hi"}\n');
  });

  test('what names no field goes out as it is', async () => {
    assert.equal(
      (await generate({ messages_size: 1, messages: ['%{src_ip}:%{src_port} 100%'] })).text,
      '{"data":"%{src_ip}:%{src_port} 100%"}\n',
    );
  });

  test('a lone number stays a number, unless its column is declared as text', async () => {
    const given: Given = { messages_size: 2, messages_column: [{ id: '%{message_num}' }] };
    assert.equal((await generate(given)).text, '{"id":0}\n{"id":1}\n');
    assert.equal((await generate(given, {}, [{ name: 'id', type: 'string' }])).text, '{"id":"0"}\n{"id":"1"}\n');
  });

  test('random numbers keep their bounds and reach both, counters turn over', async () => {
    const fields = [
      field({ name: 'r', type: 'random', min: 3, max: 6 }),
      field({ name: 'f', type: 'random', min: 0.5, max: 0.75 }),
      field({ name: 'c', type: 'counter', min: 34, max: 35 }),
    ];
    const all = rows(await generate({ messages_size: 300, messages_column: [{ r: '%{r}', f: '%{f}', c: '%{c}' }], fields }));
    assert.deepEqual([...new Set(all.map(({ r }) => r))].sort(), [3, 4, 5, 6]);
    assert.ok(all.every(({ f }) => (f as number) >= 0.5 && (f as number) <= 0.75));
    assert.deepEqual(
      all.slice(0, 4).map(({ c }) => c),
      [34, 35, 34, 35],
    );
  });

  test('timestamps follow the clock in the pattern', async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.UTC(2023, 10, 4, 5, 6, 7, 89) });
    const fields = [
      field({ name: 'syslog', type: 'timestamp', format: 'MMM dd HH:mm:ss' }),
      field({ name: 'unix', type: 'timestamp', format: 'unix' }),
      field({ name: 'iso', type: 'timestamp' }),
    ];
    const feed = await generate({ messages_size: 1, messages_column: [{ a: '%{syslog}', b: '%{unix}', c: '%{iso}' }], fields });
    assert.equal(feed.text, '{"a":"Nov 04 05:06:07","b":1699074367,"c":"2023-11-04T05:06:07.089Z"}\n');
  });

  for (const [title, given] of Object.entries({ 'varied rows': varied, 'repeated rows': repeated })) {
    test(`${title} are the same through rooms of any size`, async () => {
      const whole = (await generate(given)).text;
      assert.equal(whole.split('\n').length, 501);
      for (const roomBytes of [1, 13, 1000]) assert.equal((await generate(given, { roomBytes })).text, whole);
    });

    test(`${title} go on behind any row exactly where they were`, async () => {
      const feed = await generate(given, { roomBytes: 1000 });
      const lines = feed.text.trimEnd().split('\n');
      let offset = 0;
      for (const [index, line] of lines.entries()) {
        const position = feed.partitions.get('messages')?.positionAt(offset) as Position;
        assert.deepEqual(position, { messages: index, offset });
        if (index % 97 === 0) {
          const again = await generate(given, { resume: { messages: position } });
          assert.equal(again.text, `${lines.slice(index).join('\n')}\n`);
          const end = Buffer.byteLength(feed.text);
          assert.deepEqual(again.partitions.get('messages')?.positionAt(end), { messages: 500, offset: end });
        }
        offset += Buffer.byteLength(line) + 1;
      }
    });
  }

  test('forgets where committed rows ended, not where others did', async () => {
    const source = await openGenerator(varied);
    const feed = new FakeFeed({ roomBytes: 500 });
    await source.run(feed, new AbortController().signal);
    const lines = feed.text.split('\n');
    const offset = Buffer.byteLength(`${lines.slice(0, 300).join('\n')}\n`);
    await source.committed?.('messages', { messages: 300, offset });
    assert.deepEqual(feed.partitions.get('messages')?.positionAt(offset), { messages: 300, offset });
  });

  test('keeps its pace without drift, whatever the timers do', async (t) => {
    const clock = fakeClock(t);
    const stop = new AbortController();
    const feed = new FakeFeed({ signal: stop.signal });
    const running = (await openGenerator({ interval: 10, messages: ['x'] })).run(feed, stop.signal);
    const count = (): number => feed.text.split('\n').length - 1;
    await feed.until(() => count() === 1);
    await clock.advance(25);
    await feed.until(() => count() === 3);
    await clock.advance(5);
    await feed.until(() => count() === 4);
    // After a pause of a minute no more than a second's worth comes at once.
    await clock.advance(60_000);
    await feed.until(() => count() > 4);
    assert.ok(count() <= 106, `${count()} messages`);
    stop.abort();
    await running;
    assert.ok((feed.partitions.get('messages')?.flushes ?? 0) >= 4);
  });

  test('stops while it waits for the next message', async () => {
    const stop = new AbortController();
    const feed = new FakeFeed({ signal: stop.signal });
    const running = (await openGenerator({ interval: 1e6, messages: ['x'] })).run(feed, stop.signal);
    await feed.until(() => feed.text !== '');
    stop.abort();
    await running;
    assert.equal(feed.partitions.get('messages')?.ended, false);
  });

  test('settings that contradict each other are named', () => {
    const check = (given: Given) =>
      generator.check?.(withDefaults(generator.settings, given)).map(({ path, message }) => `${path.join('.')} ${message}`);
    assert.deepEqual(check({ messages: ['x'] }), []);
    assert.deepEqual(check({}), [' has no messages, expected messages_column or messages']);
    assert.deepEqual(check({ messages: ['x'], columns: [{ a: 1 }] }), ['messages stands beside columns, expected one of both']);
    assert.deepEqual(
      check({
        messages: ['x'],
        fields: [
          field({ name: 'a', type: 'random', min: 3, max: 1 }),
          field({ name: 'b', type: 'list' }),
          field({ name: 'c', type: 'timestamp', format: 'QQ' }),
        ],
      })?.map((text) => text.slice(0, 40)),
      [
        'fields.0 max is 1, expected at least min',
        'fields.1 a list needs "content" with at ',
        'fields.2 letter "Q" of date format "QQ" ',
      ],
    );
  });
});

/** Timers and `performance.now` that move only when told to. */
function fakeClock(t: TestContext): { advance(ms: number): Promise<void> } {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  t.mock.timers.enable({ apis: ['setTimeout'] });
  return {
    async advance(ms) {
      // The source sets its timer some turns of the event loop after the last row.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      now += ms;
      t.mock.timers.tick(ms);
    },
  };
}

test('date patterns of Java', () => {
  const date = new Date(Date.UTC(2023, 10, 4, 15, 6, 7, 89));
  for (const [pattern, expected] of [
    ["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", '2023-11-04T15:06:07.089Z'],
    ['dd/MMM/yyyy:HH:mm:ss Z', '04/Nov/2023:15:06:07 +0000'],
    ['EEE, d MMMM yy hh:mm a', 'Sat, 4 November 23 03:06 PM'],
    ["'it''s' ''yy''", "it's '23'"],
  ] as const) {
    assert.equal(dateFormat(pattern)(date), expected);
  }
});

test('random numbers are spread evenly and differ between fields and beyond 2^32', () => {
  const buckets = new Array<number>(10).fill(0);
  for (let n = 0; n < 10_000; n++) buckets[Math.floor(randomUnit(n, 0) * 10)]!++;
  assert.ok(
    buckets.every((count) => count > 850 && count < 1150),
    buckets.join(),
  );
  assert.notEqual(randomUnit(5, 0), randomUnit(5, 1));
  assert.notEqual(randomUnit(5, 0), randomUnit(5 + 2 ** 32, 0));
});
