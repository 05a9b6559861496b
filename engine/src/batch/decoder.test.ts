import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ArenaFullError } from './row-batch.ts';
import { testBench } from './testing.ts';

const variants = ['simd', 'scalar', 'debug'] as const;

for (const variant of variants) {
  test(`untouched rows go out as the bytes that came in (${variant})`, () => {
    const rows = ['{"a":1}', '{ "b" : [1, 2] , "a":"\\u0041" }', '{}', '{"a":1,"a":2}', `{"long":"${'x'.repeat(500)}"}`];
    const bench = testBench({ columns: ['a'], variant });
    const { view, consumed } = bench.decode(`${rows.join('\n')}\n`);
    assert.equal(bench.encode(view), `${rows.join('\n')}\n`);
    assert.equal(bench.encode(view, 'json', 600), `${rows.join('\n')}\n`, 'in pieces');
    assert.equal(consumed, bench.input + rows.join('\n').length + 1);
    const messy = bench.decode(` {"a":1}\r\n\n  {"a":2}  \n{"a":3}`);
    assert.equal(bench.encode(messy.view), '{"a":1}\n{"a":2}\n{"a":3}\n');
  });

  test(`rows after bad ones keep their numbers, and bad ones are rejected with reasons (${variant})`, () => {
    const bench = testBench({ columns: ['a'], variant });
    const decoded = bench.decode('{"a":1}\n{"a":\n[1]\n{"a":2}\n');
    assert.deepEqual(Array.from(decoded.view.rows), [0, 3]);
    assert.equal(decoded.rows, 4);
    assert.equal(decoded.malformed, 1);
    assert.equal(decoded.notObject, 1);
    assert.deepEqual(
      decoded.rejected.map(({ row }) => row),
      [1, 2],
    );
    assert.match(decoded.rejected[0]!.reason, /^the row is not valid JSON: .*, at byte \d+$/);
    assert.equal(decoded.rejected[1]!.reason, 'the row is valid JSON but no object');
    assert.equal(Buffer.from(decoded.raw(1)).toString(), '{"a":');
    assert.equal(Buffer.from(decoded.view.encodeRow(1)).toString(), '{"a":');
    assert.equal(bench.encode(decoded.view), '{"a":1}\n{"a":2}\n');
  });
}

test('offsets and ids count from the partition, and a row keeps its own id', () => {
  const bench = testBench({ columns: ['_ppf_id', '_ppf_timestamp'] });
  const { view, offset } = bench.decode('{"a":1}\n{"_ppf_id":"mine"}\n{}\n', {
    offset: 5_000_000_000,
    idPrefix: 'in:"x":',
    timestamp: 1_700_000_000_123,
  });
  assert.deepEqual([0, 1, 2].map(offset), [5_000_000_000, 5_000_000_008, 5_000_000_027]);
  assert.equal(view.column('_ppf_id').string(0), 'in:"x":5000000000');
  assert.equal(view.column('_ppf_id').string(1), 'mine');
  assert.equal(view.column('_ppf_timestamp').i64()[2], 1_700_000_000_123n);
  assert.equal(bench.encode(view), '{"a":1}\n{"_ppf_id":"mine"}\n{}\n', 'they are written only where they are declared');
  const renamed = view.clone();
  renamed.rename('_ppf_id', 'id');
  assert.deepEqual(bench.rows(renamed), [{ a: 1, id: 'in:"x":5000000000' }, { id: 'mine' }, { id: 'in:"x":5000000027' }]);
  view.project([{ name: '_ppf_id', type: 'string' }]);
  assert.deepEqual(bench.rows(view), [{ _ppf_id: 'in:"x":5000000000' }, { _ppf_id: 'mine' }, { _ppf_id: 'in:"x":5000000027' }]);
});

test('fewer rows are decoded when fewer are asked for, and the rest is left', () => {
  const bench = testBench({ columns: ['a'] });
  const text = Array.from({ length: 40 }, (_, i) => (i % 10 === 3 ? 'bad' : i % 10 === 4 ? '4' : `{"a":${i}}`)).join('\n');
  for (const maxRows of [1, 5, 16, 17, 40, 1000]) {
    const decoded = bench.decode(text, { maxRows });
    const rows = text.split('\n').slice(0, maxRows);
    assert.equal(decoded.rows, rows.length);
    assert.equal(decoded.malformed, rows.filter((row) => row === 'bad').length);
    assert.equal(decoded.notObject, rows.filter((row) => row === '4').length);
    assert.equal(decoded.rejected.length, decoded.malformed + decoded.notObject);
    const rest = text.slice(decoded.consumed - bench.input).trimStart();
    assert.equal(rest, text.split('\n').slice(maxRows).join('\n'));
  }
});

