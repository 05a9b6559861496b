/** Reads maps, lists and words of a tree, and says what is wrong with them. */
import { nearestWord } from '../spec/nearest-word.ts';
import { oneOf, valueText } from '../spec/setting-text.ts';
import type { KeyTable } from './known-keys.ts';
import type { ProblemList } from './problem.ts';
import { type Entry, type ListTree, type MapTree, plainValue, type ScalarTree, type Tree } from './tree.ts';

/**
 * Unknown keys are errors; keys that matter elsewhere are warnings. `hint` may say where a key belongs.
 * Returns the entry of a known key, be it one that is misspelt: what it holds is then checked as well.
 */
export function checkKeys(
  map: MapTree,
  table: KeyTable,
  problems: ProblemList,
  hint?: (key: string) => string | undefined,
): (key: string) => Entry | undefined {
  const meant = new Map<string, Entry>();
  for (const [key, entry] of map.entries) {
    if (table.known.includes(key)) continue;
    if (Object.hasOwn(table.elsewhere, key)) {
      problems.warning(entry.keyAt, `key ${quote(key)} of ${table.where} is ignored: ${table.elsewhere[key]}`);
      continue;
    }
    const belongs = hint?.(key);
    const free = table.known.filter((name) => !map.entries.has(name) && !meant.has(name));
    const expected = belongs ?? (free.length === 0 ? 'nothing more' : oneOf(free));
    const suggestion = belongs === undefined ? nearestWord(key, [...free, ...Object.keys(table.elsewhere)]) : undefined;
    if (suggestion !== undefined && !meant.has(suggestion)) meant.set(suggestion, entry);
    problems.error(entry.keyAt, `unknown key ${quote(key)} in ${table.where}, expected ${expected}`, suggestion);
  }
  return (key) => map.entries.get(key) ?? meant.get(key);
}

/** The map at an entry; a problem and `undefined` when something else stands there. */
export function mapAt(tree: Tree, what: string, problems: ProblemList): MapTree | undefined {
  if (tree.kind === 'map') return tree;
  problems.error(tree.at, `${what} is ${found(tree)}, expected a map`);
  return undefined;
}

export function listAt(tree: Tree, what: string, problems: ProblemList): ListTree | undefined {
  if (tree.kind === 'list') return tree;
  problems.error(tree.at, `${what} is ${found(tree)}, expected a list`);
  return undefined;
}

/** A text that is not empty. */
export function wordAt(entry: Entry, what: string, problems: ProblemList): string | undefined {
  const { value } = entry;
  if (isUnresolved(value)) return undefined;
  if (value.kind === 'scalar' && typeof value.value === 'string' && value.value.trim() !== '') return value.value;
  const hint = value.kind === 'scalar' && typeof value.value === 'number' ? ' (put it in quotes)' : '';
  problems.error(value.at, `${what} is ${found(value)}, expected text${hint}`);
  return undefined;
}

/** One of the words that are allowed; a wrong one comes with the nearest right one. */
export function choiceAt<W extends string>(
  entry: Entry,
  what: string,
  words: readonly W[],
  problems: ProblemList,
): W | undefined {
  const { value } = entry;
  if (isUnresolved(value)) return undefined;
  const word = value.kind === 'scalar' ? value.value : undefined;
  if (words.includes(word as W)) return word as W;
  const suggestion = typeof word === 'string' ? nearestWord(word, words) : undefined;
  problems.error(value.at, `${what} is ${found(value)}, expected ${oneOf(words)}`, suggestion);
  return undefined;
}

/** A reference that cannot be followed has been told already. */
function isUnresolved(tree: Tree): boolean {
  return tree.kind === 'scalar' && tree.unresolved === true;
}

/** What stands there, for people; what came from the environment is not shown. */
export function found(tree: Tree): string {
  const variable = (tree as Partial<ScalarTree>).variable;
  return variable === undefined ? valueText(plainValue(tree)) : `the value of ${variable}`;
}

export function quote(word: string): string {
  return valueText(word);
}
