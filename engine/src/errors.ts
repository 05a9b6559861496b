/**
 * The one error class of the engine.
 *
 * `message` reads: action, subject, colon, what is, what would be right.
 * Programmer mistakes throw `TypeError` or `RangeError` instead.
 */
export type ReefErrorCode =
  /** The punchline or the command line is wrong; nothing was started. */
  | 'config'
  /** A file, socket or server cannot be reached, read or written. */
  | 'io'
  /** The other side has closed the connection or pipe for good. */
  | 'closed'
  /** A function or worker failed beyond its own rows. */
  | 'function'
  /** The state folder is locked, unreadable or from another version. */
  | 'state'
  /** A bound was exceeded that has no error table of its own. */
  | 'limit'
  /** A function asks that the punchline stops, with this message; its batch counts as not delivered. */
  | 'stop';

export interface ReefErrorOptions {
  readonly cause?: unknown;
  /** True when the same action may succeed later: the engine retries it with back-off. */
  readonly retry?: boolean;
  /** Machine-readable details, shown by the JSON log. Never holds secrets. */
  readonly data?: Readonly<Record<string, unknown>>;
}

export class ReefError extends Error {
  override readonly name = 'ReefError';
  readonly code: ReefErrorCode;
  readonly retry: boolean;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ReefErrorCode, message: string, options: ReefErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? false;
    this.data = options.data ?? {};
  }
}
