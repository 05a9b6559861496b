import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCsv } from '../../kernel/csv-oracle.ts';
import { loadKernelModule } from '../batch/kernel-module.ts';
import { OVERSIZE_HEAD_BYTES } from '../spec/oversize.ts';
import { type Cut, Framer } from './framer.ts';
import { csvCutter, newlineCutter } from './row-cutter.ts';
import { type Slot, SlotPool } from './slots.ts';

const SLOT = 64;
const MOST = 200;

interface Taken {
  readonly text: string;
  readonly offset: number;
  readonly end: number;
  readonly last: boolean;
  readonly reject?: Cut['reject'];
  readonly marks: readonly number[];
}

/** A framer over small slots, with what comes out of it. */
function framed(split: 'newline' | 'csv' = 'newline', signal = new AbortController().signal) {
  const sizes = [SLOT, SLOT, SLOT, SLOT, MOST + SLOT];
  const slots: Slot[] = [];
  // Below stand the kernel's constants.
  let start = 65_536;
  for (const [index, size] of sizes.entries()) {
    slots.push({ index, start, end: start + size });
    start += size + 8;
  }
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const bytes = Buffer.from(memory.buffer as ArrayBuffer);
  const input = new SlotPool(slots.slice(0, 4));
  const largeInput = new SlotPool(slots.slice(4));
  const cuts: Taken[] = [];
  const submit = (cut: Cut): void => {
    const { from, to, last, offset, end, reject, marks, pool, slot } = cut;
    const text = Buffer.from(bytes.subarray(from, to)).toString('latin1');
    cuts.push({ text, offset, end, last, marks, ...(reject ? { reject } : {}) });
    void Promise.resolve().then(() => pool.release(slot));
  };
  const host = {
    memory: { bytes, input, largeInput },
    maxRowBytes: MOST,
    cutter: split === 'csv' ? csvCutter({ memory }, loadKernelModule('debug'), ',') : newlineCutter({ bytes }),
    signal,
    submit,
    delivered: async () => {},
    busy: () => false,
    forget: () => {},
    ended: () => {},
  };
  return { framer: new Framer(host, 0), cuts, input, largeInput };
}

async function feed(framer: Framer, text: string, chunks: Iterator<number>, flush: Iterator<boolean>): Promise<void> {
  const data = Buffer.from(text, 'latin1');
  for (let at = 0; at < data.length; ) {
    const room = await framer.room();
    const length = Math.min(room.length, data.length - at, chunks.next().value!);
    room.set(data.subarray(at, at + length));
    const marks = endsOfRows(text).filter((end) => end > at && end <= at + length);
    framer.advance(length, { flush: flush.next().value!, marks });
    at += length;
  }
  await framer.end();
}

function endsOfRows(text: string): number[] {
  return Array.from(text.matchAll(/\n/g), ({ index }) => index + 1);
}

const anyRows = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 40 }) },
    { weight: 2, arbitrary: fc.integer({ min: 50, max: MOST }) },
    { weight: 1, arbitrary: fc.integer({ min: MOST + 1, max: 3 * MOST }) },
  ),
  { maxLength: 30 },
);

test('however bytes arrive, every byte comes out once, in order, in whole rows', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyRows,
      fc.boolean(),
      fc.infiniteStream(fc.integer({ min: 1, max: 100 })),
      fc.infiniteStream(fc.boolean()),
      async (lengths, newlineAtEnd, chunks, flush) => {
        const rows = lengths.map((length, n) => String.fromCharCode(97 + (n % 26)).repeat(length));
        const text = rows.join('\n') + (newlineAtEnd && rows.length > 0 ? '\n' : '');
        const { framer, cuts, input, largeInput } = framed();
        await feed(framer, text, chunks, flush);
        await new Promise(setImmediate);
        let offset = 0;
        const seen: string[] = [];
        for (const cut of cuts) {
          assert.equal(cut.offset, offset);
          if (cut.reject) {
            const row = text.slice(cut.offset).split('\n', 1)[0]!;
            assert.equal(cut.reject.truncated?.bytes, row.length);
            assert.equal(cut.reject.truncated?.sha256, createHash('sha256').update(row).digest('hex'));
            assert.ok(row.startsWith(cut.text) && cut.text.length === Math.min(row.length, SLOT, OVERSIZE_HEAD_BYTES));
            seen.push(text.slice(cut.offset, cut.end));
          } else {
            assert.ok(cut.text.endsWith('\n') || cut.last, JSON.stringify(cut));
            for (const row of cut.text.split('\n')) assert.ok(row.length <= MOST);
            seen.push(cut.text);
          }
          assert.ok(cut.marks.every((mark) => mark > cut.offset && mark <= cut.end));
          offset = cut.end;
        }
        assert.deepEqual(
          cuts.flatMap(({ marks }) => marks),
          endsOfRows(text),
        );
        assert.equal(seen.join(''), text);
        assert.equal(input.free, 4, 'an input slot was not given back');
        assert.equal(largeInput.free, 1, 'the large slot was not given back');
      },
    ),
    { numRuns: 300 },
  );
});

