/** Topics and user properties of the rows of a bulk. */
import type { Bulk, RefusedRow } from '../../spec/bulk-sink.ts';
import type { RowTexts } from '../../spec/row-texts.ts';
import { userProperty } from './publish-writer.ts';
import { TopicTemplate } from './topic-template.ts';

interface Columns {
  readonly topic: string;
  readonly user_properties: readonly string[];
}

export interface Heads {
  readonly topics: readonly Uint8Array[];
  /** Empty where messages have none of their own. */
  readonly properties: readonly Uint8Array[];
  readonly refused: readonly RefusedRow[];
}

const NOTHING = new Uint8Array(0);

export class MessageHeads {
  readonly #template: TopicTemplate;
  readonly #names: readonly string[];

  constructor({ topic, user_properties }: Columns) {
    this.#template = new TopicTemplate(topic);
    this.#names = user_properties;
  }

  /** `side`: the topic's columns, then those of the properties. */
  of({ rows, side }: Bulk): Heads {
    const refused: RefusedRow[] = [];
    const topics: Uint8Array[] = [];
    const properties: Uint8Array[] = [];
    const columns = this.#template.columns.length;
    const values = new Array<string>(columns);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) values[column] = textAt(side[column]!, row);
      const topic = this.#template.topic(values);
      if (typeof topic === 'string') refused.push({ row, reason: topic });
      topics.push(typeof topic === 'string' ? NOTHING : topic);
      if (this.#names.length === 0) continue;
      const own = this.#names.map((_, index) => textAt(side[columns + index]!, row));
      const long = own.findIndex((text) => text.length > 65_535 || Buffer.byteLength(text) > 65_535);
      if (long >= 0 && typeof topic !== 'string')
        refused.push({ row, reason: `the user property "${this.#names[long]}" has more than 65,535 bytes` });
      properties.push(
        long >= 0
          ? NOTHING
          : Buffer.concat(own.flatMap((text, index) => (text === '' ? [] : [userProperty(this.#names[index]!, text)]))),
      );
    }
    return { topics, properties, refused };
  }
}

function textAt({ bytes, offsets }: RowTexts, row: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offsets[row]!, offsets[row + 1]! - 1 - offsets[row]!).toString();
}
