/** What a server's refusal means, by the class of its SQLSTATE. */
import { connectionError } from '../../net/client-error.ts';

export interface ServerError extends Error {
  /** SQLSTATE, or the code of a socket's error. */
  readonly code?: string;
  readonly detail?: string;
  /** Where COPY was. */
  readonly where?: string;
  readonly severity?: string;
}

/**
 * `row`: a row's own fault, the others may go; `passing`: the same may work later; `settings`: rights, names, passwords: at the start the
 * run ends, later it is tried again, because rows must not suffer from what an administrator does.
 */
export type Fault = 'row' | 'passing' | 'settings';

const rowClasses = new Set([
  '21', // cardinality violation: one key twice in ON CONFLICT DO UPDATE
  '22', // data exception
  '23', // integrity constraint violation
  '44', // WITH CHECK OPTION violation
  '54', // program limit exceeded: a row too large
  'P0', // raised by a trigger
]);
const passingClasses = new Set([
  '08', // connection exception
  '25', // invalid transaction state: read-only after a failover
  '40', // transaction rollback: serialization failure, deadlock
  '53', // insufficient resources: disk full, out of memory, too many connections
  '55', // object not in prerequisite state: lock not available
  '57', // operator intervention: shutdown, starting up, statement timeout
  '58', // system error
  'XX', // internal error
]);

export function faultOf({ code, severity }: ServerError): Fault {
  if (severity === undefined || code === undefined) return 'passing';
  const group = code.slice(0, 2);
  if (rowClasses.has(group)) return 'row';
  return passingClasses.has(group) ? 'passing' : 'settings';
}

/** To be read after what was done. */
export function reasonOf(error: ServerError): string {
  if (error.severity === undefined) return connectionError(error).message;
  const place = error.where === undefined ? undefined : /column [^:]+(?=:)/.exec(error.where)?.[0];
  const more = [place, error.detail?.replaceAll('\n', ' ')].filter(Boolean).join('; ');
  return `${error.message}${more === '' ? '' : ` (${more})`}, SQLSTATE ${error.code}`;
}
