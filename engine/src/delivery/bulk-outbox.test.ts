import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { TestLog } from '../connectors/testing/test-context.ts';
import { ReefError } from '../errors.ts';
import type { Bulk, BulkLimits, Undelivered } from '../spec/bulk-sink.ts';
import type { RetryPolicy } from '../spec/plan.ts';
import type { RowTexts } from '../spec/row-texts.ts';
import { BulkOutbox, type Documented, type Refusal } from './bulk-outbox.ts';
import type { NumberedPosition, Parcel } from './parcel.ts';

type Answer = Undelivered | undefined | Error;
type Send = (rows: string[], signal: AbortSignal) => Answer | Promise<Answer>;

const wide: BulkLimits = { rows: 1000, bytes: 1 << 20, timeoutMs: 0, concurrency: 1, ordered: true };
const atOnce: RetryPolicy = { initialMs: 1, maxMs: 1 };
const passing = (): ReefError => new ReefError('io', 'Cannot send: busy', { retry: true });

function textsOf({ bytes, offsets }: RowTexts): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assert.equal(offsets.at(-1), bytes.length);
  return Array.from(offsets.subarray(1), (end, row) => {
    assert.equal(buffer[end - 1], 0x0a);
    return buffer.toString('utf8', offsets[row]!, end - 1);
  });
}

function rowsOf(bulk: Bulk): string[] {
  const rows = textsOf(bulk);
  assert.equal(rows.length, bulk.rows);
  assert.deepEqual(bulk.side.map(textsOf), [rows.map((row) => row + row)]);
  return rows;
}

/** A parcel as main makes it of a slot: what is read after its release is not what stood there. */
class TestParcel implements Parcel {
  readonly rows: number;
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly side: Parcel['side'];
  readonly label: string;
  readonly origins: Parcel['origins'];
  readonly settlements = Promise.withResolvers<string[]>();
  released = 0;
  settledTimes = 0;
  droppedTimes = 0;
  readonly refusedAt: number[] = [];
  readonly #input: Buffer;

  constructor(rows: readonly string[], label = 'in/a', { padding = 0, offset = 1000 } = {}) {
    this.rows = rows.length;
    this.label = label;
    const texts = rows.map((row) => Buffer.from(`${row}\n`));
    this.bytes = new Uint8Array(new SharedArrayBuffer(texts.reduce((sum, text) => sum + text.length, 0)));
    this.offsets = new Uint32Array(rows.length + 1);
    texts.forEach((text, row) => {
      this.bytes.set(text, this.offsets[row]!);
      this.offsets[row + 1] = this.offsets[row]! + text.length;
    });
    // One column beside them, which says the same twice.
    const twice = rows.map((row) => Buffer.from(`${row}${row}\n`));
    const sideOffsets = new Uint32Array(rows.length + 1);
    twice.forEach((text, row) => {
      sideOffsets[row + 1] = sideOffsets[row]! + text.length;
    });
    const sideBytes = new Uint8Array(new SharedArrayBuffer(sideOffsets[rows.length]!));
    sideBytes.set(Buffer.concat(twice));
    this.side = [{ bytes: sideBytes, offsets: sideOffsets }];
    // As they came: `<row>`, with others between that went elsewhere.
    const pointers = new Uint32Array(2 * rows.length);
    let input = '#'.repeat(7);
    rows.forEach((row, index) => {
      pointers[2 * index] = input.length;
      input += `<${row}>`;
      pointers[2 * index + 1] = input.length;
      input += '.'.repeat(padding);
    });
    this.#input = Buffer.from(new SharedArrayBuffer(input.length));
    this.#input.write(input);
    this.origins = { source: 'in', partition: label, offset, from: 7, to: input.length, memory: this.#input, pointers };
  }

  release(): void {
    this.released++;
    this.bytes.fill(0x58);
    this.side[0]!.bytes.fill(0x58);
    this.#input.fill(0x58);
  }

  settled(positions: ReadonlyMap<string, NumberedPosition> | undefined): void {
    this.settledTimes++;
    this.settlements.resolve([...(positions ?? [])].map(([id, { position }]) => `${id} ${position}`));
  }

  dropped(): void {
    this.droppedTimes++;
  }

  refused(position: number): void {
    this.refusedAt.push(position);
  }
}

function open(
  t: TestContext,
  send: Send,
  limits: Partial<BulkLimits> = {},
  more: { retry?: RetryPolicy; mostWaitingBytes?: number; document?: (rows: readonly Refusal[]) => Documented } = {},
) {
  const log = new TestLog();
  const stop = new AbortController();
  t.after(() => stop.abort(new Error('stopped')));
  const failed = Promise.withResolvers<unknown>();
  const documents: { reason: string; entered: string; came: string | undefined; position: number }[] = [];
  const counts = { delivered: 0, dropped: 0 };
  const document = (rows: readonly Refusal[]): Documented => {
    for (const { reason, entered, origin } of rows) {
      const came = origin.bytes && Buffer.from(origin.bytes).toString();
      documents.push({ reason, entered: Buffer.from(entered).toString(), came, position: origin.position });
    }
    return { composed: Promise.resolve(), delivered: Promise.resolve(new Map()) };
  };
  const outbox = new BulkOutbox({
    rowEndBytes: 1,
    id: 'out',
    log,
    retry: more.retry ?? atOnce,
    signal: stop.signal,
    mostWaitingBytes: more.mostWaitingBytes ?? Number.POSITIVE_INFINITY,
    document: more.document ?? document,
    failed: failed.resolve,
    delivered: (rows) => {
      counts.delivered += rows;
    },
    dropped: (rows) => {
      counts.dropped += rows;
    },
    sink: {
      limits: { ...wide, ...limits },
      async send(bulk, signal) {
        const answer = await send(rowsOf(bulk), signal);
        if (answer instanceof Error) throw answer;
        return answer;
      },
      close: async () => {},
    },
  });
  return { outbox, log, stop, failed: failed.promise, documents, counts };
}

const settled = (parcels: readonly TestParcel[]): Promise<string[][]> =>
  Promise.all(parcels.map(({ settlements }) => settlements.promise));
const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => String(from + n));

