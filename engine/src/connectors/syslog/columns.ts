import type { ColumnDeclaration } from '../../spec/column-type.ts';

/** What the function `parse` finds in a message (functions/parse/formats.ts); a test compares. */
export const syslogColumns: readonly ColumnDeclaration[] = [
  { name: 'priority', type: 'integer' },
  { name: 'facility', type: 'string' },
  { name: 'severity', type: 'string' },
  { name: 'version', type: 'integer' },
  { name: 'timestamp', type: 'string' },
  { name: 'hostname', type: 'string' },
  { name: 'appname', type: 'string' },
  { name: 'procid', type: 'string' },
  { name: 'msgid', type: 'string' },
  { name: 'structured_data', type: 'json' },
  { name: 'message', type: 'string' },
  { name: 'sequence', type: 'integer' },
];
