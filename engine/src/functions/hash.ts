import { hash as digestOf } from 'node:crypto';
import {
  columnArguments,
  loadFunctionKernel,
  type TokenBatch,
  unlessFull,
  withFunctionKernel,
} from '../batch/function-kernel.ts';
import type { Tokens } from '../batch/tokens.ts';
import { choice, type Settings, secret } from '../spec/fields.ts';
import { batchFunction } from '../spec/function.ts';
import type { SettingIssue } from '../spec/node.ts';
import { rowsOnly } from '../spec/security.ts';
import { initialState, roundConstants } from './sha256-tables.ts';
import { changeTexts, resultColumns, textColumns } from './text-columns.ts';

const settings = {
  ...textColumns,
  algorithm: choice(
    ['sha256', 'xxh64'],
    '`sha256`: 64 hexadecimal digits, cannot be turned back; with `key` it is HMAC-SHA-256. `xxh64`: 16 hexadecimal digits, much faster, for spreading and comparing only.',
    { default: 'sha256' },
  ),
  key: secret(
    'Key of HMAC-SHA-256. Who does not have it cannot find a value by trying all that are likely, which is easy for names, numbers and addresses without it.',
    { optional: true },
  ),
};

type HashSettings = Settings<typeof settings>;

export default batchFunction({
  summary: 'Replaces values by their digests.',
  settings,
  security: rowsOnly,
  examples: [
    {
      title: 'Users that can be counted but not named',
      yaml: `id: hidden\nkind: function\ntype: hash\nsettings:\n  columns: [user]\n  key: "\${HASH_KEY}"\n`,
      needs: 'the environment variable HASH_KEY',
    },
    {
      title: 'A digest beside the value',
      yaml: 'id: digest\nkind: function\ntype: hash\nsettings:\n  columns: [url]\n  suffix: _hash\n  algorithm: xxh64\n',
      input: [{ url: 'https://example.org/a' }, { url: null }],
    },
  ],
  check,
  reads: ({ columns }) => columns,
  writes: resultColumns,
  open: ({ settings: given }) => {
    loadFunctionKernel();
    const digest = given.algorithm === 'xxh64' ? xxh64 : sha256(given.key);
    return { apply: (batch) => changeTexts(batch, given, digest) };
  },
});

function xxh64(view: TokenBatch, texts: Tokens): void {
  const out = view.arena.take(view.rows.length * 16);
  withFunctionKernel(view, (kernel) => kernel.xxh64Texts(...columnArguments(view, texts), out));
}

const BLOCK_BYTES = 64;
const STATE_BYTES = 32;

/** SHA-256, with a key HMAC: then the blocks of the key are digested once a batch. */
function sha256(key: string | undefined): (view: TokenBatch, texts: Tokens) => void {
  const blocks = key === undefined ? undefined : [0x36, 0x5c].map((pad) => keyBlock(key).map((byte) => byte ^ pad));
  return (view, texts) => {
    const { arena } = view;
    const tables = arena.take(roundConstants.byteLength + 3 * STATE_BYTES);
    arena.words.set(roundConstants, tables >>> 2);
    const initial = tables + roundConstants.byteLength;
    arena.words.set(initialState, initial >>> 2);
    const pieces = blocks?.map((block) => arena.copyOf(block));
    const out = arena.take(view.rows.length * 2 * STATE_BYTES);
    withFunctionKernel(view, (kernel) => {
      for (const [i, piece] of (pieces ?? []).entries()) {
        unlessFull(kernel.sha256Block(tables, piece, initial + (i + 1) * STATE_BYTES));
      }
      return unlessFull(kernel.sha256Texts(...columnArguments(view, texts), tables, pieces ? 1 : 0, out));
    });
  };
}

/** RFC 2104: a key that is longer than a block is digested first. */
function keyBlock(key: string): Uint8Array {
  const bytes = Buffer.from(key);
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(bytes.length > BLOCK_BYTES ? digestOf('sha256', bytes, 'buffer') : bytes);
  return block;
}

function check({ algorithm, key }: HashSettings): SettingIssue[] {
  const issues: SettingIssue[] = [];
  if (key !== undefined && algorithm !== 'sha256')
    issues.push({ path: ['key'], message: `key is for sha256, but algorithm is ${algorithm}` });
  if (key === '') issues.push({ path: ['key'], message: 'key is empty, expected at least one character' });
  return issues;
}
