/** Standard error as people see it: what is said, and below it one progress line where it is a terminal. */
import type { Metrics } from '../pipeline/metrics.ts';
import { bytes, duration, short, whole } from './format.ts';

const REFRESH_MS = 200;
const ERASE_LINE = '\r\x1b[K';

export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
  readonly writableLength?: number;
  readonly plain?: TextOutput;
}

export class Terminal {
  readonly #output: TextOutput;
  #timer: NodeJS.Timeout | undefined;
  #line = '';

  constructor(output: TextOutput) {
    this.#output = output;
  }

  print(text: string): void {
    this.#output.write(this.#line === '' ? text : `${ERASE_LINE}${text}${this.#line}`);
  }

  /** Shows the line until {@link endProgress}; does nothing where it is no terminal. */
  progress(metrics: () => Metrics[], since: number): void {
    if (!this.#output.isTTY || this.#timer) return;
    this.#timer = setInterval(() => {
      this.#line = progressLine(metrics(), (performance.now() - since) / 1000).slice(0, (this.#output.columns || 80) - 1);
      this.#output.write(`${ERASE_LINE}${this.#line}`);
    }, REFRESH_MS).unref();
  }

  endProgress(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#line !== '') this.#output.write(ERASE_LINE);
    this.#line = '';
  }
}

/** `1,234,567 rows  3.2 M rows/s  812 MB  45 %  12 s left`, over all punchlines of the process. */
export function progressLine(all: readonly Metrics[], seconds: number): string {
  const rows = all.reduce((sum, { rowsIn }) => sum + rowsIn, 0);
  const done = all.reduce((sum, { bytesIn }) => sum + bytesIn, 0);
  const parts = [`${whole(rows)} rows`, `${short(rows / seconds)} rows/s`, bytes(done)];
  const rejected = all.reduce((sum, metrics) => sum + metrics.rejected, 0);
  if (rejected > 0) parts.push(`${whole(rejected)} rejected`);
  const totals = all.map(({ bytesTotal }) => bytesTotal);
  if (totals.every((total) => total !== undefined)) {
    const total = totals.reduce((sum, bytes) => sum + bytes, 0);
    const share = total === 0 ? 1 : Math.min(1, done / total);
    parts.push(`${Math.floor(share * 100)} %`);
    if (share > 0 && share < 1) parts.push(`${duration(Math.ceil((seconds / share) * (1 - share)))} left`);
  }
  return parts.join('  ');
}
