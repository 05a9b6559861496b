import type { Log } from './node.ts';

/** So many lines of one node in each such time. */
export const MOST_LINES = 1000;
export const WINDOW_MS = 10_000;

/**
 * A node's log: its lines name it, and of a flood the first lines of every ten seconds pass. That lines are left out is said at once,
 * how many when the time is over. A function that warns of every row must cost neither the pipeline its speed nor people the other
 * lines.
 */
export function nodeLog(log: Log, node: string): Log {
  let lines = 0;
  let leftOut = 0;
  let since = Number.NEGATIVE_INFINITY;
  const startAnew = (): void => {
    log.warn(`${leftOut} lines of node "${node}" were left out`, { node });
    leftOut = 0;
    lines = 0;
  };
  const passes = (): boolean => {
    const now = performance.now();
    if (leftOut === 0 && now - since >= WINDOW_MS) {
      since = now;
      lines = 0;
    }
    if (++lines <= MOST_LINES) return true;
    if (leftOut++ === 0) {
      log.warn(`lines of node "${node}" are left out from here: at most ${MOST_LINES} in ${WINDOW_MS / 1000} s are written`, {
        node,
      });
      setTimeout(startAnew, Math.max(0, since + WINDOW_MS - now)).unref();
    }
    return false;
  };
  return {
    info: (message, data) => {
      if (passes()) log.info(message, { ...data, node });
    },
    warn: (message, data) => {
      if (passes()) log.warn(message, { ...data, node });
    },
  };
}
