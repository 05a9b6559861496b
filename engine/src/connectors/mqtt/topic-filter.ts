/** Topic filters whose parts have names: `sensors/{site}/{device}/temp` is the filter `sensors/+/+/temp` and two columns. */

export interface TopicFilter {
  /** As it is subscribed to, `$share/GROUP/` included. */
  readonly filter: string;
  readonly shared: boolean;
  /** Of the filter without `$share/GROUP/`. */
  readonly levels: readonly string[];
  /** Columns and the levels of the topic that they are. `rest`: that level and all behind it. */
  readonly columns: readonly { readonly name: string; readonly level: number; readonly rest: boolean }[];
}

const NAMED = /^\{([A-Za-z_][\w.-]*)(#?)\}$/;

/** What is wrong with a filter, to be read after the name of the setting; `undefined`: nothing. */
export function filterIssue(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (Buffer.byteLength(text) > 65_535) return 'is longer than 65,535 bytes';
  if (text.includes('\0')) return 'holds a NUL';
  const levels = text.split('/');
  if (levels[0] === '$share') {
    if (levels.length < 3 || levels[1] === '' || /[+#{}]/.test(levels[1]!))
      return `is "${text}", expected $share/GROUP/FILTER, with a plain name as GROUP`;
    levels.splice(0, 2);
  }
  const names = new Set<string>();
  for (const [index, level] of levels.entries()) {
    const last = index === levels.length - 1;
    const [, name, rest] = NAMED.exec(level) ?? [];
    if (name !== undefined) {
      if (names.has(name)) return `is "${text}": {${name}} stands in it twice`;
      if (name.startsWith('_ppf_')) return `is "${text}": names that begin with _ppf_ belong to the engine`;
      if (rest === '#' && !last) return `is "${text}": {${name}#} stands for all that follows, expected it at the end`;
      names.add(name);
    } else if (/[{}]/.test(level)) return `is "${text}", expected {NAME} to be a whole level, of letters, digits and _ . -`;
    else if (level !== '+' && level.includes('+')) return `is "${text}", expected + to be a whole level`;
    else if (level === '#' ? !last : level.includes('#')) return `is "${text}", expected # as the last level only`;
  }
  return undefined;
}

export function parseFilter(text: string): TopicFilter {
  const levels = text.split('/');
  const prefix = levels[0] === '$share' ? levels.splice(0, 2) : [];
  const columns: { name: string; level: number; rest: boolean }[] = [];
  const plain = levels.map((level, index) => {
    const [, name, rest] = NAMED.exec(level) ?? [];
    if (name === undefined) return level;
    columns.push({ name, level: index, rest: rest === '#' });
    return rest === '#' ? '#' : '+';
  });
  return { filter: [...prefix, ...plain].join('/'), shared: prefix.length > 0, levels: plain, columns };
}

/** Whether a topic, cut at its slashes, is one of the filter's. */
export function matches({ levels }: TopicFilter, topic: readonly string[]): boolean {
  if (topic[0]!.startsWith('$') && (levels[0] === '+' || levels[0] === '#')) return false;
  for (const [index, level] of levels.entries()) {
    if (level === '#') return true;
    if (index >= topic.length || (level !== '+' && level !== topic[index])) return false;
  }
  return levels.length === topic.length;
}

/** Beyond that topics are forgotten. */
const MOST_TOPICS = 4096;

/** Values of the named parts, by topic. */
export class NamedParts {
  readonly columns: readonly string[];
  readonly #filters: readonly TopicFilter[];
  readonly #known = new Map<string, readonly (string | undefined)[]>();

  constructor(filters: readonly TopicFilter[]) {
    this.#filters = filters;
    this.columns = [...new Set(filters.flatMap(({ columns }) => columns.map(({ name }) => name)))];
  }

  /** In the order of the columns; those of the first filter that the topic is one of. */
  of(topic: string): readonly (string | undefined)[] {
    const known = this.#known.get(topic);
    if (known) return known;
    const levels = topic.split('/');
    const filter = this.#filters.find((each) => matches(each, levels));
    const values = this.columns.map((name) => {
      const part = filter?.columns.find((column) => column.name === name);
      return part && (part.rest ? levels.slice(part.level).join('/') : levels[part.level]);
    });
    if (this.#known.size >= MOST_TOPICS) this.#known.clear();
    this.#known.set(topic, values);
    return values;
  }
}
