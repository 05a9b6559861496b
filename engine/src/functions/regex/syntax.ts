/**
 * Regular expressions as RE2 and Go have them: what can be matched in time proportional to the text. Parsed to a tree; every mistake has its
 * place.
 */
import {
  anyButNewline,
  anyCharacter,
  type CharacterSet,
  caseless,
  classes,
  negated,
  normalized,
  posixClasses,
} from './character-set.ts';

export type Assertion = 'textStart' | 'textEnd' | 'lineStart' | 'lineEnd' | 'wordBoundary' | 'noWordBoundary';

export type Node =
  | { readonly kind: 'empty' }
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly Node[] }
  | { readonly kind: 'group'; readonly name: string; readonly inner: Node }
  | { readonly kind: 'repeat'; readonly inner: Node; readonly least: number; readonly most: number; readonly greedy: boolean };

export class RegexError extends Error {
  override readonly name = 'RegexError';
  /** Index into the expression. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** Throws a `RegexError`. */
export function parseRegex(source: string): Node {
  return new Parser(source).parse();
}

interface Flags {
  readonly caseless: boolean;
  readonly dotAll: boolean;
  readonly multiline: boolean;
}

const MOST_REPEATS = 1000;
const DEEPEST = 200;

const escapes: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, a: 7 };