test('a large parcel is cut by rows and by bytes, and a row beyond the bytes goes alone', async (t) => {
  const sent: string[][] = [];
  const { outbox, counts } = open(t, (rows) => void sent.push(rows), { rows: 3, bytes: 10 });
  const parcel = new TestParcel(['a', 'b', 'c', 'd', 'eeee', 'ffff', 'g'.repeat(50), 'h']);
  outbox.push(parcel);
  await settled([parcel]);
  assert.deepEqual(sent, [['a', 'b', 'c'], ['d', 'eeee'], ['ffff'], ['g'.repeat(50)], ['h']]);
  assert.equal(parcel.released, 1);
  assert.equal(counts.delivered, 8);
});

test('rows of several parcels go together when there are enough of them, and those that wait hold no slot', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sent: string[][] = [];
  const { outbox } = open(t, (rows) => void sent.push(rows), { rows: 5, timeoutMs: 100 });
  const parcels = [new TestParcel(['a', 'b']), new TestParcel(['c']), new TestParcel(['d', 'e', 'f'], 'in/b')];
  for (const parcel of parcels) outbox.push(parcel);
  await settled(parcels.slice(0, 2));
  assert.deepEqual(sent, [['a', 'b', 'c', 'd', 'e']]);
  assert.deepEqual(
    parcels.map(({ released, settledTimes }) => [released, settledTimes]),
    [
      [1, 1],
      [1, 1],
      [1, 0],
    ],
  );
  t.mock.timers.tick(100);
  await settled(parcels);
  assert.deepEqual(sent.at(-1), ['f']);
});

test('rows wait no longer than they may, and not at all once nothing follows', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const sent: string[][] = [];
  const { outbox } = open(t, (rows) => void sent.push(rows), { timeoutMs: 50 });
  const [first, second, third] = [new TestParcel(['a']), new TestParcel(['b']), new TestParcel(['c'])];
  outbox.push(first!);
  t.mock.timers.tick(49);
  outbox.push(second!);
  assert.deepEqual(sent, []);
  t.mock.timers.tick(1);
  await settled([first!, second!]);
  assert.deepEqual(sent, [['a', 'b']]);
  outbox.push(third!);
  outbox.hurry();
  await settled([third!]);
  assert.deepEqual(sent, [['a', 'b'], ['c']]);
  assert.ok(outbox.idle);
});

