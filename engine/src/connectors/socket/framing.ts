/** How a stream of bytes is cut into messages, for those who listen and those who send: the setting, and what it means. */
import { choice, group, type Settings, text } from '../../spec/fields.ts';
import type { SettingIssue } from '../../spec/node.ts';

const fields = {
  by: choice(
    ['line', 'length', 'delimiter', 'octets'],
    '`line`: a newline ends each message. `length`: a number of `length_bytes` bytes stands before each. `delimiter`: the bytes of `delimiter` end each. `octets`: its length in decimal digits and a blank stand before each (octet counting of RFC 6587).',
    { default: 'line' },
  ),
  length_bytes: choice(['1', '2', '4'], 'For `length`: how many bytes the number has; it does not count itself.', {
    default: '4',
  }),
  byte_order: choice(['big', 'little'], 'For `length`: which of its bytes comes first, the highest (`big`) or the lowest.', {
    default: 'big',
  }),
  delimiter: text(
    'For `delimiter`: any bytes; `\\n`, `\\r`, `\\t`, `\\0`, `\\\\` and `\\x1f` stand for those that cannot be written.',
    {
      default: '\\0',
    },
  ),
};

export type Framing = Settings<typeof fields>;

export const framing = group(fields, 'How messages are told apart in a stream.', {
  default: { by: 'line', length_bytes: '4', byte_order: 'big', delimiter: '\\0' } as Framing,
});

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '0': '\0', '\\': '\\' };

/** The bytes that a text with escapes stands for; `undefined`: it has an escape that is none, or no bytes. */
export function delimiterBytes(written: string): Buffer | undefined {
  const parts: Buffer[] = [];
  for (const [part, hex, letter] of written.matchAll(/\\x([0-9a-fA-F]{2})|\\(.?)|[^\\]+/gs)) {
    if (hex !== undefined) parts.push(Buffer.from(hex, 'hex'));
    else if (letter === undefined) parts.push(Buffer.from(part));
    else if (escapes[letter] === undefined) return undefined;
    else parts.push(Buffer.from(escapes[letter]));
  }
  const bytes = Buffer.concat(parts);
  return bytes.length > 0 ? bytes : undefined;
}

export function checkFraming({ by, delimiter }: Framing): SettingIssue[] {
  if (by !== 'delimiter' || delimiterBytes(delimiter)) return [];
  const message = `is ${JSON.stringify(delimiter)}, expected at least one byte, with \\n, \\r, \\t, \\0, \\\\ or \\x1f for those that cannot be written`;
  return [{ path: ['framing', 'delimiter'], message }];
}
