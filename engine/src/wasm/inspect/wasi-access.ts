import { WASI_MODULE, wasiFunctions } from '../shim.ts';

/** What a function is given when it calls an import: `inspect` says so, the shim does it. */
export interface ImportAccess {
  /** `always`, only when granted by this name, `never` (it is answered with an error), or `unknown`: the module is refused. */
  readonly access: 'always' | 'clock' | 'random' | 'env' | 'args' | 'never' | 'unknown';
  readonly text: string;
}

const BY_NAME: Readonly<Record<string, ImportAccess>> = {
  fd_read: { access: 'always', text: 'standard input is the row' },
  fd_write: { access: 'always', text: 'standard output is the result, standard error goes to the log' },
  proc_exit: { access: 'always', text: 'ends the row, which goes to the error table' },
  proc_raise: { access: 'always', text: 'ends the row, which goes to the error table' },
  sched_yield: { access: 'always', text: 'does nothing' },
  poll_oneoff: { access: 'always', text: 'sleeping takes no time; files and sockets are answered with an error' },
  random_get: { access: 'random', text: 'numbers from a fixed seed, unless random is granted' },
  clock_time_get: { access: 'clock', text: 'the time when the row came in, unless clock is granted' },
  clock_res_get: { access: 'always', text: 'one microsecond' },
  fd_prestat_get: { access: 'always', text: 'there are no folders' },
  fd_prestat_dir_name: { access: 'always', text: 'there are no folders' },
};

const BY_PREFIX: readonly (readonly [prefix: string, access: ImportAccess])[] = [
  ['environ_', { access: 'env', text: 'no variables, unless env is granted' }],
  ['args_', { access: 'args', text: 'no arguments, unless args is granted' }],
  ['path_', { access: 'never', text: 'files are answered with an error' }],
  ['sock_', { access: 'never', text: 'sockets are answered with an error' }],
];

const STANDARD_STREAMS = ['fd_close', 'fd_sync', 'fd_datasync', 'fd_fdstat_get', 'fd_fdstat_set_flags', 'fd_filestat_get'];

export function importAccess(module: string, name: string): ImportAccess {
  if (module !== WASI_MODULE || !wasiFunctions().includes(name))
    return { access: 'unknown', text: 'not known: the module is refused' };
  const found = BY_NAME[name] ?? BY_PREFIX.find(([prefix]) => name.startsWith(prefix))?.[1];
  if (found !== undefined) return found;
  if (STANDARD_STREAMS.includes(name)) return { access: 'always', text: 'standard input, output and error only' };
  return { access: 'never', text: 'files are answered with an error' };
}