test('without a time to wait, rows gather only while others are on their way', async (t) => {
  const sent: string[][] = [];
  const gate = Promise.withResolvers<void>();
  const { outbox } = open(t, async (rows) => {
    sent.push(rows);
    if (sent.length === 1) await gate.promise;
    return undefined;
  });
  const parcels = ['a', 'b', 'c', 'd'].map((row) => new TestParcel([row]));
  for (const parcel of parcels) outbox.push(parcel);
  assert.deepEqual(sent, [['a']]);
  assert.deepEqual(
    parcels.map(({ released }) => released),
    [0, 1, 1, 1],
  );
  gate.resolve();
  await settled(parcels);
  assert.deepEqual(sent, [['a'], ['b', 'c', 'd']]);
});

test('large parcels that wait are not copied: that is the back-pressure', async (t) => {
  const gate = Promise.withResolvers<void>();
  const { outbox } = open(t, async () => {
    await gate.promise;
    return undefined;
  });
  const large = (): TestParcel => new TestParcel(numbers(0, 500).map((n) => n.padStart(400, '0')));
  const parcels = [large(), large(), large()];
  for (const parcel of parcels) outbox.push(parcel);
  assert.deepEqual(
    parcels.map(({ released }) => released),
    [0, 0, 0],
  );
  gate.resolve();
  await settled(parcels);
  assert.deepEqual(
    parcels.map(({ released }) => released),
    [1, 1, 1],
  );
});

test('what may pass is sent again until it is taken, without end', async (t) => {
  let refusals = 40;
  const sent: string[][] = [];
  const { outbox, log } = open(t, (rows) => (refusals-- > 0 ? passing() : void sent.push(rows)));
  const parcel = new TestParcel(['a', 'b']);
  outbox.push(parcel);
  await settled([parcel]);
  assert.deepEqual(sent, [['a', 'b']]);
  assert.equal(outbox.retries, 40);
  assert.match(log.warnings[0]!, /^Cannot send: busy; trying again until it works \(try 1\)$/);
});

test('of what was taken in part, only the rest goes again', async (t) => {
  const sent: string[][] = [];
  const { outbox, documents, counts } = open(t, (rows) => {
    sent.push(rows);
    if (sent.length === 1) return { again: [1, 4], againReason: 'too many', refused: [{ row: 2, reason: 'no such index' }] };
    return sent.length === 2 ? { again: [1] } : undefined;
  });
  const parcel = new TestParcel(['a', 'b', 'c', 'd', 'e', 'f']);
  outbox.push(parcel);
  await settled([parcel]);
  assert.deepEqual(sent, [['a', 'b', 'c', 'd', 'e', 'f'], ['b', 'e'], ['e']]);
  assert.deepEqual(documents, [{ reason: 'no such index', entered: 'c', came: '<c>', position: 1006 }]);
  assert.deepEqual(parcel.refusedAt, [1006]);
  assert.equal(counts.delivered, 5);
  assert.equal(parcel.released, 1);
});

test('what was refused as a whole is halved until the guilty rows are alone', async (t) => {
  let sends = 0;
  const taken: string[] = [];
  const { outbox, documents } = open(t, (rows) => {
    sends++;
    if (rows.includes('13') || rows.includes('14')) return { split: 'a bad row' };
    taken.push(...rows);
    return undefined;
  });
  const parcel = new TestParcel(numbers(0, 32));
  outbox.push(parcel);
  await settled([parcel]);
  assert.deepEqual(taken, [...numbers(0, 13), ...numbers(15, 32)]);
  assert.deepEqual(
    documents.map(({ entered, reason }) => `${entered}: ${reason}`),
    ['13: a bad row', '14: a bad row'],
  );
  assert.ok(sends < 20, `${sends} sends`);
});

test('rows that are all refused go to the error table, and what follows goes on', async (t) => {
  const { outbox, documents, counts } = open(t, (rows) => (rows[0] === 'a' ? { refusedAll: 'not allowed' } : undefined), {
    rows: 2,
  });
  const parcel = new TestParcel(['a', 'b', 'c']);
  outbox.push(parcel);
  await settled([parcel]);
  assert.deepEqual(
    documents.map(({ entered, reason, came }) => [entered, reason, came]),
    [
      ['a', 'not allowed', '<a>'],
      ['b', 'not allowed', '<b>'],
    ],
  );
  assert.equal(counts.delivered, 1);
});

