/** Where a row goes: `devices/{id}/out`. What a column holds stays within the template: it adds no wildcard and no empty level. */

const COLUMN = /\{([^{}]*)\}/g;

/** What is wrong with a template, to be read after the name of the setting; `undefined`: nothing. */
export function templateIssue(template: string): string | undefined {
  const plain = template.replace(COLUMN, 'x');
  if (template === '') return 'is empty';
  if (/[+#\0]/.test(plain)) return `is "${template}", expected a topic without + and #`;
  if (/[{}]/.test(plain)) return `is "${template}", expected each { to have its }`;
  if (templateColumns(template).includes('')) return `is "${template}", expected the name of a column between { and }`;
  if (plain.startsWith('$share/')) return `is "${template}", expected a topic: $share is for subscriptions`;
  if (Buffer.byteLength(plain) > 65_535) return 'is longer than 65,535 bytes';
  return undefined;
}

/** Columns in the order in which they stand, each once. */
export function templateColumns(template: string): string[] {
  return [...new Set([...template.matchAll(COLUMN)].map(([, name]) => name!))];
}

/** Why a column's value cannot stand in a topic, to be read after the name of the column; `undefined`: it can. */
function valueIssue(value: string, atStart: boolean): string | undefined {
  if (value === '') return 'is empty';
  if (/[+#\0]/.test(value)) return `is ${JSON.stringify(value)}, which has a wildcard or NUL`;
  if (value.startsWith('/') || value.endsWith('/') || value.includes('//'))
    return `is ${JSON.stringify(value)}, which has an empty level`;
  if (atStart && value.startsWith('$')) return `is ${JSON.stringify(value)}: topics with $ belong to the server`;
  return undefined;
}

const MOST_TOPICS = 4096;

/** A topic in UTF-8, or why there is none. */
export type Topic = Buffer | string;

export class TopicTemplate {
  readonly columns: readonly string[];
  /** Texts and numbers of columns in turn. */
  readonly #parts: readonly (string | number)[];
  readonly #known = new Map<string, Topic>();

  constructor(template: string) {
    this.columns = templateColumns(template);
    this.#parts = template
      .split(COLUMN)
      .map((part, index) => (index % 2 === 0 ? part : this.columns.indexOf(part)))
      .filter((part) => part !== '');
  }

  /** `values`: in the order of the columns. */
  topic(values: readonly string[]): Topic {
    const key = values.length === 1 ? values[0]! : values.join('\0');
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = this.#make(values);
    if (this.#known.size >= MOST_TOPICS) this.#known.clear();
    this.#known.set(key, made);
    return made;
  }

  #make(values: readonly string[]): Topic {
    let topic = '';
    for (const part of this.#parts) {
      if (typeof part === 'string') topic += part;
      else {
        const issue = valueIssue(values[part]!, topic === '');
        if (issue !== undefined) return `the topic's column "${this.columns[part]}" ${issue}`;
        topic += values[part];
      }
    }
    const bytes = Buffer.from(topic);
    return bytes.length > 65_535 ? `the topic has ${bytes.length} bytes, more than 65,535` : bytes;
  }
}
