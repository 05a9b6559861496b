/**
 * Which ranges of which partitions are being computed right now: one fixed-size record per dispatch slot, written in place
 * with one small `pwrite`, never synced. It survives the death of the process, which is all it is for: the ranges found at
 * the next start hold the row that killed it.
 *
 * A record is 32 bytes, so it lies within one page: number of the name (0: free), reserved, from, to, digest (or zeros). Names (source and
 * partition) are long, and few at a time: each is appended once, with its number, to a second file. A source goes through ever
 * new ones (files of months, topics), so when there are many, all but those that are in a record are forgotten; one that
 * comes again is appended again.
 *
 * A disk that is full must not stop the rows: what cannot be noted is not noted.
 */
import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

export interface Range {
  readonly source: string;
  readonly partition: string;
  /** Byte offsets within the partition. */
  readonly from: number;
  readonly to: number;
  /** The first 8 bytes of the SHA-256 of what stands there, hexadecimal, where that was noted. */
  readonly digest?: string;
}

const RECORD = 32;
const USUAL_RECORDS = 128;
/** Names that are kept at the most, but for those in records. */
const MOST_NAMES = 4096;
const NO_DIGEST = '0'.repeat(16);

export class InFlight {
  readonly #file: number;
  readonly #namesPath: string;
  #namesFile: number;
  readonly #names = new Map<string, number>();
  /** The number in each record that is not free. */
  readonly #noted = new Map<number, number>();
  #lastNumber = 0;
  readonly #record = Buffer.alloc(RECORD);
  readonly #free = Buffer.alloc(4);

  /** Starts an empty record: read the old one first. */
  constructor(path: string) {
    this.#namesPath = `${path}.names`;
    this.#namesFile = openSync(this.#namesPath, 'w', 0o600);
    this.#file = openSync(path, 'w', 0o600);
    // Takes the space now, while there is some.
    this.#write(Buffer.alloc(RECORD * USUAL_RECORDS), 0);
  }

  /** Dispatch slot `index` starts on a range. */
  begin(index: number, range: Range): void {
    const number = this.#numberOf(range);
    if (number === 0) return;
    this.#noted.set(index, number);
    this.#record.writeUInt32LE(number, 0);
    this.#record.writeDoubleLE(range.from, 8);
    this.#record.writeDoubleLE(range.to, 16);
    this.#record.write(range.digest ?? NO_DIGEST, 24, 'hex');
    this.#write(this.#record, index * RECORD);
  }

  /** Dispatch slot `index` is done. */
  end(index: number): void {
    this.#noted.delete(index);
    this.#write(this.#free, index * RECORD);
  }

  close(): void {
    closeSync(this.#namesFile);
    closeSync(this.#file);
  }

  #write(bytes: Buffer, position: number): void {
    try {
      writeSync(this.#file, bytes, 0, bytes.length, position);
    } catch {
      // See above.
    }
  }

  /** 0 when the name cannot be noted. */
  #numberOf({ source, partition }: Range): number {
    const name = JSON.stringify([source, partition]);
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const number = this.#lastNumber + 1;
    try {
      if (this.#names.size >= MOST_NAMES) this.#forgetNames();
      // The newline stands in front, so that half a line that a full disk has left spoils no other.
      writeSync(this.#namesFile, lineOf(number, name));
    } catch {
      return 0;
    }
    this.#lastNumber = number;
    this.#names.set(name, number);
    return number;
  }

  /** Replaces the file in one step by one with the names that records lead to; they keep their numbers. */
  #forgetNames(): void {
    const noted = new Set(this.#noted.values());
    const kept = Array.from(this.#names).filter(([, number]) => noted.has(number));
    const file = openSync(`${this.#namesPath}.new`, 'w', 0o600);
    try {
      writeSync(file, kept.map(([name, number]) => lineOf(number, name)).join(''));
      renameSync(`${this.#namesPath}.new`, this.#namesPath);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(this.#namesFile);
    this.#namesFile = file;
    this.#names.clear();
    for (const [name, number] of kept) this.#names.set(name, number);
  }
}

/** `name` is the JSON of the source's id and the partition. */
function lineOf(number: number, name: string): string {
  return `\n[${number},${name.slice(1)}`;
}

/** The ranges that were being computed when the last process ended; none when it ended in order. */
export function readInFlight(path: string): Range[] {
  const records = readOrEmpty(path);
  const names = readNames(`${path}.names`);
  const ranges: Range[] = [];
  for (let at = 0; at + RECORD <= records.length; at += RECORD) {
    const name = names.get(records.readUInt32LE(at));
    if (name === undefined) continue;
    const digest = records.toString('hex', at + 24, at + RECORD);
    const range = { ...name, from: records.readDoubleLE(at + 8), to: records.readDoubleLE(at + 16) };
    ranges.push(digest === NO_DIGEST ? range : { ...range, digest });
  }
  return ranges;
}

function readNames(path: string): Map<number, Pick<Range, 'source' | 'partition'>> {
  const names = new Map<number, Pick<Range, 'source' | 'partition'>>();
  for (const line of readOrEmpty(path).toString('utf8').split('\n')) {
    try {
      const [number, source, partition] = JSON.parse(line) as [number, string, string];
      names.set(number, { source, partition });
    } catch {
      // Half a line.
    }
  }
  return names;
}

function readOrEmpty(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}
