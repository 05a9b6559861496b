/** Every key of a case file. */
import type { KeyTable } from '../punchline/known-keys.ts';

const table = (where: string, known: readonly string[]): KeyTable => ({ where, known, elsewhere: {} });

export const fileKeys = table('the case file', ['punchline', 'punchline_name', 'env', 'cases']);
export const caseKeys = table('the case', ['name', 'skip', 'input', 'real', 'expect', 'faults', 'batch_rows', 'timeout_secs']);
const inputWays = ['rows', 'file', 'text'] as const;
export const waysToFeed: readonly string[] = inputWays;
export const inputKeys = table('the input', [...inputWays, 'table']);
const ways = ['rows', 'rows_file', 'includes', 'count', 'text', 'nothing_lost'] as const;
export const waysToExpect: readonly string[] = ways;
export const rowsKeys = table('what is expected', [...ways, 'order', 'duplicates_at_most']);
export const expectKeys = table('what is expected', [
  ...ways,
  'order',
  'duplicates_at_most',
  'tables',
  'rejected',
  'rejected_count',
]);
export const rejectedKeys = table('the rejected row', ['row', 'text', 'reason', 'reason_includes']);
export const faultKeys = table('the fault', ['refuse', 'over_limit', 'restart']);
export const refuseKeys = table('refuse', ['sink', 'times', 'after_rows']);
export const overLimitKeys = table('over_limit', ['function', 'column', 'value']);
export const restartKeys = table('restart', ['sink', 'after_rows']);
