/**
 * File names with columns and times in them: `logs/%{type}/%{+yyyy-MM-dd}.jsonl`. What comes from rows is written so that it is one
 * part of a path at most: it cannot lead out of the folder that the name begins with.
 */
import { createHash } from 'node:crypto';
import { dirname, resolve, sep } from 'node:path';
import { ReefError } from '../../errors.ts';
import { dateFormat } from '../generator/date-format.ts';

type Part = string | { readonly column: number } | { readonly time: (date: Date) => string };

/** What stands for a text that is empty. */
const NOTHING = '_';
/** Names of files have 255 bytes at most. */
const MOST_BYTES = 120;

/** The columns that a name asks for, without repeats; throws a `RangeError` when it cannot be read. */
export function columnsInName(template: string): readonly string[] {
  return parse(template).columns;
}

/** False: every row goes to the same file. */
export function isTemplate(template: string): boolean {
  return template.includes('%{');
}

export class NameTemplate {
  readonly columns: readonly string[];
  /** The folder that no name leaves. */
  readonly folder: string;
  readonly #parts: readonly Part[];
  readonly #base: string;

  /** `base`: the folder that relative names start from. */
  constructor(template: string, base: string) {
    const { parts, columns } = parse(template);
    this.columns = columns;
    this.#parts = parts;
    this.#base = base;
    const first = typeof parts[0] === 'string' ? parts[0] : '';
    this.folder = resolve(base, first.endsWith('/') ? first : dirname(`${first}x`));
  }

  /** An absolute path. `values`: the texts of the columns. */
  path(values: readonly string[], now: Date): string {
    const texts = this.#parts.map((part) => {
      if (typeof part === 'string') return part;
      return 'column' in part ? safeName(values[part.column]!) : safeName(part.time(now), '/');
    });
    const path = resolve(this.#base, texts.join(''));
    // Never so: what comes from rows has no dots at its beginning and no separators.
    if (path.startsWith(this.folder.endsWith(sep) ? this.folder : `${this.folder}${sep}`)) return path;
    throw new ReefError('io', `Cannot name a file: ${path} is not in ${this.folder}, expected a name in that folder`);
  }
}

/** `out.jsonl.gz` to `out-000007.jsonl.gz`: in the order of their names, files are in the order of their rows. */
export function numbered(path: string, number: number): string {
  const { stem, ending } = split(path);
  return `${stem}-${String(number).padStart(6, '0')}${ending}`;
}

/** The number in the name of a file that {@link numbered} made of `path`; `undefined`: it did not. `name` is without its folder. */
export function numberIn(name: string, path: string): number | undefined {
  const { stem, ending } = split(path);
  const prefix = `${stem.slice(stem.lastIndexOf(sep) + 1)}-`;
  if (!name.startsWith(prefix) || !name.endsWith(ending)) return undefined;
  const digits = name.slice(prefix.length, name.length - ending.length);
  return /^\d{6,}$/.test(digits) ? Number(digits) : undefined;
}

function split(path: string): { readonly stem: string; readonly ending: string } {
  const from = path.lastIndexOf(sep) + 1;
  const dot = path.indexOf('.', from + 1);
  return dot < 0 ? { stem: path, ending: '' } : { stem: path.slice(0, dot), ending: path.slice(dot) };
}

function parse(template: string): { readonly parts: readonly Part[]; readonly columns: readonly string[] } {
  const parts: Part[] = [];
  const columns: string[] = [];
  let at = 0;
  for (;;) {
    const open = template.indexOf('%{', at);
    if (open < 0) break;
    const close = template.indexOf('}', open);
    if (close < 0) throw new RangeError('has "%{" without "}", expected %{column} or %{+yyyy-MM-dd}');
    if (open > at) parts.push(template.slice(at, open));
    const name = template.slice(open + 2, close);
    if (name === '' || name === '+') throw new RangeError(`has "%{${name}}", expected %{column} or %{+yyyy-MM-dd}`);
    if (name.startsWith('+')) parts.push({ time: dateFormat(name.slice(1)) });
    else {
      if (!columns.includes(name)) columns.push(name);
      parts.push({ column: columns.indexOf(name) });
    }
    at = close + 1;
  }
  if (at < template.length) parts.push(template.slice(at));
  return { parts, columns };
}

/** Text as part of a file name: no two texts give the same. `allowed`: separators that are none of the row's. */
function safeName(text: string, allowed = ''): string {
  if (text === '') return NOTHING;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  const escaped = text.replaceAll(/[%/\\\u0000-\u001f\u007f]|^\.+|^_$/g, (found) => (found === allowed ? found : percent(found)));
  if (Buffer.byteLength(escaped) <= MOST_BYTES) return escaped;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 24);
  // Cut between characters, and not in the middle of an escape.
  const head = Array.from(escaped.slice(0, MOST_BYTES / 2))
    .slice(0, MOST_BYTES / 4)
    .join('')
    .replace(/%.?$/, '');
  return `${head}~${hash}`;
}

function percent(text: string): string {
  return Array.from(text, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`).join('');
}
