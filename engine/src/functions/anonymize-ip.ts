import { type Batch, ValueKind } from '../batch/batch.ts';
import { columnArguments, loadFunctionKernel, TextOf, type TokenBatch, withFunctionKernel } from '../batch/function-kernel.ts';
import { KIND_RAW } from '../batch/kernel-exports.ts';
import { kindOf, type Tokens, tokenText } from '../batch/tokens.ts';
import { choice, integer, type Settings } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import { rowsOnly } from '../spec/security.ts';
import { missingText } from './row-problems.ts';
import { setNull } from './row-tokens.ts';
import { changeTexts, resultColumns, textColumns } from './text-columns.ts';

const settings = {
  ...textColumns,
  ipv4_prefix: integer('Bits of an IPv4 address that stay; the others become 0.', { default: 24, min: 0, max: 32 }),
  ipv6_prefix: integer('Bits of an IPv6 address that stay.', { default: 48, min: 0, max: 128 }),
  on_error: choice(
    ['reject', 'keep', 'set_null'],
    'What becomes of a value that is no address. `reject`: its row goes to the error table, with the reason. `keep`: the value stays. `set_null`: it becomes null.',
    { default: 'reject' },
  ),
};

type AnonymizeSettings = Settings<typeof settings>;

/** Bytes of the longest address. */
const ADDRESS_BYTES = 48;
const SHOWN_CHARACTERS = 60;

export default batchFunction({
  summary: 'Shortens IP addresses to their network.',
  settings,
  security: rowsOnly,
  examples: [
    {
      title: 'Networks instead of visitors',
      yaml: 'id: networks\nkind: function\ntype: anonymize_ip\nsettings:\n  columns: [client_ip]\n',
      input: [{ client_ip: '192.0.2.57' }, { client_ip: '2001:db8:12:34::1' }, { client_ip: 'unknown' }],
    },
  ],
  reads: ({ columns }) => columns,
  writes: resultColumns,
  open: ({ settings: given }) => {
    loadFunctionKernel();
    return {
      apply: (batch) =>
        changeTexts(batch, given, (view, texts, column) => shorten(batch, view, { texts, column }, given), TextOf.strings),
    };
  },
});

function shorten(
  batch: Batch,
  view: TokenBatch,
  { texts, column }: { readonly texts: Tokens; readonly column: string },
  { ipv4_prefix: bits4, ipv6_prefix: bits6, on_error: onError }: AnonymizeSettings,
): void {
  const { arena, size, rows } = view;
  const versions = arena.take(size);
  const out = arena.take(rows.length * ADDRESS_BYTES);
  const bad = withFunctionKernel(view, (kernel) =>
    kernel.shortenAddresses(...columnArguments(view, texts), bits4, bits6, versions, out),
  );
  if (bad === 0 || onError === 'keep') return;
  const { pointer } = arena.text('null');
  for (const row of rows) {
    const kind = kindOf(arena, texts, row);
    if (arena.bytes[versions + row] !== 0 || kind === ValueKind.absent || kind === ValueKind.null) continue;
    if (onError === 'set_null') setNull(view, texts, row, pointer);
    else
      batch.reject(
        row,
        kind === KIND_RAW ? wrongText(tokenText(arena, texts, row), column) : missingText(kind, column, expected),
      );
  }
}

const expected = 'an IPv4 or IPv6 address';

function wrongText(text: string, column: string): string {
  return `column ${JSON.stringify(column)} is ${JSON.stringify(text.slice(0, SHOWN_CHARACTERS))}, expected ${expected}`;
}
