import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PunchlineKind } from '../../spec/plan.ts';
import { sharedBytes, withDefaults } from '../testing/test-context.ts';
import showSink, { ShowSink } from './sink.ts';
import { renderTable } from './table.ts';
import { fitText, textWidth } from './text-width.ts';

function show(given: { rows?: number; format?: 'table' | 'json'; kind?: PunchlineKind; width?: number } = {}) {
  const printed: string[] = [];
  const writer = {
    async write(bytes: Uint8Array) {
      printed.push(Buffer.from(bytes).toString());
    },
    async close() {},
  };
  const settings = withDefaults(showSink.settings, {
    ...(given.rows === undefined ? {} : { rows: given.rows }),
    ...(given.format === undefined ? {} : { format: given.format }),
  });
  const punchlineKind = given.kind ?? 'BatchPunchline';
  const sink = new ShowSink({ settings, punchlineKind }, writer, { width: given.width ?? 80, color: false });
  const write = (...rows: unknown[]) => {
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    return sink.write({ bytes: sharedBytes(text), rows: rows.length, partition: 'p' });
  };
  return { sink, write, printed };
}

describe('show sink', () => {
  test('shows one table of the first rows over several chunks, and wants no more', async () => {
    const { sink, write, printed } = show({ rows: 3 });
    assert.equal(sink.wanted(), 3);
    await write({ id: 1, name: 'Ann' }, { id: 22, name: 'Bo' });
    assert.deepEqual(printed, []);
    assert.equal(sink.wanted(), 1);
    await write({ id: 333, name: 'Cy' }, { id: 4, name: 'Di' });
    assert.deepEqual(printed, [' id  name\n───  ────\n  1  Ann\n 22  Bo\n333  Cy\n']);
    assert.equal(sink.wanted(), 0);
    await write({ id: 5 });
    await sink.close();
    assert.equal(printed.length, 1);
  });

  test('shows what it has when the rows end early, and nothing when there were none', async () => {
    const some = show();
    await some.write({ a: 1 });
    await some.sink.close();
    assert.deepEqual(some.printed, ['a\n─\n1\n']);
    const none = show();
    await none.sink.close();
    assert.deepEqual(none.printed, []);
  });

  test('shows the rows of a stream as they come', async () => {
    const { write, printed } = show({ kind: 'StreamPunchline' });
    await write({ a: 1 });
    assert.deepEqual(printed, ['a\n─\n1\n']);
  });

  test('with rows 0 shows all of them', async () => {
    const { sink, write, printed } = show({ rows: 0, format: 'json' });
    for (let n = 0; n < 30; n++) await write({ n });
    assert.equal(printed.join(''), Array.from({ length: 30 }, (_, n) => `{"n":${n}}\n`).join(''));
    assert.ok(sink.wanted() > 1e15);
  });
});

describe('table', () => {
  test('keeps every digit of large integers and the spelling of floats', () => {
    const text = renderTable(['{"n":9007199254740993,"f":1.0,"l":[9007199254740993]}'], { width: 80, color: false });
    assert.match(text, /9007199254740993 {2}1\.0 {2}\[9007199254740993\]/);
  });

  test('cuts the widest columns to fit, then names the ones left out', () => {
    const rows = [JSON.stringify({ short: 1, long: 'x'.repeat(200), also: 'y'.repeat(50) })];
    const narrow = renderTable(rows, { width: 40, color: false });
    for (const line of narrow.trimEnd().split('\n')) assert.ok(textWidth(line) <= 40, line);
    const many = renderTable(
      [JSON.stringify(Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`column${n}`, n * 1e6])))],
      {
        width: 60,
        color: false,
      },
    );
    assert.match(many, /… 2\d more columns: column\d/);
  });

  test('shows control characters instead of sending them to the terminal', () => {
    const text = renderTable([JSON.stringify({ a: '\x1b[31mred\n\u202e' })], { width: 80, color: false });
    assert.match(text, /\\u001b\[31mred\\n\\u202e/);
  });

  test('shows lists, objects, null and rows that lack a column', () => {
    const text = renderTable(['{"a":[1,"x"],"b":null}', '{"b":{"c":true}}', '{}'], { width: 80, color: false });
    assert.equal(text, 'a        b\n───────  ──────────\n[1,"x"]  null\n         {"c":true}\n\n');
  });

  test('is bold at the head only where colour is wanted', () => {
    assert.ok(renderTable(['{"a":1}'], { width: 80, color: true }).startsWith('\x1b[1ma\x1b[22m\n'));
  });
});

test('text is measured in cells of a terminal', () => {
  assert.equal(textWidth('abc'), 3);
  assert.equal(textWidth('日本'), 4);
  assert.equal(textWidth('e\u0301'), 1);
  assert.equal(textWidth('🐚'), 2);
  assert.equal(fitText('日本語', 4), '日…');
  assert.equal(fitText('abcdef', 4), 'abc…');
});