class Parser {
  readonly #source: string;
  readonly #names = new Set<string>();
  #at = 0;
  #depth = 0;
  #flags: Flags = { caseless: false, dotAll: false, multiline: false };

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#source.length) throw new RegexError('a ) that closes nothing', this.#at);
    return node;
  }

  #peek(text: string): boolean {
    return this.#source.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#peek(text)) return false;
    this.#at += text.length;
    return true;
  }

  #choice(): Node {
    const flags = this.#flags;
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    this.#flags = flags;
    return parts.length === 1 ? parts[0]! : { kind: 'choice', parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (this.#at < this.#source.length && !this.#peek('|') && !this.#peek(')')) {
      const from = this.#at;
      const atom = this.#atom();
      if (atom !== undefined) parts.push(this.#repeats(atom, from));
    }
    return parts.length === 1 ? parts[0]! : parts.length === 0 ? { kind: 'empty' } : { kind: 'sequence', parts };
  }

  #repeats(inner: Node, from: number): Node {
    const bounds = this.#quantifier();
    if (bounds === undefined) return inner;
    const greedy = !this.#take('?');
    const behind = this.#at;
    if (this.#quantifier() !== undefined) throw new RegexError('a quantifier behind a quantifier', behind);
    const [least, most] = bounds;
    if (inner.kind === 'assertion') throw new RegexError('a quantifier behind an assertion', from);
    return { kind: 'repeat', inner, least, most, greedy };
  }

  #quantifier(): [number, number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(this.#source.slice(this.#at, this.#at + 24));
    if (counted === null) return undefined;
    const least = Number(counted[1]);
    const most = counted[2] === undefined ? least : counted[3] === '' ? Number.POSITIVE_INFINITY : Number(counted[3]);
    const bound = most === Number.POSITIVE_INFINITY ? least : most;
    if (bound > MOST_REPEATS) throw new RegexError(`more than ${MOST_REPEATS} repetitions`, this.#at);
    if (least > most) throw new RegexError('a repetition whose bounds are the wrong way round', this.#at);
    this.#at += counted[0].length;
    return [least, most];
  }

  /** `undefined`: flags, which stand for nothing. */
  #atom(): Node | undefined {
    const at = this.#at;
    if (this.#take('(')) return this.#group(at);
    if (this.#take('[')) return { kind: 'set', set: this.#bracket(at) };
    if (this.#take('.')) return { kind: 'set', set: this.#flags.dotAll ? anyCharacter : anyButNewline };
    if (this.#take('^')) return { kind: 'assertion', assertion: this.#flags.multiline ? 'lineStart' : 'textStart' };
    if (this.#take('$')) return { kind: 'assertion', assertion: this.#flags.multiline ? 'lineEnd' : 'textEnd' };
    if (this.#take('\\')) return this.#escape(at);
    if (/[*+?]/.test(this.#source[at]!)) throw new RegexError('a quantifier behind nothing', at);
    return this.#literal(this.#character());
  }

  #literal(code: number): Node {
    const set: CharacterSet = [[code, code]];
    return { kind: 'set', set: this.#flags.caseless ? caseless(set) : set };
  }

  #character(): number {
    const code = this.#source.codePointAt(this.#at)!;
    this.#at += code > 0xffff ? 2 : 1;
    return code;
  }

  /** Behind the `(` at `open`. */
  #group(open: number): Node | undefined {
    if (++this.#depth > DEEPEST) throw new RegexError(`groups in groups, more than ${DEEPEST} deep`, open);
    const flags = this.#flags;
    let name: string | undefined;
    if (this.#take('?')) {
      const named = /^P?<([A-Za-z_]\w*)>/.exec(this.#source.slice(this.#at));
      if (named !== null) {
        name = named[1]!;
        if (this.#names.has(name)) throw new RegexError(`a second group named ${name}`, open);
        this.#names.add(name);
        this.#at += named[0].length;
      } else if (this.#readFlags(open)) {
        this.#depth--;
        return undefined;
      }
    }
    const inner = this.#choice();
    if (!this.#take(')')) throw new RegexError('a ( that is not closed', open);
    this.#flags = flags;
    this.#depth--;
    if (name !== undefined) return { kind: 'group', name, inner };
    return inner.kind === 'assertion' ? { kind: 'sequence', parts: [inner] } : inner;
  }

  /** `i`, `(?i)` up to its `)`: true; `i:` or `:` of a group: false. */
  #readFlags(open: number): boolean {
    const found = /^([ims]*)(?:-([ims]+))?([:)])/.exec(this.#source.slice(this.#at));
    if (found === null) {
      const lookAround = /^(?:<?[=!]|>)/.test(this.#source.slice(this.#at));
      throw new RegexError(
        lookAround ? 'look-around or an atomic group, which need backtracking' : 'an unknown kind of group',
        open,
      );
    }
    const [all, on = '', off = '', end] = found;
    this.#at += all.length;
    const value = (letter: string, before: boolean): boolean => (on.includes(letter) || before) && !off.includes(letter);
    const { caseless: i, multiline: m, dotAll: s } = this.#flags;
    this.#flags = { caseless: value('i', i), multiline: value('m', m), dotAll: value('s', s) };
    return end === ')';
  }

  /** Behind the backslash at `at`. */
  #escape(at: number): Node {
    const letter = this.#source[this.#at];
    const assertions: Readonly<Record<string, Assertion>> = {
      A: 'textStart',
      z: 'textEnd',
      b: 'wordBoundary',
      B: 'noWordBoundary',
    };
    if (letter !== undefined && Object.hasOwn(assertions, letter)) {
      this.#at++;
      return { kind: 'assertion', assertion: assertions[letter]! };
    }
    const set = this.#classEscape();
    return set === undefined ? this.#literal(this.#characterEscape(at)) : { kind: 'set', set };
  }

  /** `d`, `D` and the like. */
  #classEscape(): CharacterSet | undefined {
    const letter = this.#source[this.#at] ?? '';
    const set = classes[letter.toLowerCase()];
    if (set === undefined || !/[a-z]/i.test(letter)) return undefined;
    this.#at++;
    return letter === letter.toLowerCase() ? set : negated(set);
  }

  #characterEscape(at: number): number {
    const hex = /^x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(this.#source.slice(this.#at));
    if (hex !== null) {
      const code = Number.parseInt(hex[1] ?? hex[2]!, 16);
      if (code > 0x10ffff) throw new RegexError('a character beyond Unicode', at);
      this.#at += hex[0].length;
      return code;
    }
    const letter = this.#source[this.#at];
    if (letter === undefined) throw new RegexError('a backslash at the end', at);
    if (Object.hasOwn(escapes, letter)) {
      this.#at++;
      return escapes[letter]!;
    }
    if (/[0-9]/.test(letter)) throw new RegexError('a back-reference or octal number, which are not supported', at);
    if (/[A-Za-z]/.test(letter)) throw new RegexError(`an unknown escape \\${letter}`, at);
    return this.#character();
  }

  /** Behind the `[` at `open`. */
  #bracket(open: number): CharacterSet {
    const not = this.#take('^');
    const ranges: (readonly [number, number])[] = [];
    for (let first = true; first || !this.#peek(']'); first = false) {
      if (this.#at >= this.#source.length) throw new RegexError('a [ that is not closed', open);
      ranges.push(...this.#bracketPart(open));
    }
    this.#at++;
    const set = this.#flags.caseless ? caseless(normalized(ranges)) : normalized(ranges);
    return not ? negated(set) : set;
  }

  #bracketPart(open: number): CharacterSet {
    const at = this.#at;
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.#source.slice(at, at + 12));
    if (posix !== null) {
      const set = posixClasses[posix[2]!];
      if (set === undefined) throw new RegexError(`an unknown class ${posix[0]}`, at);
      this.#at += posix[0].length;
      return posix[1] === '' ? set : negated(set);
    }
    const first = this.#bracketCharacter(open);
    if (typeof first !== 'number') return first;
    if (!this.#peek('-') || this.#source[this.#at + 1] === ']' || this.#at + 1 >= this.#source.length) return [[first, first]];
    this.#at++;
    const last = this.#bracketCharacter(open);
    if (typeof last !== 'number' || last < first) throw new RegexError('a range whose ends are the wrong way round', at);
    return [[first, last]];
  }

  #bracketCharacter(open: number): number | CharacterSet {
    if (this.#at >= this.#source.length) throw new RegexError('a [ that is not closed', open);
    const at = this.#at;
    if (!this.#take('\\')) return this.#character();
    return this.#classEscape() ?? this.#characterEscape(at);
  }
}
