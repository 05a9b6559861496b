/**
 * Which ranges of which partitions are being computed right now: one fixed-size record per dispatch slot, written in place
 * with one small `pwrite`, never synced. It survives the death of the process, which is all it is for: the ranges found at
 * the next start hold the row that killed it.
 *
 * A record is 32 bytes, so it lies within one page: number of the name + 1 (0: free), reserved, from, to. Names (source and
 * partition) are long and few: each is appended once to a second file.
 */
import { appendFileSync, closeSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';

export interface Range {
  readonly source: string;
  readonly partition: string;
  /** Byte offsets within the partition. */
  readonly from: number;
  readonly to: number;
}

const RECORD = 32;

export class InFlight {
  readonly #file: number;
  readonly #namesPath: string;
  readonly #names = new Map<string, number>();
  readonly #record = Buffer.alloc(RECORD);
  readonly #free = Buffer.alloc(4);

  /** Starts an empty record: read the old one first. */
  constructor(path: string) {
    this.#namesPath = `${path}.names`;
    writeFileSync(this.#namesPath, '', { mode: 0o600 });
    this.#file = openSync(path, 'w', 0o600);
  }

  /** Dispatch slot `index` starts on a range. */
  begin(index: number, range: Range): void {
    this.#record.writeUInt32LE(this.#numberOf(range) + 1, 0);
    this.#record.writeDoubleLE(range.from, 8);
    this.#record.writeDoubleLE(range.to, 16);
    writeSync(this.#file, this.#record, 0, RECORD, index * RECORD);
  }

  /** Dispatch slot `index` is done. */
  end(index: number): void {
    writeSync(this.#file, this.#free, 0, 4, index * RECORD);
  }

  close(): void {
    closeSync(this.#file);
  }

  #numberOf(range: Range): number {
    const name = JSON.stringify([range.source, range.partition]);
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const number = this.#names.size;
    appendFileSync(this.#namesPath, `${name}\n`);
    this.#names.set(name, number);
    return number;
  }
}

/** The ranges that were being computed when the last process ended; none when it ended in order. */
export function readInFlight(path: string): Range[] {
  const records = readOrEmpty(path);
  const names = readOrEmpty(`${path}.names`).toString('utf8').split('\n');
  const ranges: Range[] = [];
  for (let at = 0; at + RECORD <= records.length; at += RECORD) {
    const number = records.readUInt32LE(at);
    const name = number === 0 ? undefined : names[number - 1];
    if (!name) continue;
    const [source, partition] = JSON.parse(name) as [string, string];
    ranges.push({ source, partition, from: records.readDoubleLE(at + 8), to: records.readDoubleLE(at + 16) });
  }
  return ranges;
}

function readOrEmpty(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
