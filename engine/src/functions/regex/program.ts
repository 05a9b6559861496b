/**
 * The program that engine/kernel/assembly/functions/regex.ts runs over the bytes of a text: six words for each instruction, and the sets
 * of characters behind them.
 */
import type { CharacterSet } from './character-set.ts';
import type { Assertion, Node } from './syntax.ts';
import { RegexError } from './syntax.ts';

export interface Program {
  readonly words: Uint32Array;
  /** Number of its first slot (the second is one more) by name of group. */
  readonly groups: ReadonlyMap<string, number>;
  readonly slots: number;
}

const Op = { match: 0, byte: 1, set: 2, split: 3, jump: 4, save: 5, assert: 6, span: 7 } as const;

const assertionCodes: Readonly<Record<Assertion, number>> = {
  textStart: 0,
  textEnd: 1,
  lineStart: 2,
  lineEnd: 3,
  wordBoundary: 4,
  noWordBoundary: 5,
};

/** One instruction; targets are numbers of instructions. */
interface Instruction {
  op: number;
  a: number;
  b: number;
  /** Of set and span. */
  readonly set?: CharacterSet;
}

const MOST_INSTRUCTIONS = 20_000;
const INSTRUCTION_WORDS = 6;
const HEADER_WORDS = 4;
const BITMAP_WORDS = 4;

/** Throws a `RegexError` when the program would be too large. */
export function checkSize(tree: Node): void {
  new Emitter().emit(tree);
}

export function compileRegex(tree: Node): Program {
  const emitter = new Emitter();
  emitter.emit(tree);
  emitter.add(Op.match);
  const { code, groups } = emitter;
  makeSpans(code);
  return { words: layOut(code), groups, slots: groups.size * 2 };
}

class Emitter {
  readonly code: Instruction[] = [];
  readonly groups = new Map<string, number>();

  add(op: number, a = 0, b = 0): Instruction {
    if (this.code.length >= MOST_INSTRUCTIONS) throw new RegexError('it is too large: repetitions of repetitions, probably', 0);
    const instruction = { op, a, b };
    this.code.push(instruction);
    return instruction;
  }

  emit(node: Node): void {
    switch (node.kind) {
      case 'empty':
        return;
      case 'set':
        this.#set(node.set);
        return;
      case 'assertion':
        this.add(Op.assert, assertionCodes[node.assertion]);
        return;
      case 'sequence':
        for (const part of node.parts) this.emit(part);
        return;
      case 'choice':
        this.#choice(node.parts);
        return;
      case 'group': {
        // A group that is repeated by copies has one number.
        const slot = this.groups.get(node.name) ?? this.groups.size * 2;
        this.groups.set(node.name, slot);
        this.add(Op.save, slot);
        this.emit(node.inner);
        this.add(Op.save, slot + 1);
        return;
      }
      default:
        this.#repeat(node);
    }
  }

  #set(set: CharacterSet): void {
    const [only] = set;
    if (set.length !== 1 || only![0] !== only![1]) {
      this.add(Op.set);
      this.code[this.code.length - 1] = { op: Op.set, a: 0, b: 0, set };
      return;
    }
    for (const byte of Buffer.from(String.fromCodePoint(only![0]))) this.add(Op.byte, byte);
  }

  #choice(parts: readonly Node[]): void {
    const jumps: Instruction[] = [];
    parts.forEach((part, i) => {
      if (i === parts.length - 1) {
        this.emit(part);
        return;
      }
      const split = this.add(Op.split, this.code.length + 1);
      this.emit(part);
      jumps.push(this.add(Op.jump));
      split.b = this.code.length;
    });
    for (const jump of jumps) jump.a = this.code.length;
  }

  #repeat({ inner, least, most, greedy }: Extract<Node, { kind: 'repeat' }>): void {
    for (let i = 0; i < least; i++) this.emit(inner);
    if (most === Number.POSITIVE_INFINITY) {
      const at = this.code.length;
      const split = this.add(Op.split);
      this.emit(inner);
      this.add(Op.jump, at);
      this.#aim(split, [at + 1, this.code.length], greedy);
      return;
    }
    const splits: [Instruction, number][] = [];
    for (let i = least; i < most; i++) {
      splits.push([this.add(Op.split), this.code.length]);
      this.emit(inner);
    }
    for (const [split, into] of splits) this.#aim(split, [into, this.code.length], greedy);
  }

  #aim(split: Instruction, [into, past]: readonly [number, number], greedy: boolean): void {
    [split.a, split.b] = greedy ? [into, past] : [past, into];
  }
}

/** What a path can begin with: bytes, and the end of the text. */
const END = 256;

/**
 * A greedy loop over one set that nothing behind it can begin with is run through at once: to give back what it took could never help.
 */
function makeSpans(code: Instruction[]): void {
  for (let i = 0; i + 2 < code.length; i++) {
    const [split, body, jump] = [code[i]!, code[i + 1]!, code[i + 2]!];
    if (split.op !== Op.split || split.a !== i + 1 || split.b !== i + 3 || jump.op !== Op.jump || jump.a !== i) continue;
    if (body.op !== Op.set && body.op !== Op.byte) continue;
    // A lone byte of a longer sequence is no character.
    if (body.op === Op.byte && body.a > 0x7f) continue;
    const set: CharacterSet = body.set ?? [[body.a, body.a]];
    const firsts = firstBytes(code, i + 3);
    if (firsts === undefined || leadBytes(set).some((byte) => firsts.has(byte))) continue;
    code[i] = { op: Op.span, a: i + 3, b: 0, set };
  }
}

