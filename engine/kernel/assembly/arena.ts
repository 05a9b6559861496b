// The arena: the range of the shared memory that belongs to this kernel instance alone. It only grows until the next `reset`;
// a function that needs scratch for one call gives it back with `release`.

/** Where the arena began when it was first given: what was kept below a later `reset` stays this instance's own. */
let ownFrom: usize = 0;
let from: usize = 0;
let next: usize = 0;
let end: usize = 0;

/** Empties [start, to) of the arena. When `start` lies in the present arena, the pieces below it are kept. */
export function reset(start: usize, to: usize): void {
  if (to != end || start < ownFrom || start > next) ownFrom = start;
  from = start;
  next = (start + 15) & ~15;
  end = to;
}

/** Takes a 16-aligned piece; 0 when the arena is full. */
export function alloc(bytes: usize): usize {
  const piece = next;
  const behind = <u64>piece + <u64>bytes;
  if (behind > <u64>end) return 0;
  next = <usize>min<u64>((behind + 15) & ~15, end);
  return piece;
}

/** Gives back `piece` and everything that was taken after it. */
export function release(piece: usize): void {
  next = piece;
}

/** Bytes in use since the last `reset`. */
export function used(): usize {
  return next - from;
}

/** Bytes that are still free. */
export function left(): usize {
  return end - next;
}

/** True for bytes that were taken and not given back. */
@inline export function inArena(p: usize, bytes: usize): bool {
  return p >= ownFrom && <u64>p + <u64>bytes <= <u64>next;
}
