import type { Json } from '../spec/plan.ts';
import type { Arena } from './arena.ts';
import type { Column, ReadOptions } from './batch.ts';
import { refusal } from './conversion.ts';
import { KIND_RAW, Verdict } from './kernel-exports.ts';
import { type Networks, parseNetworks } from './networks.ts';
import { kindOf, stringAt, type Tokens, tokenText } from './tokens.ts';

/** What a column needs of the view that it was asked from. */
export interface ReaderOwner {
  readonly arena: Arena;
  readonly size: number;
  readonly rows: Uint32Array;
  readonly rowsPointer: number;
  reject(row: number, reason: string): void;
}

type TypedArray = BigInt64Array | Float64Array | Uint8Array;

/** Values that were read, and the kernel's verdict on each row. */
interface Typed<T extends TypedArray> {
  readonly values: T;
  readonly verdicts: Uint8Array;
  /** Number of rows whose verdict is not good. */
  readonly others: number;
}

const whereCodes = { equals: 0, starts: 1, ends: 2, contains: 3 } as const;
const comparisonNotPossible = 3;
const comparisonAsk = 4;

/** Parsed once, whatever the number of batches: settings keep their identity. */
const parsedNetworks = new WeakMap<readonly string[], Networks>();

/** A column over its tokens. What the kernel writes stays in the arena, as long as the batch. */
export class ColumnReader implements Column {
  readonly name: string;
  readonly #owner: ReaderOwner;
  readonly #tokens: Tokens;
  #integers: Typed<BigInt64Array> | undefined;
  #floats: Typed<Float64Array> | undefined;
  #booleans: Typed<Uint8Array> | undefined;
  /** Of the typed getter that was called last; `#valid` is made of it when it is asked for. */
  #verdicts: Uint8Array | undefined;
  #valid: Uint8Array | undefined;

  constructor(owner: ReaderOwner, name: string, tokens: Tokens) {
    this.#owner = owner;
    this.name = name;
    this.#tokens = tokens;
  }

