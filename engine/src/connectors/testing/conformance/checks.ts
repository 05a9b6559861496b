/**
 * What a connector is asked, in the order of the columns of docs/reference/index.md. The same words for sources and sinks; what
 * exactly is done for each stands in `source-checks.ts` and `sink-checks.ts`.
 */
export const checks = {
  once: 'all of 10,000 rows arrive once, and in order',
  rows: 'rows of 1 MB, empty texts, control characters and all of Unicode arrive as they were',
  acks: 'the other side hears that rows are delivered when they are, not before',
  outage: 'the output is away, the process is killed, the output comes back: 200 of 200 rows arrive',
  kill: 'nothing is lost when the process is killed (SIGKILL) with rows in flight, again and again',
  stop: 'nothing is lost when the process is stopped with rows in flight',
  restart: 'nothing is lost when the server is restarted',
  cut: 'nothing is lost when connections are cut in the middle of rows',
  pressure: 'memory stays bounded while the output takes nothing',
  absent: 'a server that is not there at the start is told of and waited for, and with --connect nothing is started',
  silent: 'a server that accepts and never answers is told of, and does not hold up a stop',
  drain: 'a stop ends in its time when the output takes nothing, and what was not delivered comes later',
  password: 'without the right password nothing goes through, the log says why, and a stop finds nothing open',
  certificates: 'a certificate that is expired, of another name or signed by itself is refused, the right one taken',
  handles: 'a stop leaves nothing open that would hold up the end of the process',
} as const;

export type Check = keyof typeof checks;

/** Checks that do not apply to a connector, each with a sentence that says why. */
export type Exceptions = Partial<Readonly<Record<Check, string>>>;

/** All checks but some, for connectors of which nearly nothing can be asked. */
export function allBut(names: readonly Check[], why: string): Exceptions {
  const others = (Object.keys(checks) as Check[]).filter((check) => !names.includes(check));
  return Object.fromEntries(others.map((check) => [check, why]));
}

/** For connectors that speak with no server. `why` is a sentence. */
export function withoutServer(why: string): Exceptions {
  return { restart: why, cut: why, absent: why, silent: why, password: why, certificates: why };
}
