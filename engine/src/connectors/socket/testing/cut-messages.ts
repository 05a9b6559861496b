/** What tests of message cutters need: input in chunks of any lengths, pieces as messages. */
import fc from 'fast-check';
import type { MessageCutter, Piece } from '../message-cutter.ts';

export const chunkLengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

/** The messages in `bytes` when they come in chunks of these lengths, again and again. */
export function messages(cutter: MessageCutter, bytes: Buffer, lengths: readonly number[] = [bytes.length || 1]): string[] {
  const found: string[] = [];
  for (let from = 0, i = 0; from < bytes.length; i++) {
    const chunk = bytes.subarray(from, from + lengths[i % lengths.length]!);
    from += chunk.length;
    for (const piece of cutter.cut(Buffer.from(chunk))) {
      found.push(...texts(piece));
    }
  }
  const last = cutter.end();
  if (last) found.push(...texts(last));
  return found;
}

const texts = (piece: Piece): string[] => messagesOf(piece).map((message) => message.toString('latin1'));

/** The messages of a piece. */
export function messagesOf({ bytes, rows }: Piece): Buffer[] {
  const piece = Buffer.from(bytes);
  if (rows === 'one') return [piece];
  if (rows === 'lines')
    return piece
      .toString('latin1')
      .split('\n')
      .map((line) => Buffer.from(line, 'latin1'));
  const found: Buffer[] = [];
  for (let at = 0; at < piece.length; ) {
    const blank = piece.indexOf(' ', at);
    const end = blank + 1 + Number(piece.toString('latin1', at, blank));
    if (!(end <= piece.length)) throw new RangeError(`The piece ${JSON.stringify(piece.toString())} is cut within a message`);
    found.push(piece.subarray(blank + 1, end));
    at = end;
  }
  return found;
}