  kinds(): Uint8Array {
    const { arena, size } = this.#owner;
    const out = arena.take(size);
    arena.kernel.plainKinds(this.#tokens.kinds, size, out);
    return arena.u8(out, size);
  }

  i64(options?: ReadOptions): BigInt64Array {
    const { arena, size } = this.#owner;
    this.#integers ??= this.#read('readIntegers', 8, (pointer) => arena.i64(pointer, size));
    return this.#settle(this.#integers, 'integer', options);
  }

  f64(options?: ReadOptions): Float64Array {
    const { arena, size } = this.#owner;
    this.#floats ??= this.#askFloats(this.#read('readFloats', 8, (pointer) => arena.f64(pointer, size)));
    return this.#settle(this.#floats, 'float', options);
  }

  boolean(options?: ReadOptions): Uint8Array {
    const { arena, size } = this.#owner;
    this.#booleans ??= this.#read('readBooleans', 1, (pointer) => arena.u8(pointer, size));
    return this.#settle(this.#booleans, 'boolean', options);
  }

  get valid(): Uint8Array {
    if (this.#valid === undefined && this.#verdicts !== undefined) {
      this.#valid = this.#verdicts.map((verdict) => (verdict === Verdict.good ? 1 : 0));
    }
    if (this.#valid === undefined) {
      throw new TypeError(
        `Cannot tell which rows of column ${JSON.stringify(this.name)} are valid: call i64, f64 or boolean first`,
      );
    }
    return this.#valid;
  }

  equals(value: string): Uint8Array {
    return this.#match(value, 'equals');
  }

  matches(part: string, where: 'contains' | 'starts' | 'ends'): Uint8Array {
    return this.#match(part, where);
  }

  compare(value: string | number): Uint8Array {
    const { arena, size, rows, rowsPointer } = this.#owner;
    const { starts, ends, kinds } = this.#tokens;
    const out = arena.take(size);
    const results = arena.u8(out, size);
    if (typeof value === 'string') {
      const mark = arena.mark();
      const { pointer, length } = arena.text(value);
      arena.kernel.compareTexts(starts, ends, kinds, rowsPointer, rows.length, pointer, length, out);
      arena.release(mark);
      return results;
    }
    if (Number.isNaN(value)) return results.fill(comparisonNotPossible);
    if (arena.kernel.compareNumbers(starts, ends, kinds, rowsPointer, rows.length, value, out) > 0) {
      for (const row of rows) {
        if (results[row] !== comparisonAsk) continue;
        const number = Number(tokenText(arena, this.#tokens, row));
        results[row] = number < value ? 0 : number > value ? 2 : 1;
      }
    }
    return results;
  }

  within(networks: readonly string[]): Uint8Array {
    const { arena, size, rows, rowsPointer } = this.#owner;
    let parsed = parsedNetworks.get(networks);
    if (parsed === undefined) {
      parsed = parseNetworks(networks);
      parsedNetworks.set(networks, parsed);
    }
    const { ipv4, ipv6 } = parsed;
    const { starts, ends, kinds } = this.#tokens;
    const out = arena.take(size);
    const mark = arena.mark();
    const ranges4 = arena.copyOf(ipv4);
    const ranges6 = arena.copyOf(ipv6);
    // biome-ignore format: one argument list
    arena.kernel.matchAddresses(
      starts, ends, kinds, rowsPointer, rows.length, ranges4, ipv4.length / 2, ranges6, ipv6.length / 4, out,
    );
    arena.release(mark);
    return arena.u8(out, size);
  }

  string(row: number): string | undefined {
    return stringAt(this.#owner.arena, this.#tokens, row);
  }

  value(row: number): Json | bigint | undefined {
    const { arena } = this.#owner;
    const kind = kindOf(arena, this.#tokens, row);
    if (kind === 0) return undefined;
    if (kind === 1 || kind === KIND_RAW) return stringAt(arena, this.#tokens, row);
    const text = tokenText(arena, this.#tokens, row);
    if (kind !== 2) return JSON.parse(text) as Json;
    const number = Number(text);
    return Number.isSafeInteger(number) ? number : BigInt(text);
  }

  #match(text: string, how: keyof typeof whereCodes): Uint8Array {
    const { arena, size, rows, rowsPointer } = this.#owner;
    const { starts, ends, kinds } = this.#tokens;
    const out = arena.take(size);
    const mark = arena.mark();
    const { pointer, length } = arena.text(text);
    arena.kernel.matchTexts(starts, ends, kinds, rowsPointer, rows.length, whereCodes[how], pointer, length, out);
    arena.release(mark);
    return arena.u8(out, size);
  }

  #read<T extends TypedArray>(
    how: 'readIntegers' | 'readFloats' | 'readBooleans',
    width: number,
    view: (pointer: number) => T,
  ): Typed<T> {
    const { arena, size, rows, rowsPointer } = this.#owner;
    const { starts, ends, kinds } = this.#tokens;
    const out = arena.take(size * width);
    const status = arena.take(size);
    const others = arena.kernel[how](starts, ends, kinds, rowsPointer, rows.length, out, status);
    return { values: view(out), verdicts: arena.u8(status, size), others };
  }

  /** Numbers that one exact operation does not round: JavaScript reads them. */
  #askFloats(typed: Typed<Float64Array>): Typed<Float64Array> {
    if (typed.others === 0) return typed;
    const { arena, rows } = this.#owner;
    let { others } = typed;
    for (const row of rows) {
      if (typed.verdicts[row] !== Verdict.ask) continue;
      const text = kindOf(arena, this.#tokens, row) === 3 || kindOf(arena, this.#tokens, row) === 2;
      typed.values[row] = Number(text ? tokenText(arena, this.#tokens, row) : stringAt(arena, this.#tokens, row));
      typed.verdicts[row] = Verdict.good;
      others--;
    }
    return { ...typed, others };
  }

  /** Rejects what the options say, and notes which rows have a value. */
  #settle<T extends TypedArray>(typed: Typed<T>, type: 'integer' | 'float' | 'boolean', options: ReadOptions | undefined): T {
    const missing = options?.missing ?? 'reject';
    const { rows, arena } = this.#owner;
    const { verdicts, others, values } = typed;
    this.#verdicts = verdicts;
    this.#valid = undefined;
    if (others === 0 || missing === 'lenient') return values;
    for (const row of rows) {
      const verdict = verdicts[row]!;
      if (verdict === Verdict.good) continue;
      if (missing === 'skip' && verdict === Verdict.missing) continue;
      this.#owner.reject(row, refusal(arena, this.#tokens, row, { name: this.name, type, verdict }));
    }
    return values;
  }
}
