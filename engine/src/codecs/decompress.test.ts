import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { ReefError } from '../errors.ts';
import { compressWhole } from './compress.ts';
import { type Compression, compressions, decompress, decompressWhole } from './decompress.ts';

const compress: Record<Compression, (bytes: Uint8Array) => Buffer> = {
  gzip: (bytes) => gzipSync(bytes),
  deflate: (bytes) => deflateSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
  br: (bytes) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
};

/** Text that does not shrink to nothing, from a fixed seed. */
function text(bytes: number): Buffer {
  let state = 7;
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return 32 + (state % 64);
  };
  return Buffer.from(Array.from({ length: bytes }, next));
}

function* pieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(
  compression: Compression,
  source: Iterable<Uint8Array>,
  options = {},
): Promise<{ bytes: Buffer; error: unknown }> {
  const parts: Uint8Array[] = [];
  try {
    for await (const part of decompress(compression, source, options)) parts.push(part);
  } catch (error) {
    return { bytes: Buffer.concat(parts), error };
  }
  return { bytes: Buffer.concat(parts), error: undefined };
}

for (const compression of compressions) {
  describe(compression, () => {
    const whole = text(500_000);
    const packed = compress[compression](whole);

    test('comes out as it went in, in pieces of any size', async () => {
      for (const size of [packed.length, 65_536, 4099]) {
        const { bytes, error } = await collect(compression, pieces(packed, size));
        assert.equal(error, undefined);
        assert.ok(bytes.equals(whole));
      }
      const few = text(1000);
      assert.ok((await collect(compression, pieces(compress[compression](few), 1))).bytes.equals(few));
      assert.ok((await decompressWhole(compression, await compressWhole(compression, few), { maxBytes: 1000 })).equals(few));
    });

    test('is bounded', async () => {
      const bomb = compress[compression](Buffer.alloc(50_000_000));
      const { bytes, error } = await collect(compression, [bomb], { maxBytes: 1_000_000, subject: 'the body' });
      assert.ok(error instanceof ReefError && error.code === 'limit', String(error));
      assert.match(error.message, /^Cannot decompress the body: it holds more than 1000000 bytes/);
      assert.ok(bytes.length <= 1_000_000);
      await assert.rejects(decompressWhole(compression, packed, { maxBytes: whole.length - 1 }), { code: 'limit' });
      assert.ok((await decompressWhole(compression, packed, { maxBytes: whole.length })).equals(whole));
    });

    test('that is cut off gives what came before, then the error', async () => {
      for (const [kept, least] of [
        [packed.length - 3, 350_000],
        [packed.length >> 1, 100_000],
        [1, 0],
        [0, 0],
      ] as const) {
        const { bytes, error } = await collect(compression, pieces(packed.subarray(0, kept), 70_000), { subject: 'a.gz' });
        assert.ok(error instanceof ReefError && error.code === 'io', String(error));
        assert.match(error.message, /^Cannot decompress a\.gz: its \w+ data ends too early, at compressed byte \d+/);
        assert.ok(bytes.length >= least && whole.subarray(0, bytes.length).equals(bytes), `${bytes.length} bytes`);
      }
    });

    test('that is damaged or has something behind it is an error that says so', async () => {
      const broken = Buffer.from(packed);
      broken.fill(0xff, packed.length >> 1, (packed.length >> 1) + 64);
      // The others have no check sum unless whoever compresses asks for one.
      const checked = compression === 'gzip' || compression === 'deflate';
      const wrong = [Buffer.from('{"no":"compression"}'), Buffer.concat([packed, Buffer.from('{}{}{}{}')])];
      for (const bytes of [...wrong, ...(checked ? [broken] : [])]) {
        const { error } = await collect(compression, pieces(bytes, 9999));
        assert.ok(error instanceof ReefError && error.code === 'io', `${String(error)} ${bytes.length}`);
      }
    });
  });
}

for (const compression of ['gzip', 'zstd', 'deflate'] as const) {
  test(`${compression} streams one behind the other are read as one, and a second that is cut off is seen`, async () => {
    const parts = [text(100_000), Buffer.alloc(0), text(10), text(200_000)];
    const packed = Buffer.concat(parts.map(compress[compression]));
    for (const size of [packed.length, 1000, 7777]) {
      const { bytes, error } = await collect(compression, pieces(packed, size));
      assert.equal(error, undefined);
      assert.ok(bytes.equals(Buffer.concat(parts)));
    }
    const { bytes, error } = await collect(compression, [packed.subarray(0, packed.length - 9)]);
    assert.ok(bytes.length > 100_010);
    assert.match(String(error), /ends too early/);
  });
}

test('deflate is also read without its header, as some send it', async () => {
  assert.ok((await decompressWhole('deflate', deflateRawSync(text(1000)), { maxBytes: 1000 })).equals(text(1000)));
});

test('a gzip file may be filled up with zeros', async () => {
  const { bytes, error } = await collect('gzip', [Buffer.concat([gzipSync(text(1000)), Buffer.alloc(500)])]);
  assert.equal(error, undefined);
  assert.ok(bytes.equals(text(1000)));
});

test('a zstd frame that asks for a large window is refused where there is a bound', async () => {
  const params = { [constants.ZSTD_c_windowLog]: 25, [constants.ZSTD_c_enableLongDistanceMatching]: 1 };
  // Not told beforehand how much comes, the frame asks for its whole window.
  const { createZstdCompress } = await import('node:zlib');
  const stream = createZstdCompress({ params });
  stream.end(text(100_000));
  const packed = Buffer.concat(await stream.toArray());
  await assert.rejects(decompressWhole('zstd', packed, { maxBytes: 1_000_000 }), { code: 'io' });
  const { bytes, error } = await collect('zstd', [packed]);
  assert.equal(error, undefined);
  assert.ok(bytes.equals(text(100_000)));
});

test('who stops reading ends the source', async () => {
  let ended = false;
  function* source(): Generator<Uint8Array> {
    try {
      yield gzipSync(text(1_000_000));
    } finally {
      ended = true;
    }
  }
  for await (const _ of decompress('gzip', source())) break;
  assert.ok(ended);
});

test('an error of the source comes through as it is', async () => {
  // biome-ignore lint/correctness/useYield: it fails before
  function* source(): Generator<Uint8Array> {
    throw new Error('gone');
  }
  assert.match(String((await collect('gzip', source())).error), /^Error: gone$/);
});
