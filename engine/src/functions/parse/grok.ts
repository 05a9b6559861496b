/** `format: grok`: patterns become regular expressions, which the functions' module runs over the bytes of the texts. */
import { columnArguments, TextOf } from '../../batch/function-kernel.ts';
import type { ColumnDeclaration } from '../../spec/column-type.ts';
import { regexProblem } from '../regex/problem.ts';
import { checkSize, compileRegex } from '../regex/program.ts';
import { parseRegex } from '../regex/syntax.ts';
import { type Definitions, expandGrok, type GrokProblem, referenceProblem } from './grok-expand.ts';
import { type Parser, readFields } from './parser.ts';

export interface GrokOptions {
  readonly patterns: readonly string[];
  readonly definitions: Definitions;
  readonly maxTextBytes: number;
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

/** Other patterns are groups of the same length here, so that places are those of the pattern as it is written. */
function syntaxProblem(pattern: string): GrokProblem | undefined {
  return regexProblem(pattern.replaceAll(/%\{[^{}]*\}/g, (text) => `(?:${'x'.repeat(text.length - 4)})`));
}

function expansionProblem(pattern: string, definitions: Definitions): GrokProblem | undefined {
  for (const [name, definition] of Object.entries(definitions)) {
    const problem = referenceProblem(definition, definitions);
    if (problem !== undefined)
      return { place: 1, message: `begins what needs ${name}, which is wrong itself: ${problem.message}` };
  }
  try {
    checkSize(parseRegex(expandGrok(pattern, definitions).source));
    return undefined;
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
  readonly words: Uint32Array;
  readonly slots: number;
  /** Pairs of a field's number and the slot of one of its groups. */
  readonly outputs: Uint32Array;
}

/** Words for each expression as engine/kernel/assembly/functions/regex.ts reads them. */
const EXPRESSION_WORDS = 5;

export function grokParser(names: readonly string[], { patterns, definitions, maxTextBytes }: GrokOptions): Parser {
  const compiled = patterns.map((pattern) => compile(pattern, definitions, names));
  return {
    others: TextOf.strings,
    read({ view, tokens, problems }) {
      const { arena } = view;
      const words = compiled.flatMap(({ words: program, slots, outputs }) => [
        arena.copyOf(program),
        arena.take(slots * 4),
        slots,
        arena.copyOf(outputs),
        outputs.length / 2,
      ]);
      const expressions = arena.copyOf(Uint32Array.from(words));
      const count = words.length / EXPRESSION_WORDS;
      return readFields(view, { names, limit: names.length }, (kernel) =>
        kernel.matchTexts(...columnArguments(view, tokens), expressions, count, maxTextBytes, problems),
      );
    },
  };
}

function compile(pattern: string, definitions: Definitions, names: readonly string[]): Compiled {
  const { source, fields } = expandGrok(pattern, definitions);
  const { words, groups, slots } = compileRegex(parseRegex(source));
  const outputs = fields
    .filter(({ name }) => names.includes(name))
    .flatMap(({ name, groups: of }) => of.flatMap((group) => [names.indexOf(name), groups.get(group)!]));
  return { words, slots, outputs: Uint32Array.from(outputs) };
}