test('tries can be bounded: then the rows go to the error table with what the last one said', async (t) => {
  let sends = 0;
  const { outbox, documents } = open(
    t,
    () => {
      sends++;
      return passing();
    },
    {},
    { retry: { ...atOnce, maxAttempts: 3 } },
  );
  const parcel = new TestParcel(['a']);
  outbox.push(parcel);
  await settled([parcel]);
  assert.equal(sends, 3);
  assert.deepEqual(
    documents.map(({ reason }) => reason),
    ['Cannot send: busy (given up after 3 tries, as retry.max_attempts says)'],
  );
});

test('a batch is over only when the error table has its refused rows, with what that must remember', async (t) => {
  const composed = Promise.withResolvers<void>();
  const delivered = Promise.withResolvers<Map<string, NumberedPosition>>();
  const { outbox } = open(
    t,
    () => ({ refusedAll: 'no' }),
    {},
    {
      document: () => ({ composed: composed.promise, delivered: delivered.promise }),
    },
  );
  const parcel = new TestParcel(['a']);
  const after = new TestParcel(['b']);
  outbox.push(parcel);
  outbox.push(after);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(parcel.released, 0);
  composed.resolve();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([parcel.released, parcel.settledTimes], [1, 0]);
  delivered.resolve(new Map([['errors', { write: 3, position: 77 }]]));
  assert.deepEqual(await parcel.settlements.promise, ['errors 77']);
});

test('rows that were copied still know where they came from, however far apart they stood', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  for (const padding of [0, 3, 500]) {
    const { outbox, documents } = open(t, () => ({ refusedAll: 'no' }), { timeoutMs: 10 });
    const parcels = [
      new TestParcel(['a', 'bb'], 'in/a', { padding, offset: 0 }),
      new TestParcel(['c', '', 'd'], 'in/b', { padding, offset: 5000 }),
    ];
    // The engine's own rows were never read.
    parcels[1]!.origins.pointers.fill(3, 2, 4);
    for (const parcel of parcels) outbox.push(parcel);
    assert.deepEqual(
      parcels.map(({ released }) => released),
      [1, 1],
    );
    t.mock.timers.tick(10);
    await settled(parcels);
    assert.deepEqual(
      documents.map(({ entered, came, position }) => [entered, came, position]),
      [
        ['a', '<a>', 0],
        ['bb', '<bb>', 3 + padding],
        ['c', '<c>', 5000],
        ['', undefined, documents[3]!.position],
        ['d', '<d>', 5005 + 2 * padding],
      ],
    );
  }
});

test('in order, a partition waits for its retries while others pass it', async (t) => {
  const taken: string[] = [];
  const failures = new Map([['a0', 5]]);
  const { outbox } = open(
    t,
    (rows) => {
      const left = failures.get(rows[0]!) ?? 0;
      failures.set(rows[0]!, left - 1);
      if (left > 0) return passing();
      taken.push(...rows);
      return undefined;
    },
    { rows: 2, concurrency: 4 },
  );
  // Their lanes differ.
  const parcels = ['in/a', 'in/b'].map(
    (label) =>
      new TestParcel(
        numbers(0, 6).map((n) => label.at(-1) + n),
        label,
      ),
  );
  for (const parcel of parcels) outbox.push(parcel);
  await settled(parcels);
  assert.deepEqual(
    taken.filter((row) => row.startsWith('a')),
    numbers(0, 6).map((n) => `a${n}`),
  );
  assert.deepEqual(
    taken.slice(0, 6),
    numbers(0, 6).map((n) => `b${n}`),
  );
});

test('out of order, as many are on their way as may be', async (t) => {
  let now = 0;
  let most = 0;
  const { outbox } = open(
    t,
    async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      return undefined;
    },
    { rows: 1, concurrency: 3, ordered: false },
  );
  const parcel = new TestParcel(numbers(0, 20));
  outbox.push(parcel);
  await settled([parcel]);
  assert.equal(most, 3);
});

test('a sink that nobody waits for drops what it has no room for', async (t) => {
  const gate = Promise.withResolvers<void>();
  const { outbox, counts } = open(
    t,
    async () => {
      await gate.promise;
      return undefined;
    },
    { rows: 1 },
    { mostWaitingBytes: 10 },
  );
  const parcels = numbers(0, 9).map((n) => new TestParcel([`row${n}`]));
  for (const parcel of parcels) outbox.push(parcel);
  const kept = parcels.filter(({ droppedTimes }) => droppedTimes === 0);
  assert.equal(kept.length, 3);
  gate.resolve();
  await settled(kept);
  assert.equal(counts.delivered, 3);
});

