import { rowErrors } from '../../batch/kernel-abi.ts';

/** Codes of engine/kernel/assembly/functions/problems.ts, and of failure.ts, to be read behind the name of the column. */
const sentences: Readonly<Record<number, string>> = {
  ...rowErrors,
  100: 'holds fields of which the batch has too many different ones (max_fields)',
  102: 'holds a pair without a key',
  103: 'holds a quote that is not closed',
  104: 'holds text behind a closing quote, expected a separator',
  105: 'has fewer values than there are columns',
  106: 'has more values than there are columns',
  107: 'does not begin with a priority, expected one such as <13>',
  108: 'has no time where one is expected',
  109: 'is no whole RFC 5424 header',
  110: 'has structured data that is not well formed',
  111: 'holds a key without a value',
  112: 'matches no pattern',
  113: 'is longer than grok.max_text_bytes allows',
};

export const NO_MATCH = 112;
export const TOO_LONG = 113;
/** Problems of the text as a whole. */
const placeless = new Set([64, 100, NO_MATCH, TOO_LONG]);

/** Why a text was not read. */
export function problemText(problem: number, column: string): string {
  const code = problem & 0xff;
  const place = placeless.has(code) ? '' : `, at byte ${(problem >>> 8) + 1}`;
  return `column ${JSON.stringify(column)} ${sentences[code]}${place}`;
}
