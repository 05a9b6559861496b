import { randomFillSync } from 'node:crypto';

/** What a function is given beyond its rows. Nothing by default. */
export interface Grants {
  readonly clock: boolean;
  readonly random: boolean;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

const EINVAL = 28;
const EFAULT = 21;

type WasiFunction = (...args: never[]) => number;

/** The WASI functions that take the place of the shim's, for what was granted. `look` throws when the guest must stop. */
export function grantedFunctions(grants: Grants, memory: WebAssembly.Memory, look: () => void): Record<string, WasiFunction> {
  const view = () => new DataView(memory.buffer);
  const inside = (at: number, length: number) => at >>> 0 <= memory.buffer.byteLength - length;
  return {
    ...(grants.clock ? clock(view, inside) : {}),
    ...(grants.random ? random(memory, inside, look) : {}),
    ...(Object.keys(grants.env).length > 0
      ? texts(
          'environ',
          Object.entries(grants.env).map(([name, value]) => `${name}=${value}`),
          memory,
        )
      : {}),
    ...(grants.args.length > 0 ? texts('args', grants.args, memory) : {}),
  };
}

type Inside = (at: number, length: number) => boolean;

function clock(view: () => DataView, inside: Inside): Record<string, WasiFunction> {
  return {
    clock_time_get(id: number, _precision: bigint, at: number): number {
      if (id >>> 0 > 3) return EINVAL;
      if (!inside(at, 8)) return EFAULT;
      const now = id === 0 ? BigInt(Date.now()) * 1_000_000n : process.hrtime.bigint();
      view().setBigUint64(at >>> 0, now, true);
      return 0;
    },
  };
}

function random(memory: WebAssembly.Memory, inside: Inside, look: () => void): Record<string, WasiFunction> {
  return {
    random_get(at: number, length: number): number {
      const total = length >>> 0;
      if (!inside(at, total)) return EFAULT;
      const bytes = new Uint8Array(memory.buffer as ArrayBuffer, at >>> 0, total);
      for (let done = 0; done < total; done += 2 ** 20) {
        if (done > 0) look();
        randomFillSync(bytes.subarray(done, done + 2 ** 20));
      }
      return 0;
    },
  };
}

/** A list of texts: pointers to them at one place, the texts with a zero byte behind each at another. */
function texts(what: 'args' | 'environ', list: readonly string[], memory: WebAssembly.Memory): Record<string, WasiFunction> {
  const bytes = list.map((text) => Buffer.from(`${text}\0`));
  const total = bytes.reduce((sum, { length }) => sum + length, 0);
  const inside = (at: number, length: number) => at >>> 0 <= memory.buffer.byteLength - length;
  return {
    [`${what}_sizes_get`](count: number, size: number): number {
      if (!inside(count, 4) || !inside(size, 4)) return EFAULT;
      const view = new DataView(memory.buffer);
      view.setUint32(count >>> 0, bytes.length, true);
      view.setUint32(size >>> 0, total, true);
      return 0;
    },
    [`${what}_get`](pointers: number, data: number): number {
      if (!inside(pointers, 4 * bytes.length) || !inside(data, total)) return EFAULT;
      const view = new DataView(memory.buffer);
      const target = new Uint8Array(memory.buffer);
      let at = data >>> 0;
      for (const [index, text] of bytes.entries()) {
        view.setUint32((pointers >>> 0) + 4 * index, at, true);
        target.set(text, at);
        at += text.length;
      }
      return 0;
    },
  };
}
