/** What a request says of its body: how it becomes rows, and how it is compressed. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Compression, compressions } from '../../../codecs/decompress.ts';
import type { Codec } from '../../../spec/plan.ts';

/**
 * `text`: rows stand on lines, as they go on; `lines`: the same with JSON. `document`: one JSON document (an array or an object),
 * judged whole. `either`: a document where it begins with a bracket, else lines. `csv`: judged whole, too. `raw`: the
 * whole is one row.
 */
export type Shape = 'raw' | 'text' | 'lines' | 'document' | 'either' | CsvShape;

export interface CsvShape {
  readonly separator: string;
  /** Where no header stands first. */
  readonly columns: readonly string[] | undefined;
}

export interface Media {
  readonly shape: Shape;
  readonly compression: Compression | undefined;
}

/** To be read after "the body": why it cannot be taken. */
export interface Unsupported {
  readonly unsupported: string;
}

const JSON_LINES = /^application\/(x-)?(ndjson|jsonl|jsonlines|json-lines|json-seq)$/;
const JSON_DOCUMENT = /^(application|text)\/([\w.-]+\+)?json$/;
/** What clients say that do not know better; curl sends the last one unless told otherwise. */
const ANYTHING = /^(text\/plain|application\/octet-stream|application\/x-www-form-urlencoded)$/;
const TEXT = /^text\//;
const UTF8 = /^(utf-?8|us-ascii)$/i;

/** One for each source: clients say the same again and again. */
export class MediaTypes {
  readonly #codec: Codec;
  #lastType: string | undefined;
  #lastShape: Shape | Unsupported;

  constructor(codec: Codec) {
    this.#codec = codec;
    this.#lastShape = shapeOf(codec, undefined);
  }

  of(headers: IncomingHttpHeaders): Media | Unsupported {
    const type = headers['content-type'];
    if (type !== this.#lastType) {
      this.#lastType = type;
      this.#lastShape = shapeOf(this.#codec, type);
    }
    if (typeof this.#lastShape === 'object' && 'unsupported' in this.#lastShape) return this.#lastShape;
    const encoding = headers['content-encoding'];
    if (encoding === undefined) return { shape: this.#lastShape, compression: undefined };
    const compression = compressionOf(encoding);
    return typeof compression === 'object' ? compression : { shape: this.#lastShape, compression };
  }
}

function shapeOf(codec: Codec, type: string | undefined): Shape | Unsupported {
  if (codec.name === 'raw') return 'raw';
  const [name = '', ...parameters] = (type ?? '').split(';').map((part) => part.trim());
  const parameter = (key: string): string | undefined =>
    parameters
      .find((each) => each.toLowerCase().startsWith(`${key}=`))
      ?.slice(key.length + 1)
      .replaceAll('"', '');
  const charset = parameter('charset');
  if (charset !== undefined && !UTF8.test(charset)) return { unsupported: `has the charset ${charset}, expected utf-8` };
  const plain = name.toLowerCase();
  const untold = plain === '' || ANYTHING.test(plain);
  if (codec.name === 'line') {
    const readable = untold || TEXT.test(plain) || JSON_LINES.test(plain) || JSON_DOCUMENT.test(plain);
    return readable ? 'text' : { unsupported: `is ${name}, expected text/plain` };
  }
  if (JSON_LINES.test(plain)) return 'lines';
  if (JSON_DOCUMENT.test(plain)) return 'document';
  if (plain === 'text/csv' || (untold && codec.name === 'csv')) return csvShape(codec, parameter('header'));
  if (untold) return codec.name === 'json' && codec.form ? codec.form : 'either';
  return { unsupported: `is ${name}, expected application/x-ndjson, application/json or text/csv` };
}

/** `header` as RFC 4180 has it: `present` or `absent`. */
function csvShape(codec: Codec, header: string | undefined): CsvShape | Unsupported {
  const { separator, columns } = codec.name === 'csv' ? codec : { separator: ',', columns: undefined };
  const absent = header === undefined ? codec.name === 'csv' && !codec.header : header.toLowerCase() === 'absent';
  if (!absent) return { separator, columns: undefined };
  return columns ? { separator, columns } : { unsupported: 'has no header, expected one that names the columns' };
}

function compressionOf(encoding: string): Compression | undefined | Unsupported {
  const name = encoding.trim().toLowerCase();
  if (name === '' || name === 'identity') return undefined;
  const known = compressions.find((compression) => compression === (name === 'x-gzip' ? 'gzip' : name));
  return known ?? { unsupported: `has the encoding ${encoding}, expected one of ${compressions.join(', ')}` };
}
