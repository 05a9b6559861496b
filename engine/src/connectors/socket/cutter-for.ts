import { FrameCutter } from './frame-cutter.ts';
import { delimiterFrames, lengthFrames, octetFrames } from './frames.ts';
import { delimiterBytes, type Framing } from './framing.ts';
import { LineCutter } from './line-cutter.ts';
import type { MessageCutter } from './message-cutter.ts';

export function cutterFor(framing: Framing, maxBytes: number): MessageCutter {
  switch (framing.by) {
    case 'line':
      return new LineCutter(maxBytes);
    case 'delimiter': {
      const delimiter = delimiterBytes(framing.delimiter)!;
      return new FrameCutter(maxBytes, delimiterFrames(delimiter), delimiter.length);
    }
    case 'length':
      return new FrameCutter(maxBytes, lengthFrames(Number(framing.length_bytes) as 1 | 2 | 4, framing.byte_order));
    default:
      return new FrameCutter(maxBytes, octetFrames);
  }
}
