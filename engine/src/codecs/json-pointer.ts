/** Finds what a JSON pointer (RFC 6901) leads to, in the bytes of a document: nothing of it becomes an object. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;

export interface JsonRange {
  readonly from: number;
  readonly to: number;
}

/** What is wrong with a pointer, to be read after its setting; `undefined`: nothing. */
export function pointerIssue(pointer: string): string | undefined {
  if (pointer !== '' && !pointer.startsWith('/')) return `is "${pointer}", expected a JSON pointer such as /data/items`;
  return /~(?![01])/.test(pointer) ? `is "${pointer}": after "~" comes 0 or 1 in a JSON pointer` : undefined;
}

/**
 * Where the value stands; `undefined`: there is none. The document is trusted to be JSON where it is not looked at: what comes of one
 * that is not is for whoever reads the value to judge.
 */
export function findPointer(bytes: Buffer, pointer: string): JsonRange | undefined {
  let from = skipSpace(bytes, hasMark(bytes) ? 3 : 0);
  const steps = pointer.split('/').slice(1);
  for (const step of steps) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    const found = bytes[from] === 0x7b ? member(bytes, from, key) : bytes[from] === 0x5b ? element(bytes, from, key) : undefined;
    if (found === undefined) return undefined;
    from = found;
  }
  const to = valueEnd(bytes, from);
  return to > from ? { from, to } : undefined;
}

/** A string or number that the pointer leads to, as text; `undefined`: nothing, null, false, or something larger. */
export function pointedText(bytes: Buffer, pointer: string): string | undefined {
  const found = findPointer(bytes, pointer);
  if (!found) return undefined;
  const token = bytes.toString('utf8', found.from, found.to);
  if (!/^["\d-]/.test(token)) return undefined;
  try {
    const value = JSON.parse(token) as string | number;
    // A long number as it is written.
    return typeof value === 'number' ? token : value;
  } catch {
    return undefined;
  }
}

function hasMark(bytes: Buffer): boolean {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
}

/** Of a name that stands there twice the last counts. */
function member(bytes: Buffer, object: number, key: string): number | undefined {
  let found: number | undefined;
  for (let at = skipSpace(bytes, object + 1); bytes[at] === QUOTE; ) {
    const end = stringEnd(bytes, at);
    const value = skipSpace(bytes, skipSpace(bytes, end) + 1);
    if (bytes[skipSpace(bytes, end)] !== COLON) return undefined;
    if (isKey(bytes, at, end, key)) found = value;
    const next = skipSpace(bytes, valueEnd(bytes, value));
    if (bytes[next] !== COMMA) break;
    at = skipSpace(bytes, next + 1);
  }
  return found;
}

function element(bytes: Buffer, array: number, key: string): number | undefined {
  if (!/^(0|[1-9]\d{0,8})$/.test(key)) return undefined;
  let at = skipSpace(bytes, array + 1);
  if (bytes[at] === 0x5d) return undefined;
  for (let left = Number(key); left > 0; left--) {
    const next = skipSpace(bytes, valueEnd(bytes, at));
    if (bytes[next] !== COMMA) return undefined;
    at = skipSpace(bytes, next + 1);
  }
  return at;
}

function isKey(bytes: Buffer, from: number, to: number, key: string): boolean {
  try {
    return JSON.parse(bytes.toString('utf8', from, to)) === key;
  } catch {
    return false;
  }
}

/** Behind the closing quote. */
function stringEnd(bytes: Buffer, from: number): number {
  for (let at = from + 1; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at++;
  }
  return bytes.length;
}

function valueEnd(bytes: Buffer, from: number): number {
  const first = bytes[from];
  if (first === QUOTE) return stringEnd(bytes, from);
  if (first !== 0x7b && first !== 0x5b) {
    let at = from;
    while (at < bytes.length && !isDelimiter(bytes[at]!)) at++;
    return at;
  }
  let depth = 0;
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = stringEnd(bytes, at) - 1;
    else if (byte === 0x7b || byte === 0x5b) depth++;
    else if ((byte === 0x7d || byte === 0x5d) && --depth === 0) return at + 1;
  }
  return bytes.length;
}

function isDelimiter(byte: number): boolean {
  return byte === COMMA || byte === 0x7d || byte === 0x5d || byte === COLON || byte <= 0x20;
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at]! <= 0x20) at++;
  return at;
}
