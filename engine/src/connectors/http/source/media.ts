/** What a request says of its body: how it becomes rows, and how it is compressed. */
import type { IncomingHttpHeaders } from 'node:http';
import { type Compression, compressions } from '../../../codecs/decompress.ts';
import type { Codec } from '../../../spec/plan.ts';

/**
 * `lines`: rows stand on lines, as they go on. `document`: one JSON document (an array or an object), judged whole. `either`: an
 * array where it begins with a bracket, else lines.
 */
export type Shape = 'lines' | 'document' | 'either';

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
  readonly #codec: Codec['name'];
  #lastType: string | undefined;
  #lastShape: Shape | Unsupported;

  constructor(codec: Codec['name']) {
    this.#codec = codec;
    this.#lastShape = shapeOf(codec, undefined);
  }

  of(headers: IncomingHttpHeaders): Media | Unsupported {
    const type = headers['content-type'];
    if (type !== this.#lastType) {
      this.#lastType = type;
      this.#lastShape = shapeOf(this.#codec, type);
    }
    if (typeof this.#lastShape === 'object') return this.#lastShape;
    const encoding = headers['content-encoding'];
    if (encoding === undefined) return { shape: this.#lastShape, compression: undefined };
    const compression = compressionOf(encoding);
    return typeof compression === 'object' ? compression : { shape: this.#lastShape, compression };
  }
}

function shapeOf(codec: Codec['name'], type: string | undefined): Shape | Unsupported {
  const [name = '', ...parameters] = (type ?? '').split(';').map((part) => part.trim());
  const charset = parameters
    .find((parameter) => /^charset=/i.test(parameter))
    ?.slice('charset='.length)
    .replaceAll('"', '');
  if (charset !== undefined && !UTF8.test(charset)) return { unsupported: `has the charset ${charset}, expected utf-8` };
  const plain = name.toLowerCase();
  if (codec !== 'json') {
    const readable =
      plain === '' || TEXT.test(plain) || ANYTHING.test(plain) || JSON_LINES.test(plain) || JSON_DOCUMENT.test(plain);
    return readable ? 'lines' : { unsupported: `is ${name}, expected text/plain` };
  }
  if (JSON_LINES.test(plain)) return 'lines';
  if (JSON_DOCUMENT.test(plain)) return 'document';
  if (plain === '' || ANYTHING.test(plain)) return 'either';
  return { unsupported: `is ${name}, expected application/x-ndjson or application/json` };
}

function compressionOf(encoding: string): Compression | undefined | Unsupported {
  const name = encoding.trim().toLowerCase();
  if (name === '' || name === 'identity') return undefined;
  const known = compressions.find((compression) => compression === (name === 'x-gzip' ? 'gzip' : name));
  return known ?? { unsupported: `has the encoding ${encoding}, expected one of ${compressions.join(', ')}` };
}
