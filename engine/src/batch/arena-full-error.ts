/** Thrown when the arena is too small for a batch: the chain tries again with fewer rows. */
export class ArenaFullError extends Error {
  override readonly name = 'ArenaFullError';
}
