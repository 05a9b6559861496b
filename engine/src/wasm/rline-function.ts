/**
 * An rline function over batches: some hundred rows at a time are encoded into the arena, run through the guest in one call of the
 * shim, and their answers read. Nothing here is done per row but for rows that went wrong or printed something.
 */
import type { Arena } from '../batch/arena.ts';
import type { Batch } from '../batch/batch.ts';
import { ArenaFullError } from '../batch/row-batch.ts';
import type { TokenAccess } from '../batch/token-access.ts';
import type { BatchFunction } from '../spec/function.ts';
import type { FunctionLog } from './function-log.ts';
import type { Guest, RunOutcome } from './guest.ts';
import type { RlineFormat } from './rline-kernel.ts';
import { Verdict } from './rline-kernel.ts';
import { RowDecoding } from './row-decoding.ts';
import { type EncodingOptions, RowEncoding, wideBytes } from './row-encoding.ts';
import { RESULT_BYTES } from './shim.ts';

export interface RlineFunctionOptions extends EncodingOptions {
  readonly guest: Guest;
  /** The function's name, for reasons. */
  readonly name: string;
  readonly format: RlineFormat;
  readonly log: FunctionLog;
  readonly digest?: string;
  /** Rows with an integer that the guest cannot hold are rejected instead of passed. */
  readonly strictIntegers: boolean;
  /** Called with the name of a column that holds such integers (`undefined`: of any more) and in how many rows. */
  readonly onWide: (column: string | undefined, rows: number) => void;
  /** Told of each batch how many rows ran and how many of them failed; may throw to stop the punchline. */
  readonly onRows?: (rows: number, failed: number) => void;
}

type View = Batch & TokenAccess;

const CHUNK_ROWS = 512;
const INPUT_BYTES = 256 * 1024;
const OUTPUT_BYTES = 512 * 1024;
const LOG_BYTES = 128 * 1024;
const FIXUPS = 4096;
/** Longest part of what a function printed that a reason shows. */
const SHOWN_CHARACTERS = 400;

/** The pieces of the arena that all chunks of a batch use in turn. */
interface Frame {
  readonly pairs: number;
  readonly wide: number;
  readonly results: number;
  readonly log: number;
  readonly input: number;
}

export class RlineFunction implements BatchFunction {
  readonly #options: RlineFunctionOptions;
  readonly digest: string | undefined;

  constructor(options: RlineFunctionOptions) {
    this.#options = options;
    this.digest = options.digest;
  }

  apply(batch: Batch): void {
    const view = batch as View;
    if (view.rows.length === 0) return;
    new BatchRun(this.#options, view).run();
    this.#options.guest.trim();
    this.#options.log.flush();
  }
}

/** One batch on its way through the guest. */
class BatchRun {
  readonly #options: RlineFunctionOptions;
  readonly #view: View;
  readonly #arena: Arena;
  readonly #frame: Frame;
  #rows: Uint32Array;
  #rowsPointer: number;
  #encoding: RowEncoding;
  readonly #decoding: RowDecoding;
  readonly #rejections: [row: number, reason: string][] = [];

  constructor(options: RlineFunctionOptions, view: View) {
    const { arena } = view;
    this.#options = options;
    this.#view = view;
    this.#arena = arena;
    this.#frame = {
      pairs: arena.take(CHUNK_ROWS * 8),
      wide: arena.take(wideBytes(CHUNK_ROWS)),
      results: arena.take(CHUNK_ROWS * RESULT_BYTES),
      log: arena.take(LOG_BYTES),
      input: arena.take(INPUT_BYTES),
    };
    this.#rows = view.rows;
    this.#rowsPointer = view.rowsPointer;
    this.#encoding = new RowEncoding(view, options, FIXUPS);
    this.#decoding = new RowDecoding(arena, options.format, view.size);
  }

