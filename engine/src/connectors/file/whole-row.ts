/** One row of all the bytes that there are: what the codec `raw` reads from a file or from standard input. */
import type { RecordWriter } from '../../spec/record-writer.ts';

/**
 * Resolves when the row is fed, with how many bytes it has. Of more than a row may hold only the length and the digest are found out,
 * and memory stays bounded. Rejects with what reading rejects with; nothing is fed then.
 */
export async function feedWhole(writer: RecordWriter, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  const kept: Buffer[] = [];
  let bytes = 0;
  let hash: import('node:crypto').Hash | undefined;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (hash) hash.update(piece);
    // Each piece is good until the next one is asked for.
    else kept.push(Buffer.from(piece));
    if (hash || writer.fits(bytes)) continue;
    hash = process.getBuiltinModule('node:crypto').createHash('sha256');
    for (const each of kept) hash.update(each);
  }
  const content = Buffer.concat(kept);
  if (hash) await writer.refuse(0, [], { head: content, bytes, sha256: hash.digest('hex') });
  else await writer.add(0, [], content);
  writer.flush();
  return bytes;
}
