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
  /** With `retry`: the other side asked not to be tried again sooner. */
  readonly retryAfterMs?: number;
  /** Machine-readable details, shown by the JSON log. Never holds secrets. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The same symbol in every copy. */
const BRAND = Symbol.for('reef.error');

export class ReefError extends Error {
  /** True for errors of another copy of this package too: a user's module may have been installed with its own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  readonly [BRAND] = true;
  override readonly name = 'ReefError';
  readonly code: ReefErrorCode;
  readonly retry: boolean;
  readonly retryAfterMs: number | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ReefErrorCode, message: string, options: ReefErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.data = options.data ?? {};
  }
}