/**
 * The bytes that what stands at `from` can begin with. Assertions other than the end of the text are looked through (`through`), or make it
 * `undefined`: whether it fits then depends on what was taken before.
 */
function firstBytes(code: readonly Instruction[], from: number, through = false): ReadonlySet<number> | undefined {
  const firsts = new Set<number>();
  const seen = new Set<number>();
  const open = [from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const { op, a, b, set } = code[at]!;
    if (op === Op.match) continue;
    if (op === Op.byte) firsts.add(a);
    else if (op === Op.set) for (const byte of leadBytes(set!)) firsts.add(byte);
    else if (op === Op.split) open.push(a, b);
    else if (op === Op.jump) open.push(a);
    else if (op === Op.save || (op === Op.assert && through)) open.push(at + 1);
    else if (op === Op.span) {
      for (const byte of leadBytes(set!)) firsts.add(byte);
      open.push(a);
    } else if (a === assertionCodes.textEnd) firsts.add(END);
    else return undefined;
  }
  return firsts;
}

const knownLeadBytes = new WeakMap<CharacterSet, readonly number[]>();

/** First bytes of the characters of a set in UTF-8. */
function leadBytes(set: CharacterSet): readonly number[] {
  let bytes = knownLeadBytes.get(set);
  if (bytes === undefined) {
    bytes = findLeadBytes(set);
    knownLeadBytes.set(set, bytes);
  }
  return bytes;
}

function findLeadBytes(set: CharacterSet): number[] {
  const bytes: number[] = [];
  for (const [first, last] of set) {
    const to = leadByte(last);
    for (let byte = leadByte(first); byte <= to; byte++) if (byte < 0x80 || byte >= 0xc2) bytes.push(byte);
  }
  return bytes;
}

function leadByte(code: number): number {
  if (code < 0x80) return code;
  if (code < 0x800) return 0xc0 | (code >> 6);
  return code < 0x10000 ? 0xe0 | (code >> 12) : 0xf0 | (code >> 18);
}

/**
 * Header: instructions, points (splits and spans, which are noted when they were tried), 1 when a match can only begin at the text's start, and
 * the place of the bytes that a match can begin with. Then the instructions: what, two operands, the point's number of splits and
 * spans, and of splits the places of the bytes that both ways can begin with. A set is four words of bits for ASCII, then the number of ranges
 * beyond it, then those: operand b of a set or span. Bytes are eight words of bits; place 0: any, or nothing is known.
 */
function layOut(code: readonly Instruction[]): Uint32Array {
  const behind: number[] = [];
  const places = new Map<string, number>();
  const behindAt = HEADER_WORDS + code.length * INSTRUCTION_WORDS;
  const placeOf = (words: readonly number[] | undefined): number => {
    if (words === undefined) return 0;
    const key = words.join();
    const place = places.get(key) ?? behindAt + behind.length;
    if (!places.has(key)) behind.push(...words);
    places.set(key, place);
    return place;
  };
  let points = 0;
  const instructions = code.flatMap(({ op, a, b, set }) => {
    if (op === Op.set) return [op, 0, placeOf(setWords(set!)), 0, 0, 0];
    if (op === Op.span) return [op, a, placeOf(setWords(set!)), points++, 0, 0];
    if (op === Op.split) return [op, a, b, points++, placeOf(firstWords(code, a)), placeOf(firstWords(code, b))];
    return [op, a, b, 0, 0, 0];
  });
  const anchored = code[0]!.op === Op.assert && code[0]!.a === assertionCodes.textStart;
  const header = new Array<number>(HEADER_WORDS).fill(0);
  header.splice(0, 4, code.length, points, anchored ? 1 : 0, placeOf(firstWords(code, 0)));
  return Uint32Array.from([...header, ...instructions, ...behind], (word) => word >>> 0);
}

/** A bit for each byte that what stands at `from` can begin with; `undefined`: it can match nothing. */
function firstWords(code: readonly Instruction[], from: number): number[] | undefined {
  if (canBeEmpty(code, from)) return undefined;
  const words = new Array<number>(8).fill(0);
  for (const byte of firstBytes(code, from, true)!) if (byte < END) words[byte >> 5]! |= 1 << (byte & 31);
  return words;
}

/** Whether a match can be reached from an instruction without a byte. */
function canBeEmpty(code: readonly Instruction[], from: number): boolean {
  const seen = new Set<number>();
  const open = [from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const { op, a, b } = code[at]!;
    if (op === Op.match) return true;
    if (op === Op.split) open.push(a, b);
    else if (op === Op.jump || op === Op.span) open.push(a);
    else if (op === Op.save || op === Op.assert) open.push(at + 1);
  }
  return false;
}

function setWords(set: CharacterSet): number[] {
  const words = new Array<number>(BITMAP_WORDS + 1).fill(0);
  for (const [first, last] of set) {
    for (let code = first; code <= Math.min(last, 0x7f); code++) words[code >> 5]! |= 1 << (code & 31);
    if (last < 0x80) continue;
    words[BITMAP_WORDS]!++;
    words.push(Math.max(first, 0x80), last);
  }
  return words;
}
