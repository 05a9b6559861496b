/** Rows that are longer than allowed: only their head is kept. */

/** Bytes that are kept of such a row. */
export const OVERSIZE_HEAD_BYTES = 64 * 1024;

/** The reason that it is rejected with. */
export function tooLong(bytes: number, allowed: number): string {
  return `the row is ${bytes} bytes long, at most ${allowed} are allowed`;
}