test('a failure that is none of the rows ends it, and an abort ends the waiting', async (t) => {
  const first = open(t, () => new ReefError('config', 'Cannot send: wrong'));
  first.outbox.push(new TestParcel(['a']));
  assert.match(String(await first.failed), /Cannot send: wrong/);
  const second = open(t, passing, {}, { retry: { initialMs: 3_600_000, maxMs: 3_600_000 } });
  second.outbox.push(new TestParcel(['a']));
  second.stop.abort(new Error('stopped'));
  assert.match(String(await second.failed), /stopped/);
});

test('whatever a server does, every row is taken or refused, once, and all memory comes back', async (t) => {
  let state = 12_345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < 60; round++) {
    const taken: string[] = [];
    const limits = {
      rows: 1 + random(12),
      bytes: 1 + random(200),
      timeoutMs: random(2),
      concurrency: 1 + random(4),
      ordered: random(2) === 0,
    };
    const { outbox, documents, counts } = open(
      t,
      async (rows) => {
        if (random(3) === 0) await new Promise((resolve) => setImmediate(resolve));
        const bad = rows.map((row, index) => ({ index, bad: row.endsWith('7') })).filter((each) => each.bad);
        switch (random(6)) {
          case 0:
            return passing();
          case 1:
            if (bad.length > 0) return { split: 'one is bad' };
            break;
          case 2: {
            const again = rows.flatMap((row, index) => (!row.endsWith('7') && random(2) === 0 ? [index] : []));
            taken.push(...rows.filter((row, index) => !row.endsWith('7') && !again.includes(index)));
            return { again, refused: bad.map(({ index }) => ({ row: index, reason: 'bad' })) };
          }
        }
        if (bad.length > 0)
          return {
            refused: bad.map(({ index }) => ({ row: index, reason: 'bad' })),
            again: rows.flatMap((row, index) => (row.endsWith('7') ? [] : [index])),
          };
        taken.push(...rows);
        return undefined;
      },
      limits,
    );
    let next = 0;
    const parcels = Array.from({ length: 1 + random(8) }, () => {
      const label = `in/${random(3)}`;
      const rows = Array.from({ length: 1 + random(20) }, () => `${label} ${next++}`);
      return new TestParcel(rows, label, { padding: random(2) * random(30) });
    });
    for (const parcel of parcels) {
      outbox.push(parcel);
      if (random(2) === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    outbox.hurry();
    await settled(parcels);
    const seen = [...taken, ...documents.map(({ entered }) => entered)].sort();
    const all = parcels.reduce((sum, { rows }) => sum + rows, 0);
    assert.equal(new Set(seen).size, all);
    assert.equal(seen.length, all);
    assert.equal(counts.delivered + documents.length, all);
    assert.ok(documents.every(({ entered, came }) => came === `<${entered}>`));
    assert.ok(parcels.every(({ released, settledTimes }) => released === 1 && settledTimes === 1));
    assert.ok(outbox.idle);
  }
});

test('whatever passes, the rows of each partition arrive in order', async (t) => {
  let turn = 0;
  const taken: string[] = [];
  const { outbox } = open(
    t,
    async (rows) => {
      turn++;
      if (turn % 4 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (turn % 3 === 0) return passing();
      taken.push(...rows);
      return undefined;
    },
    { rows: 7, concurrency: 3 },
  );
  const labels = ['in/0', 'in/1', 'in/2', 'in/3', 'in/4'];
  const parcels = numbers(0, 40).map((n) => {
    const label = labels[Number(n) % labels.length]!;
    const first = Number(n) * 10;
    return new TestParcel(
      numbers(first, first + 10).map((row) => `${label} ${row}`),
      label,
    );
  });
  for (const parcel of parcels) outbox.push(parcel);
  await settled(parcels);
  for (const label of labels) {
    const own = taken.filter((row) => row.startsWith(label)).map((row) => Number(row.split(' ')[1]));
    assert.equal(own.length, 80);
    assert.deepEqual(
      own,
      own.toSorted((one, other) => one - other),
    );
  }
});
