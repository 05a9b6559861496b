import type { AdvanceOptions, PartitionFeed } from './feed.ts';

/** For sources that hold their rows already: copies the bytes in, in as many pieces as there is room for. The options are those of the last. */
export async function feedBytes(partition: PartitionFeed, bytes: Uint8Array, options?: AdvanceOptions): Promise<void> {
  for (let from = 0; from < bytes.length; ) {
    const room = await partition.room();
    const length = Math.min(room.length, bytes.length - from);
    room.set(bytes.subarray(from, from + length));
    from += length;
    partition.advance(length, from === bytes.length ? options : undefined);
  }
}
