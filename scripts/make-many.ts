/**
 * Repeats the earthquakes of examples/moment/ until there are millions: each round gives every row a new id (`-0001`, `-0002`, …)
 * and moves its time on by 61 minutes, so that all hours of the day come by. Same arguments, same bytes.
 *
 * Both changes have a fixed width. So the rows are laid out once with room for them, a round only overwrites digits, and the
 * file grows at the speed of the disk.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';

const SHIFT_SECONDS = 61 * 60;
const ROUND_DIGITS = 4;
const TIME_DIGITS = 10;

interface Layout {
  readonly bytes: Buffer;
  readonly rows: number;
  /** Where each row's round number and time start in `bytes`. */
  readonly roundAt: readonly number[];
  readonly timeAt: readonly number[];
  readonly times: readonly number[];
}

export interface Many {
  readonly rows: number;
  readonly bytes: number;
  write(target: string): Promise<void>;
}

/** Says how large the file with at least `rows` rows gets, and writes it. */
export async function repeatEarthquakes(source: URL, rows: number): Promise<Many> {
  const layout = await layOut(source);
  const rounds = Math.min(Math.max(1, Math.round(rows / layout.rows)), 10 ** ROUND_DIGITS - 1);
  return {
    rows: rounds * layout.rows,
    bytes: rounds * layout.bytes.length,
    async write(target) {
      const unfinished = `${target}.part`;
      await mkdir(dirname(target), { recursive: true });
      try {
        await pipeline(allRounds(layout, rounds), createWriteStream(unfinished));
        await rename(unfinished, target);
      } catch (error) {
        await rm(unfinished, { force: true });
        throw error;
      }
    },
  };
}

/** True when `target` is what {@link Many.write} would write, judged by its size. */
export async function isWritten(many: Many, target: string): Promise<boolean> {
  const found = await stat(target).catch(() => undefined);
  return found?.size === many.bytes;
}

async function layOut(source: URL): Promise<Layout> {
  const roundAt: number[] = [];
  const timeAt: number[] = [];
  const times: number[] = [];
  let text = '';
  for await (const line of createInterface({ input: createReadStream(source) })) {
    const { id, creation_timestamp, ...rest } = JSON.parse(line) as { id: string; creation_timestamp: number };
    roundAt.push(text.length + `{"id":"${id}-`.length);
    text += `{"id":"${id}-${'0'.repeat(ROUND_DIGITS)}","creation_timestamp":`;
    timeAt.push(text.length);
    times.push(creation_timestamp);
    text += `${creation_timestamp},${JSON.stringify(rest).slice(1)}\n`;
  }
  // One byte for each character: positions in the text are positions in the bytes.
  return { bytes: Buffer.from(text, 'latin1'), rows: times.length, roundAt, timeAt, times };
}

function* allRounds(layout: Layout, rounds: number): Generator<Buffer> {
  const { roundAt, timeAt, times } = layout;
  for (let round = 1; round <= rounds; round++) {
    const bytes = Buffer.from(layout.bytes);
    for (let row = 0; row < times.length; row++) {
      writeDigits(bytes, roundAt[row]!, ROUND_DIGITS, round);
      writeDigits(bytes, timeAt[row]!, TIME_DIGITS, times[row]! + round * SHIFT_SECONDS);
    }
    yield bytes;
  }
}

function writeDigits(bytes: Buffer, at: number, width: number, value: number): void {
  for (let i = width - 1; i >= 0; i--) {
    bytes[at + i] = 48 + (value % 10);
    value = Math.floor(value / 10);
  }
}