test('documents that the engine makes are decoded beside a batch without disturbing it', () => {
  const bench = testBench({ columns: ['a', '_ppf_error_document'] });
  const { view } = bench.decode('{"a":1}\n{"a":2}\n');
  view.set('a', { strings: ['x', 'y'] });
  const documents = bench.decodeText('{"_ppf_error_document":"{\\"reason\\":\\"no\\"}"}\n{"_ppf_error_document":"é"}\n');
  documents.view.set('a', { constant: 1 });
  assert.deepEqual(bench.rows(documents.view), [
    { _ppf_error_document: '{"reason":"no"}', a: 1 },
    { _ppf_error_document: 'é', a: 1 },
  ]);
  documents.view.project([{ name: '_ppf_error_document', type: 'string' }]);
  assert.equal(bench.encode(documents.view, 'line'), '{"reason":"no"}\né\n');
  assert.deepEqual(bench.rows(view), [{ a: 'x' }, { a: 'y' }]);
});

test('a batch that the arena cannot hold says so, and a smaller one is decoded afterwards', () => {
  const bench = testBench({ columns: ['a'], maxRows: 65_536, arena: 1 });
  assert.throws(() => bench.decode('{}\n'), ArenaFullError);
  const { view } = bench.decode('{"a":1}\n'.repeat(4000), { maxRows: 4000 });
  assert.throws(() => {
    for (;;) view.set('a', { strings: new Array<string>(4000).fill('x'.repeat(100)) });
  }, ArenaFullError);
  assert.equal(bench.decode('{"a":1}\n', { maxRows: 16 }).rows, 1);
});

test('names that were not announced are found all the same', () => {
  const names = Array.from({ length: 300 }, (_, i) => `column ${i}`);
  const bench = testBench({ columns: names, variant: 'debug' });
  const { view } = bench.decode(`${JSON.stringify(Object.fromEntries(names.map((name, i) => [name, i])))}\n`);
  for (const [i, name] of names.entries()) assert.equal(view.column(name).value(0), i);
  assert.equal(view.column('nothing').value(0), undefined);
});

test('lines are a column, blank ones too, and lines that are not UTF-8 are rejected', () => {
  const bench = testBench();
  const text = Buffer.concat([Buffer.from('say "hi"\r\n\n\tx\u0001\n'), Buffer.of(0xff, 0x0a), Buffer.from('last')]);
  const decoded = bench.decode(text, { codec: { name: 'line' }, lineColumn: 'message' });
  assert.deepEqual(
    decoded.rejected.map(({ row, reason }) => [row, reason]),
    [[3, 'the line is not valid UTF-8, at byte 1']],
  );
  assert.deepEqual(
    bench.rows(decoded.view),
    ['say "hi"', '', '\tx\u0001', 'last'].map((message) => ({ message })),
  );
  assert.equal(bench.encode(decoded.view, 'line'), 'say "hi"\n\n\tx\u0001\nlast\n');
  assert.deepEqual(Array.from(decoded.view.column('message').kinds()).slice(0, 3), [1, 1, 1]);
  assert.equal(decoded.view.column('message').string(0), 'say "hi"');
  assert.equal(Buffer.from(decoded.raw(3)).toString('hex'), 'ff');
});

test('raw lines are all live, whatever their bytes are', () => {
  const bench = testBench({ columns: ['a'] });
  const decoded = bench.decode(Buffer.from([0xff, 0x0a, 0x7b, 0x0a]), { codec: { name: 'rejected' } });
  assert.deepEqual(decoded.rejected, []);
  assert.equal(decoded.malformed, 0);
  assert.deepEqual(Array.from(decoded.view.rows), [0, 1]);
});

test('a column that nobody announced is found by the scan from the next batch on', () => {
  const bench = testBench({ columns: ['a'] });
  for (let batch = 0; batch < 3; batch++) {
    const { view } = bench.decode(`{"a":1,"late":${batch}}\n{"a":2}\n`);
    assert.equal(view.column('late').value(0), batch);
    assert.equal(view.column('late').value(1), undefined);
    view.set('late', { constant: 'x' });
    assert.equal(bench.encode(view), '{"a":1,"late":"x"}\n{"a":2,"late":"x"}\n');
  }
});
