import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bulk } from '../../spec/bulk-sink.ts';
import { columnsOf, type MessageParts, type MessageWriterOptions, messageWriter } from './message-writer.ts';

const parts: MessageParts = {
  facility: '%{facility}',
  severity: '%{severity}',
  timestamp: '%{timestamp}',
  hostname: '%{hostname}',
  appname: '%{appname}',
  procid: '%{procid}',
  msgid: '%{msgid}',
  structured_data: '%{structured_data}',
  message: '%{message}',
};

const TIME = '2026-10-11T22:14:15.003Z';

function texts(lines: readonly string[]): { bytes: Uint8Array; offsets: Uint32Array } {
  const offsets = [0];
  for (const line of lines) offsets.push(offsets.at(-1)! + Buffer.byteLength(line) + 1);
  return { bytes: Buffer.from(lines.map((line) => `${line}\n`).join('')), offsets: Uint32Array.from(offsets) };
}

function write(row: Readonly<Record<string, string>>, given: Partial<MessageWriterOptions> = {}): string {
  const options = { ...parts, standard: 'rfc5424', oneLine: false, ownHost: 'me', ...given } as const;
  const side = columnsOf(options).map((column) => texts([row[column] ?? '']));
  const bulk: Bulk = { ...texts([JSON.stringify(row)]), rows: 1, side };
  return messageWriter(options)(bulk)[0]!.toString();
}

test('what the source has found goes out as it came', () => {
  const row = {
    facility: 'auth',
    severity: 'crit',
    timestamp: TIME,
    hostname: 'web',
    appname: 'su',
    procid: '12',
    msgid: 'ID47',
    structured_data: '{"a@1":{"b":"c]\\"\\\\"},"d":{}}',
    message: 'failed: é',
  };
  assert.equal(write(row), `<34>1 ${TIME} web su 12 ID47 [a@1 b="c\\]\\"\\\\"][d] failed: é`);
  assert.equal(write(row, { standard: 'rfc3164' }), '<34>Oct 11 22:14:15 web su[12]: failed: é');
});

test('what a row does not say has a default, and constants count for all', () => {
  assert.equal(write({ timestamp: TIME, message: 'x' }), `<13>1 ${TIME} me - - - - x`);
  assert.equal(write({ timestamp: TIME, n: '1' }), `<13>1 ${TIME} me - - - - {"timestamp":"${TIME}","n":"1"}`);
  const constants = { facility: 'local0', severity: '3', hostname: 'h', appname: 'reef', message: 'm', timestamp: '1760220855' };
  assert.equal(write({}, constants), '<131>1 2025-10-11T22:14:15.000Z h reef - - - m');
  assert.match(write({ message: 'x' }), /^<13>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z me - - - - x$/);
});

test('no row can make two messages or another header of itself', () => {
  const row = {
    timestamp: `${TIME}\n<0>`,
    hostname: 'a b\nc',
    appname: 'é'.repeat(60),
    message: 'one\n<0>two',
    severity: 'awful',
  };
  const written = write(row, { oneLine: true });
  assert.match(written, /^<13>1 \S+Z a_b_c _{48} - - - one <0>two$/);
  assert.match(write(row, { oneLine: true, standard: 'rfc3164' }), /^<13>\w{3} [ \d]\d \S{8} a_b_c _{48}: one <0>two$/);
  assert.equal(
    write({ timestamp: TIME, appname: 'a[1]: b', message: 'x' }, { standard: 'rfc3164' }),
    '<13>Oct 11 22:14:15 me a_1___b: x',
  );
  for (const wrong of ['nonsense', '[1]', '3', '[a]\n<0>1 -'])
    assert.doesNotMatch(write({ timestamp: TIME, structured_data: wrong, message: 'x' }), /\n|nonsense/);
});
