/** A guest that has started, or one clear error that says why it does not. */
import { ReefError } from '../errors.ts';
import { Guest, type GuestOptions } from './guest.ts';

const PAGE_BYTES = 65_536;

/** `node`: what the function is called in messages. */
export function startGuest(node: string, options: GuestOptions): Guest {
  const { cpu } = options;
  const { limitMs } = cpu;
  try {
    return new Guest(options);
  } catch (cause) {
    if (cause instanceof ReefError) throw cause;
    const stopped = cpu.takeStopped();
    if (stopped === 'cancel') throw new ReefError('stop', `Cannot open function "${node}": it was cancelled`, { cause });
    const problem =
      stopped === 'cpu'
        ? `it used more than ${limitMs} ms of CPU time (limits.cpu_ms_per_row)`
        : cause instanceof Error
          ? cause.message
          : String(cause);
    throw new ReefError('config', `Cannot open function "${node}": its module does not start: ${problem}`, { cause });
  }
}

/** Starts one to see that it does, in memory of its own, so that also what it prints meanwhile can be told. */
export function tryStart(node: string, options: Omit<GuestOptions, 'kernelMemory' | 'startLog'>): void {
  const kernelMemory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  startGuest(node, { ...options, kernelMemory, startLog: { start: 0, end: PAGE_BYTES } });
}
