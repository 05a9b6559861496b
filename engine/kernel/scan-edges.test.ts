import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, test } from 'node:test';
import { ScanHarness, scanWithAll as scan } from './scan-harness.ts';

describe('scanJson', () => {
  test('ends a row at every newline byte, also inside a string', () => {
    const { rows, malformed } = scan('{"a":"x\ny"}\n{"a":"z"}\n', { keys: ['a'] });
    assert.deepEqual(
      rows.map(({ error }) => error),
      [2, 6, 0],
    );
    assert.equal(malformed, 2);
  });

  test('does not take the beginning of a row that it has learned for what stands behind a value', () => {
    const { rows } = scan('{"a":1,"id":2}\n{"id":3}\n{"a":1{"id":2}\n{"a":1,"id":2}\n', { keys: ['id'] });
    assert.deepEqual(
      rows.map(({ error }) => error !== 0),
      [false, false, true, false],
    );
  });

  test('skips and counts rows of white space alone', () => {
    const { rows, blank, consumed } = scan('\n  \n\t\r\n{"a":1}\n\n ', { keys: ['a'] });
    assert.equal(blank, 5);
    assert.equal(consumed, 17);
    assert.equal(rows.length, 1);
  });

  test('leaves white space and CRLF out of rows and values', () => {
    const { rows } = scan(' { "a" :\t1.5 , "b" : [ 1 , 2 ] } \r\n{"a":2}\r\n{"b": {} }', { keys: ['a', 'b'] });
    assert.deepEqual(
      rows.map(({ start, end }) => [start, end]),
      [
        [1, 32],
        [35, 42],
        [44, 54],
      ],
    );
    assert.deepEqual(rows[0]!.values, {
      a: { kind: 3, duplicate: false, text: '1.5' },
      b: { kind: 8, duplicate: false, text: '[ 1 , 2 ]' },
    });
    assert.deepEqual(rows[2]!.values, { b: { kind: 7, duplicate: false, text: '{}' } });
  });

  test('compares keys behind their escapes', () => {
    const row = '{"\\u0061":1,"\\"q\\"":2,"\\ud83d\\ude00":3,"/":4,"a\\u0000":5}\n';
    const { rows } = scan(row.repeat(3), { keys: ['a', '"q"', '😀', '/', '\\u0061'] });
    for (const { values } of rows) {
      assert.deepEqual(Object.fromEntries(Object.entries(values).map(([key, { text }]) => [key, text])), {
        a: '1',
        '"q"': '2',
        '😀': '3',
        '/': '4',
      });
    }
  });

  test('finds an escaped key that is too long to be unescaped in the arena', () => {
    const harness = new ScanHarness('debug', 1 << 16, 1 << 17);
    const row = `{"${'\\u0061'.repeat(5000)}":1,"\\u0062":2}\n`;
    assert.equal(harness.scan(Buffer.from(row), { keys: ['b', 'a'], cap: 16 }).rows[0]!.values.b!.text, '2');
    const key = 'a'.repeat(5000);
    assert.equal(harness.scan(Buffer.from(row), { keys: [key], cap: 16 }).rows[0]!.values[key]!.text, '1');
  });

  test('gives the last of a doubled key, however it is spelled, and says so', () => {
    const { rows } = scan('{"a":1,"b":0,"\\u0061":"x"}\n{"a":1}\n{"a":1,"a":null,"a":[]}\n', { keys: ['a', 'b'] });
    assert.deepEqual(rows[0]!.values, {
      a: { kind: 1, duplicate: true, text: '"x"' },
      b: { kind: 2, duplicate: false, text: '0' },
    });
    assert.equal(rows[1]!.values.a!.duplicate, false);
    assert.deepEqual(rows[2]!.values, { a: { kind: 8, duplicate: true, text: '[]' } });
  });

  test('takes no key of a nested object for a column', () => {
    const { rows } = scan('{"a":1,"n":{"a":2,"b":3}}\n{"n":{"a":2,"b":3}}\n{"n":[{"a":1}],"a":4}\n', { keys: ['a', 'b'] });
    assert.deepEqual(
      rows.map(({ values }) => [values.a?.text, values.b?.text]),
      [
        ['1', undefined],
        [undefined, undefined],
        ['4', undefined],
      ],
    );
  });

  test('finds 256 keys of all lengths', () => {
    const keys = Array.from({ length: 256 }, (_, i) => 'k'.repeat(i % 50) + String(i));
    const row = `{${keys.map((key, i) => `"${key}":${i}`).join(',')}}\n`;
    for (const { values } of scan(row.repeat(3), { keys, cap: 16 }).rows) {
      for (const [i, key] of keys.entries()) assert.equal(values[key]!.text, String(i));
    }
  });

  test('stops when the table is full, and goes on from there', () => {
    const text = '{"a":1}\n\n{"a":2}\nx\n{"a":3}\n';
    const first = scan(text, { cap: 2 });
    assert.equal(first.rows.length, 2);
    assert.equal(first.consumed, 17);
    const rest = scan(text.slice(first.consumed), { cap: 16 });
    assert.deepEqual(
      rest.rows.map(({ error }) => error),
      [6, 0],
    );
    assert.equal(scan(text, { cap: 0 }).consumed, 0);
  });

  test('leaves what stands behind the last newline, unless it is the last', () => {
    assert.deepEqual(scan('{"a":1}\n{"a":', { last: false }).consumed, 8);
    assert.deepEqual(scan('{"a":1}', { last: false }), { consumed: 0, malformed: 0, notObject: 0, blank: 0, rows: [] });
    assert.equal(scan('{"a":1}\n{"a":', { last: true }).rows[1]!.error, 8);
    assert.equal(scan('{"a":1}\n{"a":2}', { last: true }).rows[1]!.end, 15);
    assert.equal(scan('', { last: true }).rows.length, 0);
  });

  test('never looks at what stands behind the input', () => {
    for (const cut of [
      '{"a":1',
      '{"a":"x',
      '{"a":12',
      '{"a":1.5',
      '{"a":tru',
      '{"a":[',
      '{',
      '{"a"',
      '{"a":"\\u00',
      '{"a":"\\',
    ]) {
      assert.notEqual(scan(cut).rows[0]!.error, 0, cut);
    }
  });

  test('takes a mebibyte of the smallest rows', () => {
    const harness = new ScanHarness('debug', 12 << 20, 2 << 20);
    const count = Math.floor((1 << 20) / 3);
    const { rows } = harness.scan(Buffer.from('{}\n'.repeat(count)), { cap: (count + 15) & ~15 });
    assert.equal(rows.length, count);
    assert.ok(rows.every(({ error }) => error === 0));
  });

  test('takes rows of several MiB, with and without newline', () => {
    const harness = new ScanHarness('simd', 8 << 20, 8 << 20);
    const text = `{"a":"${'é'.repeat(1 << 20)}","b":[${'[1.5,null],'.repeat(200_000)}0],"c":7}`;
    for (const input of [text, `${text}\n`]) {
      const { rows } = harness.scan(Buffer.from(input), { keys: ['c'], cap: 16 });
      assert.equal(rows[0]!.error, 0);
      assert.equal(rows[0]!.values.c!.text, '7');
    }
  });

  test('says that the arena is full instead of writing behind it', () => {
    const harness = new ScanHarness('debug', 1 << 16, 1 << 17);
    assert.throws(() => harness.scan(Buffer.from(`{"a":"${'x'.repeat(60_000)}"}`), { cap: 16 }), /arena is full/);
    assert.equal(harness.scan(Buffer.from(`{"a":"${'x'.repeat(60_000)}"}\n`), { cap: 16 }).rows[0]!.error, 0);
    assert.throws(() => harness.scan(Buffer.from('{}\n'), { cap: 3600 }), /arena is full/);
  });
});

