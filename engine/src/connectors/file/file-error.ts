import { ReefError, type ReefErrorCode } from '../../errors.ts';

/** What stands behind an error number, and what would be right. */
const explanations: Readonly<Record<string, string>> = {
  EACCES: 'permission denied, expected the rights to do so',
  EDQUOT: 'the disk quota is used up, expected free space',
  EFBIG: 'the file has reached the largest size that is allowed, expected a higher limit (ulimit -f) or another file',
  EIO: 'the device reports an input/output error',
  EISDIR: 'it is a folder, expected a file',
  ELOOP: 'too many symbolic links lead to it, expected a file',
  EMFILE: 'this process has too many open files, expected a higher limit (ulimit -n)',
  ENAMETOOLONG: 'the name is too long, expected a shorter one',
  ENFILE: 'the system has too many open files',
  ENOENT: 'it does not exist, expected a file',
  ENOSPC: 'no space is left on the device, expected free space',
  ENOTDIR: 'a part of its path is not a folder, expected folders',
  ENXIO: 'no process reads from the pipe yet, expected a reader',
  EPERM: 'the operation is not permitted, expected the rights to do so',
  EROFS: 'the file system is read-only, expected one that can be written',
  ESTALE: 'the network file system has lost it',
  ETXTBSY: 'a program that is running uses it, expected another file',
};

/** Conditions that pass without anyone touching the punchline: space is made, a mount comes back. */
const passing: ReadonlySet<string> = new Set([
  'EAGAIN',
  'EBUSY',
  'EDQUOT',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'ENOSPC',
  'ENXIO',
  'ESTALE',
  'ETIMEDOUT',
]);

/** The error number of a system error; `undefined` for other errors. */
export function errorNumber(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** A byte of a listed name that is no UTF-8 reads as U+FFFD, and nothing has the name that comes of it. */
export function nameProblem(path: string, number: string | undefined): string | undefined {
  if (number !== 'ENOENT' || !path.includes('\ufffd')) return undefined;
  return 'nothing has this name, perhaps because it is not valid UTF-8, expected a file with a name in UTF-8';
}

/**
 * A system error about a file as a `ReefError`: `Cannot ACTION: PATH: what is, what would be right`.
 * `io` where waiting may help, else `code`.
 */
export function fileError(action: string, path: string, cause: unknown, code: ReefErrorCode = 'io'): ReefError {
  if (cause instanceof ReefError) return cause;
  const number = errorNumber(cause) ?? '';
  const retry = passing.has(number);
  const explanation =
    nameProblem(path, number) ?? explanations[number] ?? (cause instanceof Error ? cause.message : String(cause));
  return new ReefError(retry ? 'io' : code, `Cannot ${action}: ${path}: ${explanation}`, {
    cause,
    retry,
    data: { path, ...(number === '' ? {} : { errno: number }) },
  });
}