  run(): void {
    const { guest, onRows } = this.#options;
    guest.setTime(this.#view.timestamp);
    for (let from = 0; from < this.#rows.length; ) from += this.#chunk(from);
    this.#decoding.overlay(this.#view);
    for (const [row, reason] of this.#rejections) this.#view.reject(row, reason);
    onRows?.(this.#rows.length, this.#rejections.length);
  }

  /** Runs rows from number `from` on; returns how many. */
  #chunk(from: number): number {
    const { pairs, wide, input } = this.#frame;
    const to = Math.min(this.#rows.length, from + CHUNK_ROWS);
    let count = this.#encoding.encode(from, to, { out: input, outEnd: input + INPUT_BYTES, pairs, wide });
    if (count === 0) count = this.#encodeLarge(from);
    const refused = this.#encoding.wideRows > 0 ? this.#tellWide(from, count) : undefined;
    for (let done = 0; done < count; ) {
      if (refused?.[done] === 1) {
        done++;
        continue;
      }
      let until = count;
      if (refused !== undefined) for (until = done; until < count && refused[until] === 0; ) until++;
      done += this.#run(from + done, until - done, pairs + 8 * done);
    }
    return count;
  }

  /** A row that is larger than the room for many. */
  #encodeLarge(from: number): number {
    const { pairs, wide } = this.#frame;
    const room = this.#encoding.room(from);
    // The shortest number that only JavaScript reads exactly is `1e23`, with a comma: a fourth of the room, a fifth of the text.
    const fixups = Math.ceil(room / 20);
    this.#encoding.useFixups(this.#arena.take(fixups * 12), fixups);
    const out = this.#arena.takeText(room);
    const count = this.#encoding.encode(from, from + 1, { out, outEnd: out + room, pairs, wide });
    if (count === 0) throw new ArenaFullError('Cannot send a row to a function: it has no room');
    this.#arena.keep(this.#arena.words[(pairs >>> 2) + 1]!);
    return count;
  }

  /** Says which columns hold integers that the guest cuts; with strict integers, marks the rows that are not to run. */
  #tellWide(from: number, count: number): Uint8Array | undefined {
    const { wide } = this.#frame;
    const { strictIntegers, onWide } = this.#options;
    for (const [column, rows] of this.#encoding.wideColumns(wide)) onWide(column, rows);
    if (!strictIntegers) return undefined;
    const refused = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      if (!this.#encoding.isWide(wide, i)) continue;
      refused[i] = 1;
      const names = this.#encoding.wideOf(wide, i).map((name) => JSON.stringify(name));
      const where =
        names.length === 0 ? 'the row holds' : names.length === 1 ? `column ${names} holds` : `columns ${names.join(', ')} hold`;
      const reason = `${where} an integer beyond 32 bits, which the function cannot take (strict_integers)`;
      this.#rejections.push([this.#rows[from + i]!, reason]);
    }
    return refused;
  }

  /** Runs encoded rows; all of them, or up to one whose answer is large. Returns how many. */
  #run(from: number, rows: number, pairs: number): number {
    const { guest } = this.#options;
    const { results, log } = this.#frame;
    const arena = this.#arena;
    const out = arena.takeText(OUTPUT_BYTES);
    const outcome = guest.run({ inputs: pairs, rows, results, out, outEnd: out + OUTPUT_BYTES, log, logEnd: log + LOG_BYTES });
    arena.keep(guest.outputEnd);
    if (outcome.large !== undefined) this.#takeLarge(outcome.large, results + (outcome.done - 1) * RESULT_BYTES);
    const others = this.#decoding.decode(this.#rowsPointer, from, outcome.done, { results, pairs });
    this.#readResults(from, outcome, others);
    return outcome.done;
  }

  #takeLarge(bytes: Uint8Array, result: number): void {
    const pointer = this.#arena.takeText(bytes.length);
    this.#arena.bytes.set(bytes, pointer);
    this.#arena.keep(pointer + bytes.length);
    this.#arena.words[(result >>> 2) + 1] = pointer;
    this.#arena.words[(result >>> 2) + 2] = pointer + bytes.length;
  }

  /** Prints, and the reasons of rows without an answer. */
  #readResults(from: number, { done, interruptions }: RunOutcome, others: number): void {
    const { words } = this.#arena;
    const { name, log } = this.#options;
    let next = 0;
    for (let i = 0, at = this.#frame.results >>> 2; i < done; i++, at += RESULT_BYTES / 4) {
      const printed = words[at + 1]! !== words[at + 2]! || words[at + 4]! !== words[at + 5]!;
      const status = words[at]!;
      if (status === Verdict.ok && !printed && words[at + 6] === 0) continue;
      const complaint = this.#text(words[at + 4]!, words[at + 5]!);
      // What stands before the marker; without an answer, all of it may be anything.
      const print = status === Verdict.ok || status === Verdict.err ? this.#text(words[at + 1]!, words[at + 2]!) : '';
      if (print !== '') log.print(print);
      if (complaint !== '') log.print(complaint);
      if (words[at + 6] !== 0) log.drop(words[at + 6]!);
      if (others === 0 || status === Verdict.ok) continue;
      while (next < interruptions.length && interruptions[next]!.row < i) next++;
      const interruption = interruptions[next]?.row === i ? interruptions[next] : undefined;
      const said = interruption === undefined ? this.#describe(at) : `function "${name}" ${interruption.what}`;
      this.#rejections.push([this.#rows[from + i]!, said + (status === Verdict.err ? '' : saying(complaint))]);
    }
  }

  #describe(at: number): string {
    const { words } = this.#arena;
    const { name, format } = this.#options;
    const bytes = words[at + 2]! - words[at + 1]!;
    switch (words[at]) {
      case Verdict.err:
        return this.#text(words[at + 3]!, words[at + 7]!) || `function "${name}" answered with an error without text`;
      case Verdict.noMarker:
        return bytes === 0
          ? `function "${name}" gave no answer`
          : `function "${name}" gave no answer: none of the ${bytes} bytes that it wrote is the marker byte 3`;
      case Verdict.tooManyColumns:
        return `function "${name}" answered with too many columns: at most 4096 in a row and 1024 different ones in a batch`;
      default:
        return `function "${name}" gave an answer that cannot be read: no marker byte 3 in the ${bytes} bytes that it wrote is followed by a whole ${format} result`;
    }
  }

  #text(start: number, end: number): string {
    return end > start ? this.#arena.bytes.toString('utf8', start, end) : '';
  }
}

function saying(text: string): string {
  const said = text.trim();
  if (said === '') return '';
  return `; it said: ${said.length > SHOWN_CHARACTERS ? `${said.slice(0, SHOWN_CHARACTERS)}…` : said}`;
}
