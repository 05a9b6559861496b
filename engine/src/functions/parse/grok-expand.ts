/** Grok patterns (`%{IP:client} %{NUMBER:took:float}`) become regular expressions whose groups stand for fields. */
import { type ColumnDeclaration, type ColumnType, columnTypeAliases } from '../../spec/column-type.ts';
import { nearestWord } from '../../spec/nearest-word.ts';
import { grokPatterns } from './grok-patterns.ts';

export interface GrokField extends ColumnDeclaration {
  /** Names of the groups that give it: the first that took part in the match. */
  readonly groups: readonly string[];
}

export interface Expanded {
  readonly source: string;
  readonly fields: readonly GrokField[];
}

/** What is wrong with a pattern, and where: counted from 1. */
export interface GrokProblem {
  readonly place: number;
  readonly message: string;
}

export type Definitions = Readonly<Record<string, string>>;

const reference = /%\{([^{}]*)\}/g;
const DEEPEST = 32;
const LONGEST = 200_000;

/** The places of `pattern` where it names others: all of them right, or what is wrong with the first that is not. */
export function referenceProblem(pattern: string, definitions: Definitions): GrokProblem | undefined {
  for (const match of pattern.matchAll(reference)) {
    const problem = partsProblem(match[1]!, definitions);
    if (problem !== undefined) return { place: match.index + 1, message: `${match[0]} ${problem}` };
  }
  const open = pattern.replaceAll(reference, (text) => ' '.repeat(text.length)).indexOf('%{');
  return open < 0 ? undefined : { place: open + 1, message: '%{ is not closed, expected %{NAME} or %{NAME:field}' };
}

function partsProblem(inside: string, definitions: Definitions): string | undefined {
  const [name = '', field, type, ...rest] = inside.split(':');
  if (rest.length > 0) return 'has too many parts, expected %{NAME:field:type}';
  if (patternNamed(name, definitions) === undefined) {
    const nearest = nearestWord(name, [...Object.keys(definitions), ...Object.keys(grokPatterns)]);
    return `names no pattern${nearest === undefined ? '' : ` (did you mean ${nearest}?)`}, expected one of definitions or a known one such as IP, NUMBER or DATA`;
  }
  if (field === '') return 'has no field behind the colon';
  if (type !== undefined && columnTypeAliases[type] === undefined) {
    return `has the type ${JSON.stringify(type)}, expected one of ${Object.keys(columnTypeAliases).join(', ')}`;
  }
  return undefined;
}

function patternNamed(name: string, definitions: Definitions): string | undefined {
  if (Object.hasOwn(definitions, name)) return definitions[name];
  return Object.hasOwn(grokPatterns, name) ? grokPatterns[name] : undefined;
}

/** Of a pattern whose references are right, here and in what they name. Throws a `RangeError` where they go in a circle. */
export function expandGrok(pattern: string, definitions: Definitions): Expanded {
  const fields = new Map<string, { name: string; type: ColumnType; groups: string[] }>();
  let groups = 0;
  let length = 0;
  const expand = (text: string, depth: number): string => {
    if (depth > DEEPEST) throw new RangeError('its definitions name each other in a circle, or too deep');
    length += text.length;
    if (length > LONGEST) throw new RangeError(`it grows to more than ${LONGEST} characters`);
    return text.replaceAll(reference, (_, inside: string) => {
      const [name = '', field, type] = inside.split(':');
      const inner = expand(patternNamed(name, definitions) ?? '', depth + 1);
      if (field === undefined) return `(?:${inner})`;
      const column = fieldName(field);
      const group = `grok${groups++}`;
      const known = fields.get(column) ?? {
        name: column,
        type: type === undefined ? 'string' : columnTypeAliases[type]!,
        groups: [],
      };
      known.groups.push(group);
      fields.set(column, known);
      return `(?P<${group}>${inner})`;
    });
  };
  const source = expand(pattern, 0);
  for (const [, name] of source.matchAll(/\(\?P?<([A-Za-z]\w*)>/g)) {
    if (!/^grok\d+$/.test(name!) && !fields.has(name!)) fields.set(name!, { name: name!, type: 'string', groups: [name!] });
  }
  return { source, fields: Array.from(fields.values()) };
}

/** Logstash's `[source][ip]` is the column `source.ip`. */
function fieldName(field: string): string {
  const parts = /^(?:\[[^[\]]+\])+$/.test(field) ? field.slice(1, -1).split('][') : [field];
  return parts.join('.');
}
