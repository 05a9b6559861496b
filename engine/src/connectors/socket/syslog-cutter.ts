import { FrameCutter } from './frame-cutter.ts';
import { countedFrame, NO_COUNT, syslogFrames } from './frames.ts';
import { LineCutter } from './line-cutter.ts';
import type { MessageCutter, Piece } from './message-cutter.ts';

/** Either framing of RFC 6587. Newlines are only looked for one by one on a connection where a length has been seen. */
export function syslogCutter(maxBytes: number, { counts }: { readonly counts: boolean }): MessageCutter {
  return counts ? new SyslogCutter(maxBytes) : new LineCutter(maxBytes);
}

/** Both ways of one connection: lines in pieces, until a length has been seen. */
class SyslogCutter implements MessageCutter {
  readonly #lines: LineCutter;
  readonly #messages: FrameCutter;
  #counted = false;

  constructor(maxBytes: number) {
    this.#lines = new LineCutter(maxBytes);
    this.#messages = new FrameCutter(maxBytes, syslogFrames);
  }

  get begun(): boolean {
    return this.#lines.begun || this.#messages.begun;
  }

  get truncated(): number {
    return this.#lines.truncated + this.#messages.truncated;
  }

  cut(chunk: Buffer): Iterable<Piece> {
    if (!this.#counted && !this.#lines.begun) this.#counted = countedFrame(chunk, 0) !== NO_COUNT;
    return this.#counted ? this.#messages.cut(chunk) : this.#lines.cut(chunk);
  }

  end(): Piece | undefined {
    return this.#lines.end() ?? this.#messages.end();
  }
}
