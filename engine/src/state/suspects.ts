import { readFile } from 'node:fs/promises';
import { ReefError } from '../errors.ts';
import type { Range } from './inflight.ts';
import { writeAtomically } from './write-atomically.ts';

/** Something that may have killed the process and is to be run in isolation: a range of rows, or a module or file by its digest. */
export type Suspect = { readonly kind: 'range'; readonly range: Range } | { readonly kind: 'digest'; readonly digest: string };

/** The list of suspects on disk. Each change replaces the file in one step and is safe against power loss when it resolves. */
export class Suspects {
  readonly #path: string;
  #list: readonly Suspect[];

  private constructor(path: string, list: readonly Suspect[]) {
    this.#path = path;
    this.#list = list;
  }

  static async open(path: string): Promise<Suspects> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '[]';
      throw new ReefError('state', `Cannot read suspects ${path}: ${error.message}`, { cause: error });
    });
    try {
      const list = JSON.parse(text) as Suspect[];
      if (!Array.isArray(list)) throw new TypeError('it is not a list');
      return new Suspects(path, list);
    } catch (error) {
      const problem = (error as Error).message;
      throw new ReefError('state', `Cannot use suspects ${path}: ${problem}; remove the file to forget what was isolated`, {
        cause: error,
        data: { path },
      });
    }
  }

  get list(): readonly Suspect[] {
    return this.#list;
  }

  async add(...suspects: readonly Suspect[]): Promise<void> {
    const known = new Set(this.#list.map(key));
    const fresh = suspects.filter((suspect) => !known.has(key(suspect)));
    if (fresh.length > 0) await this.replace([...this.#list, ...fresh]);
  }

  /** Puts another list in place of this one: suspects that turned out to be innocent go, ranges become narrower. */
  async replace(list: readonly Suspect[]): Promise<void> {
    await writeAtomically(this.#path, `${JSON.stringify(list, undefined, 1)}\n`, { sync: true });
    this.#list = list;
  }
}

function key(suspect: Suspect): string {
  if (suspect.kind === 'digest') return suspect.digest;
  const { source, partition, from, to, digest } = suspect.range;
  return JSON.stringify([source, partition, from, to, digest]);
}