describe('scanLines', () => {
  test('makes a row of every line, blank ones too, without \\r', () => {
    const { rows, consumed } = scan('a\n\nb c\r\n\r\nlast', { lines: true });
    assert.deepEqual(
      rows.map(({ start, end, error }) => [start, end, error]),
      [
        [0, 1, 0],
        [2, 2, 0],
        [3, 6, 0],
        [8, 8, 0],
        [10, 14, 0],
      ],
    );
    assert.equal(consumed, 14);
  });

  test('refuses the line that is no UTF-8, and only that', () => {
    const { rows, malformed } = scan(Buffer.from('gr\xc3\xbcn\n1234567890123456\xff\nok\xc3\n', 'latin1'), { lines: true });
    assert.deepEqual(
      rows.map(({ error, errorAt }) => [error, errorAt]),
      [
        [0, 0],
        [5, 22],
        [5, 26],
      ],
    );
    assert.equal(malformed, 2);
  });

  test('judges every pair of bytes, with up to two continuation bytes behind it, as Node does', () => {
    const harness = new ScanHarness('debug', 1 << 21, 1 << 19);
    const fillers = ['', 'x', 'éé', 'a'.repeat(13), 'a'.repeat(14), 'é'.repeat(7), '漢字'.repeat(3)].map((text) =>
      Buffer.from(text),
    );
    for (let first = 0x80; first < 0x100; first++) {
      const lines: Buffer[] = [];
      for (let second = 0x20; second < 0x100; second++) {
        for (const more of [[], [0x80], [0xbf, 0x80], [0x80, 0xbf, 0x80], [0x41]]) {
          lines.push(Buffer.concat([fillers[(second + more.length) % fillers.length]!, Buffer.of(first, second, ...more)]));
        }
      }
      const { rows } = harness.scan(Buffer.concat(lines.flatMap((line) => [line, Buffer.of(0x0a)])), { lines: true, cap: 2048 });
      const strings = Buffer.concat(lines.flatMap((line) => [Buffer.from('{"":"'), line, Buffer.from('"}\n')]));
      const objects = harness.scan(strings, { cap: 2048 }).rows;
      for (const [index, line] of lines.entries()) {
        assert.equal(rows[index]!.error === 0, isUtf8(line), line.toString('hex'));
        const plain = !line.includes(0x22) && !line.includes(0x5c);
        if (plain) assert.equal(objects[index]!.error, isUtf8(line) ? 0 : 5, line.toString('hex'));
      }
    }
  });

  test('leaves an unfinished line, and stops when the table is full', () => {
    assert.equal(scan('a\nb', { lines: true, last: false }).consumed, 2);
    assert.equal(scan('a\nb\nc\n', { lines: true, cap: 2 }).consumed, 4);
    assert.equal(scan('', { lines: true }).rows.length, 0);
  });
});
