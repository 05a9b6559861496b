import { CountedCutter, syslogCountAt } from './counted-cutter.ts';
import { LineCutter } from './line-cutter.ts';
import type { MessageCutter, Piece } from './message-cutter.ts';
import { NO_COUNT } from './octet-count.ts';

/** Either framing of RFC 6587. Counts are only looked for on a connection that began with one. */
export function syslogCutter(maxBytes: number, { counts }: { readonly counts: boolean }): MessageCutter {
  return counts ? new SyslogCutter(maxBytes) : new LineCutter(maxBytes);
}

class SyslogCutter implements MessageCutter {
  readonly #lines: LineCutter;
  readonly #messages: CountedCutter;
  #counted = false;

  constructor(maxBytes: number) {
    this.#lines = new LineCutter(maxBytes);
    this.#messages = new CountedCutter(maxBytes);
  }

  get begun(): boolean {
    return this.#lines.begun || this.#messages.begun;
  }

  get truncated(): number {
    return this.#lines.truncated + this.#messages.truncated;
  }

  cut(chunk: Buffer): Iterable<Piece> {
    if (!this.#counted && !this.#lines.begun) this.#counted = syslogCountAt(chunk, 0) !== NO_COUNT;
    return this.#counted ? this.#messages.cut(chunk) : this.#lines.cut(chunk);
  }

  end(): Piece | undefined {
    return this.#lines.end() ?? this.#messages.end();
  }
}
