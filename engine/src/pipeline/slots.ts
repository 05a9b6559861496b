/**
 * The shared memory of a punchline: one arena per worker, then input slots, then output slots, then one large slot of each kind
 * for rows that are larger than a slot. Address space is generous, memory is not: pages that nobody touches cost nothing, and
 * free slots are handed out last in, first out, so that a calm pipeline uses few of them.
 */

/** A piece of the shared memory, by pointers. `index` is unique within its pool. */
export interface Slot {
  readonly index: number;
  readonly start: number;
  readonly end: number;
}

export interface MemoryOptions {
  readonly workers: number;
  readonly inputSlots: number;
  readonly outputSlots: number;
  readonly inputSlotBytes: number;
  readonly outputSlotBytes: number;
  readonly maxRowBytes: number;
}

/** The kernel's own static data lies below. */
const FIRST_FREE = 64 * 1024;
/** Bytes behind every input slot that the kernel may read (never write) past its end. */
const GUARD = 64;
const PAGE = 65_536;
/** A worst-case row of `maxRowBytes` needs four bytes of token table per byte, and room for its columns. */
const ARENA_PER_ROW_BYTE = 8;
const ARENA_LEAST = 32 * 1024 * 1024;

export class SharedMemory {
  readonly arenas: readonly { readonly start: number; readonly end: number }[];
  readonly input: SlotPool;
  readonly output: SlotPool;
  /** For rows larger than an input slot. */
  readonly largeInput: SlotPool;
  /** For rows that become larger than an output slot. */
  readonly largeOutput: SlotPool;
  readonly outputSlotBytes: number;
  readonly #pages: number;
  #current: { readonly memory: WebAssembly.Memory; readonly bytes: Buffer } | undefined;

  constructor(options: MemoryOptions) {
    this.outputSlotBytes = options.outputSlotBytes;
    let next = FIRST_FREE;
    const take = (bytes: number): { start: number; end: number } => {
      const start = next;
      next = align(start + bytes + GUARD);
      return { start, end: start + bytes };
    };
    const arena = align(ARENA_LEAST + options.maxRowBytes * ARENA_PER_ROW_BYTE);
    this.arenas = Array.from({ length: options.workers }, () => take(arena));
    const pool = (count: number, bytes: number): SlotPool =>
      new SlotPool(Array.from({ length: count }, (_, index) => ({ index, ...take(bytes) })));
    this.input = pool(options.inputSlots, options.inputSlotBytes);
    this.output = pool(options.outputSlots, options.outputSlotBytes);
    this.largeInput = pool(1, options.maxRowBytes + options.inputSlotBytes);
    this.largeOutput = pool(1, 4 * options.maxRowBytes + options.outputSlotBytes);
    const pages = Math.ceil(next / PAGE);
    if (pages > PAGE)
      throw new RangeError(`Cannot lay out the shared memory: ${pages} pages are needed, a module may have 65536`);
    this.#pages = pages;
  }

  /** Made when it is first asked for. Not to be kept: see {@link release}. */
  get memory(): WebAssembly.Memory {
    return this.#made().memory;
  }

  /** All of the memory. Views of slots that are taken stay good; this one is not to be kept. */
  get bytes(): Buffer {
    return this.#made().bytes;
  }

  /** Gives the memory back to the system where no slot is taken. No worker may be alive. */
  release(): void {
    const pools = [this.input, this.output, this.largeInput, this.largeOutput];
    if (pools.every((pool) => pool.free === pool.size)) this.#current = undefined;
  }

  #made(): { readonly memory: WebAssembly.Memory; readonly bytes: Buffer } {
    if (!this.#current) {
      const memory = new WebAssembly.Memory({ initial: this.#pages, maximum: this.#pages, shared: true });
      this.#current = { memory, bytes: Buffer.from(memory.buffer) };
    }
    return this.#current;
  }
}

export class SlotPool {
  readonly size: number;
  readonly #slots: ReadonlySet<Slot>;
  readonly #free: Slot[];
  readonly #waiting = new Set<(slot: Slot) => void>();
  /** Somebody waits from now on: whoever holds a slot that it does not need gives it back. */
  onWait: (() => void) | undefined;

  constructor(slots: Slot[]) {
    this.size = slots.length;
    this.#slots = new Set(slots);
    this.#free = slots.reverse();
  }

  has(slot: Slot): boolean {
    return this.#slots.has(slot);
  }

  /** Those that wait for a slot. */
  get waiting(): number {
    return this.#waiting.size;
  }

  get free(): number {
    return this.#free.length;
  }

  /** A free slot, or `undefined`. */
  tryTake(): Slot | undefined {
    return this.#free.pop();
  }

  /** Waits for a free slot, first come, first served. Rejects with the signal's reason when it aborts. */
  take(signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    const slot = this.#free.pop();
    if (slot) return Promise.resolve(slot);
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        this.#waiting.delete(give);
        reject(signal.reason);
      };
      const give = (free: Slot): void => {
        signal.removeEventListener('abort', abort);
        resolve(free);
      };
      this.#waiting.add(give);
      signal.addEventListener('abort', abort, { once: true });
      this.onWait?.();
    });
  }

  release(slot: Slot): void {
    const [next] = this.#waiting;
    if (next) {
      this.#waiting.delete(next);
      next(slot);
    } else this.#free.push(slot);
  }
}

function align(pointer: number): number {
  return Math.ceil(pointer / 4096) * 4096;
}
