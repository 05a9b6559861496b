/** The few WASI functions that the example functions call, straightforwardly in JavaScript: for comparing modules before and after. */
export interface PlainWasi {
  readonly imports: WebAssembly.Imports;
  memory: WebAssembly.Memory;
  /** Runs a row; returns all that was written, in hex, or how it ended. */
  call(run: () => void, input: Uint8Array): string;
}

export function plainWasi(): PlainWasi {
  let input: Uint8Array = new Uint8Array();
  let output: string[] = [];
  const view = () => new DataView(host.memory.buffer);
  const bytes = () => new Uint8Array(host.memory.buffer);
  const vectors = (at: number, count: number) =>
    Array.from({ length: count }, (_, i) => {
      const start = view().getUint32(at + 8 * i, true);
      return bytes().subarray(start, start + view().getUint32(at + 8 * i + 4, true));
    });
  const known: Record<string, (...args: number[]) => number> = {
    fd_read(_fd, at = 0, count = 0, result = 0) {
      let total = 0;
      for (const room of vectors(at, count)) {
        const part = input.subarray(0, room.length);
        room.set(part);
        input = input.subarray(part.length);
        total += part.length;
      }
      view().setUint32(result, total, true);
      return 0;
    },
    fd_write(fd = 0, at = 0, count = 0, result = 0) {
      let total = 0;
      for (const part of vectors(at, count)) {
        output.push(fd === 1 ? '' : 'log:', Buffer.from(part).toString('hex'));
        total += part.length;
      }
      view().setUint32(result, total, true);
      return 0;
    },
    fd_fdstat_get(fd = 0, at = 0) {
      if (fd > 2) return 8;
      bytes().fill(0, at, at + 24);
      bytes()[at] = 2;
      view().setBigUint64(at + 8, fd === 0 ? 2n : 64n, true);
      return 0;
    },
    clock_time_get(_clock, _precision, at = 0) {
      view().setBigUint64(at, 1_700_000_000_000_000_000n, true);
      return 0;
    },
    proc_exit(code) {
      throw new Error(`exit ${code}`);
    },
  };
  const empty = (first: number, second: number) => {
    view().setUint32(first, 0, true);
    view().setUint32(second, 0, true);
    return 0;
  };
  const wasi = new Proxy(known, {
    get: (target, name: string) =>
      target[name] ?? (name.endsWith('sizes_get') ? empty : name.startsWith('fd_prestat') ? () => 8 : () => 0),
  });
  const host: PlainWasi = {
    imports: { wasi_snapshot_preview1: wasi },
    memory: undefined as unknown as WebAssembly.Memory,
    call(run, row) {
      input = row;
      output = [];
      try {
        run();
      } catch (error) {
        return `trap: ${(error as Error).message}, after ${output.join('')}`;
      }
      return output.join('');
    },
  };
  return host;
}
