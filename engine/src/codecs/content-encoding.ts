/** Bodies of answers, as their header `Content-Encoding` says. */
import { ReefError } from '../errors.ts';
import { type Compression, compressions, decompressWhole } from './decompress.ts';

export interface EncodedBody {
  readonly body: Buffer;
  /** Value of the header. */
  readonly encoding: string | undefined;
  /** Behind the compression there are at most so many. */
  readonly maxBytes: number;
}

/** Rejects with a `ReefError`: `limit` where it is too long, `io` where it is damaged, cut off or compressed in a way that is not known. */
export async function decodedBody({ body, encoding, maxBytes }: EncodedBody): Promise<Buffer> {
  const name = (encoding ?? 'identity').trim().toLowerCase().replace(/^x-/, '');
  if (name === 'identity' || name === '') return body;
  const compression = compressions.find((known) => known === name);
  if (compression === undefined)
    throw new ReefError(
      'io',
      `Cannot decompress the answer: its Content-Encoding is "${encoding}", expected one of ${compressions.join(', ')}`,
    );
  // Empty answers (to HEAD, 204, 304) have no compression whatever their header says.
  return body.length === 0 ? body : decompressWhole(compression as Compression, body, { maxBytes, subject: 'the answer' });
}
