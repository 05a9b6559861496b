/**
 * What the function `parse` makes of a syslog message, and the source `syslog` therefore gives; in the order of
 * engine/kernel/assembly/functions/parse-syslog.ts.
 */
export const syslogColumns = [
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
] as const;
