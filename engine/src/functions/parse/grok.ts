/** `format: grok`: regular expressions in linear time. The one format that makes a JavaScript string of every text. */
import { createRequire } from 'node:module';
import type { RE2JS } from 're2js';
import { writeTokens } from '../../batch/column-data.ts';
import { TextOf } from '../../batch/function-kernel.ts';
import { KIND_RAW } from '../../batch/kernel-exports.ts';
import { kindOf, tokenText } from '../../batch/tokens.ts';
import type { ColumnDeclaration } from '../../spec/column-type.ts';
import { type Definitions, type Expanded, expandGrok, type GrokProblem, referenceProblem } from './grok-expand.ts';
import type { Parser, Texts } from './parser.ts';
import { NO_MATCH, TOO_LONG } from './problems.ts';

export interface GrokOptions {
  readonly patterns: readonly string[];
  readonly definitions: Definitions;
  readonly maxTextBytes: number;
}

type Re2js = typeof import('re2js');
let library: Re2js | undefined;

/** Loaded when a pattern is first looked at: most punchlines have none. */
function engine(): Re2js {
  library ??= createRequire(import.meta.url)('re2js') as Re2js;
  return library;
}

/** What is wrong with a pattern or definition; `undefined`: nothing. */
export function grokProblem(pattern: string, definitions: Definitions): string | undefined {
  const problem = referenceProblem(pattern, definitions) ?? syntaxProblem(pattern) ?? expansionProblem(pattern, definitions);
  return problem && `is ${shown(pattern)}, where at place ${problem.place} ${problem.message}`;
}

const SHOWN_CHARACTERS = 120;

function shown(pattern: string): string {
  return JSON.stringify(pattern.length > SHOWN_CHARACTERS ? `${pattern.slice(0, SHOWN_CHARACTERS)}…` : pattern);
}

/** Other patterns count as one character each here, so that places are those of the pattern as it is written. */
function syntaxProblem(pattern: string): GrokProblem | undefined {
  const alone = pattern.replaceAll(/%\{[^{}]*\}/g, (text) => `(?:${'x'.repeat(text.length - 4)})`);
  return compileProblem(alone);
}

function compileProblem(source: string): GrokProblem | undefined {
  const { RE2JS, RE2JSSyntaxException } = engine();
  try {
    RE2JS.compile(source);
    return undefined;
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException))
      return { place: 1, message: error instanceof Error ? error.message : String(error) };
    const found = error.getPattern();
    const place = found === null ? 0 : Math.max(0, source.lastIndexOf(found));
    const part = found === null || found === source ? '' : ` ${JSON.stringify(found)}`;
    const unsupported = /^\(\?(?:<?[=!]|>)/.test(source.slice(place)) ? ' (look-around and atomic groups are not supported)' : '';
    return { place: place + 1, message: `stands a mistake: ${error.getDescription()}${part}${unsupported}` };
  }
}

function expansionProblem(pattern: string, definitions: Definitions): GrokProblem | undefined {
  for (const [name, definition] of Object.entries(definitions)) {
    const problem = referenceProblem(definition, definitions);
    if (problem !== undefined)
      return { place: 1, message: `begins what needs ${name}, which is wrong itself: ${problem.message}` };
  }
  try {
    return compileProblem(expandGrok(pattern, definitions).source);
  } catch (error) {
    return { place: 1, message: `begins what cannot be put together: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The fields of all patterns. */
export function grokFields({ patterns, definitions }: GrokOptions): ColumnDeclaration[] {
  const fields = new Map<string, ColumnDeclaration>();
  for (const pattern of patterns) {
    for (const { name, type } of expandGrok(pattern, definitions).fields) if (!fields.has(name)) fields.set(name, { name, type });
  }
  return Array.from(fields.values());
}

interface Compiled {
  readonly expression: RE2JS;
  /** Which fields it gives, and the numbers of their groups. */
  readonly fields: readonly { readonly index: number; readonly groups: readonly number[] }[];
}

export function grokParser(wanted: readonly string[], options: GrokOptions): Parser {
  const { RE2JS } = engine();
  const compiled = options.patterns.map((pattern): Compiled => {
    const { source, fields }: Expanded = expandGrok(pattern, options.definitions);
    const expression = RE2JS.compile(source);
    const numbers = expression.namedGroups();
    const of = fields.filter(({ name }) => wanted.includes(name));
    return {
      expression,
      fields: of.map(({ name, groups }) => ({ index: wanted.indexOf(name), groups: groups.map((group) => numbers[group]!) })),
    };
  });
  return { others: TextOf.strings, read: (texts) => read(texts, wanted, compiled, options.maxTextBytes) };
}

function read(
  { view, tokens, rows, rowsPointer, problems }: Texts,
  names: readonly string[],
  compiled: readonly Compiled[],
  most: number,
): ReturnType<Parser['read']> {
  const { arena, size } = view;
  const columns = names.map(() => new Array<string | undefined>(size));
  for (const row of rows) {
    const at = (problems >>> 2) + row;
    arena.words[at] = 0;
    if (kindOf(arena, tokens, row) !== KIND_RAW) continue;
    const length = arena.words[(tokens.ends >>> 2) + row]! - arena.words[(tokens.starts >>> 2) + row]!;
    if (length > most) arena.words[at] = TOO_LONG;
    else if (!matchText(tokenText(arena, tokens, row), row, columns, compiled)) arena.words[at] = NO_MATCH;
  }
  return names.map((name, i) => {
    const request = { name, size, rowsPointer, rows, words: 0 };
    return { name, tokens: writeTokens(arena, { strings: columns[i]! }, request).tokens };
  });
}

/** Puts the fields of the first pattern that the text matches. */
function matchText(text: string, row: number, columns: (string | undefined)[][], compiled: readonly Compiled[]): boolean {
  for (const { expression, fields } of compiled) {
    const matcher = expression.matcher(text);
    if (!matcher.find()) continue;
    for (const { index, groups } of fields) {
      for (const group of groups) {
        const value = matcher.group(group);
        if (value === null) continue;
        columns[index]![row] = value;
        break;
      }
    }
    return true;
  }
  return false;
}