const csvPieces = fc.constantFrom('a', 'bcd', ',', '\n', '\n', '"', '""', '"x\ny"', '\r\n', ',"');

test('however bytes of CSV arrive, cuts are between rows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(csvPieces, { maxLength: 90 }).map((pieces) => pieces.join('').slice(0, MOST)),
      fc.infiniteStream(fc.integer({ min: 1, max: 50 })),
      fc.infiniteStream(fc.boolean()),
      async (text, chunks, flush) => {
        const { framer, cuts, input, largeInput } = framed('csv');
        await feed(framer, text, chunks, flush);
        await new Promise(setImmediate);
        assert.equal(cuts.map((cut) => cut.text).join(''), text);
        const rows = cuts.flatMap((cut) =>
          readCsv(cut.text, ',', 2).map((row) => ({
            ...row,
            start: row.start + cut.offset,
            end: row.end + cut.offset,
            behind: row.behind + cut.offset,
          })),
        );
        assert.deepEqual(rows, readCsv(text, ',', 2));
        assert.equal(input.free + largeInput.free, 5);
      },
    ),
    { numRuns: 500 },
  );
});

test('a row of CSV beyond the bound costs its first line, and what follows is read again', async () => {
  const { framer, cuts, input, largeInput } = framed('csv');
  const lines = `${'open,"x\n'}${'y,z\n'.repeat(MOST)}`;
  await feed(framer, lines, endless(50), endless(false));
  await new Promise(setImmediate);
  assert.equal(cuts[0]?.text, 'open,"x\n');
  assert.match(cuts[0]?.reject?.reason ?? '', /^the row goes on for more than 200 bytes.*: this is its first line$/);
  assert.equal(cuts.map((cut) => cut.text).join(''), lines);
  assert.ok(cuts.slice(1).every(({ reject }) => reject === undefined));
  assert.equal(input.free + largeInput.free, 5);
});

test('a line of CSV beyond the bound is read past', async () => {
  const { framer, cuts } = framed('csv');
  await feed(framer, `a,b\n${'x'.repeat(MOST + 1)}\nc,"d\n"\n`, endless(33), endless(false));
  assert.deepEqual(
    cuts.map(({ text, reject }) => reject?.truncated?.bytes ?? text),
    ['a,b\n', MOST + 1, 'c,"d\n"\n'],
  );
});

function* endless<T>(value: T): Generator<T> {
  for (;;) yield value;
}

test('a flush with an unfinished row holds no slot while nothing comes', async () => {
  const { framer, input } = framed('newline');
  const room = await framer.room();
  room.set(Buffer.from('abc'));
  framer.advance(3, { flush: true });
  assert.equal(input.free, 4);
});

test('room rejects when the engine stops, also while it waits for memory', async () => {
  const stop = new AbortController();
  const { framer, input } = framed('newline', stop.signal);
  while (input.tryTake());
  const waiting = framer.room();
  stop.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
});

test('advance without room is a programmer mistake', () => {
  const { framer } = framed('newline');
  assert.throws(() => framer.advance(1), TypeError);
});

test('a row beyond the bound counts as submitted only when it is', async () => {
  const { framer, cuts } = framed('newline');
  const row = 'x'.repeat(3 * MOST);
  for (let at = 0; at <= row.length; ) {
    const room = await framer.room();
    const piece = `${row}\n`.slice(at, at + room.length);
    room.set(Buffer.from(piece));
    framer.advance(piece.length);
    at += piece.length;
  }
  assert.equal(cuts.length, 0);
  assert.equal(framer.offset, 0);
  await framer.end();
  assert.equal(cuts.length, 1);
  assert.equal(framer.offset, row.length + 1);
});

test('a row beyond the bound goes on its way at a flush, though nothing follows', async () => {
  const { framer, cuts } = framed('newline');
  for (let left = 3 * MOST; left > 0; ) {
    const room = await framer.room();
    const length = Math.min(room.length, left);
    room.fill(120, 0, length);
    left -= length;
    if (left === 0) room[length - 1] = 10;
    framer.advance(length, left > 0 ? {} : { flush: true, marks: [3 * MOST] });
  }
  await new Promise(setImmediate);
  assert.deepEqual(
    cuts.map(({ end, marks }) => ({ end, marks })),
    [{ end: 3 * MOST, marks: [3 * MOST] }],
  );
});

test('whoever holds a slot that nobody writes to gives it up for those who wait', async () => {
  const { framer, cuts, input } = framed('newline');
  (await framer.room()).set(Buffer.from('one\ntw'));
  framer.yield();
  assert.equal(input.free, 3, 'a slot that is being written to was taken');
  framer.advance(6);
  framer.yield();
  await new Promise(setImmediate);
  assert.equal(input.free, 4);
  (await framer.room()).set(Buffer.from('o\n'));
  framer.advance(2);
  await framer.end();
  assert.deepEqual(
    cuts.map(({ text }) => text),
    ['one\n', 'two\n'],
  );
});
