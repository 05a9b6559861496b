/** All rows to one file. Its position is its length: what a crash left behind the last checkpoint is cut off at the next start. */

import type { ChunkEncoder } from '../../codecs/chunk-encoder.ts';
import type { Log } from '../../spec/node.ts';
import type { Sink, SinkChunk, SinkPosition } from '../../spec/sink.ts';
import { fileError } from './file-error.ts';
import { WrittenFile } from './written-file.ts';

export type SyncPolicy = 'checkpoint' | 'write' | 'never';

export interface SingleFileOptions {
  readonly id: string;
  readonly path: string;
  readonly mode: 'append' | 'overwrite';
  readonly encoder: ChunkEncoder;
  readonly sync: SyncPolicy;
  readonly resume: SinkPosition | undefined;
  readonly log: Log;
}

/** The {@link SinkPosition} of a file. `dev` is for people: it may change when a machine starts again. */
interface Standing {
  readonly length: number;
  readonly ino: number;
  readonly dev: number;
}

export async function openSingleFile(options: SingleFileOptions): Promise<Sink> {
  const { id, path } = options;
  const subject = `file sink "${id}"`;
  const file = await WrittenFile.open(path, subject).catch((error: unknown) => {
    throw fileError(`open ${subject}`, path, error, 'config');
  });
  try {
    await bringToStart(file, options);
  } catch (error) {
    await file.close();
    throw fileError(`open ${subject}`, path, error, 'config');
  }
  return new SingleFile(file, options);
}

/** Brings the file to where writing goes on. */
async function bringToStart(file: WrittenFile, { mode, encoder, resume, log }: SingleFileOptions): Promise<void> {
  const { path, length: size } = file;
  const remembered = resume as unknown as Partial<Standing> | undefined;
  if (remembered !== undefined) {
    const length = remembered.length ?? 0;
    if (remembered.ino === file.ino && size >= length) {
      if (size === length) return;
      await file.truncate(length);
      log.info('Cut back what came after the last checkpoint', { path, bytes: size - length });
      return;
    }
    const problem = remembered.ino === file.ino ? `has only ${size} of the ${length} bytes` : 'is another file than the one';
    log.warn(`File ${path} ${problem} that the last run wrote: goes on at its end, earlier rows may be missing`);
  } else if (mode === 'overwrite') {
    await file.truncate(0);
    return;
  }
  await file.expectCompression(encoder.compression);
  if (encoder.compression === undefined && encoder.lines) await file.endLastLine();
}

class SingleFile implements Sink {
  readonly #file: WrittenFile;
  readonly #encoder: ChunkEncoder;
  readonly #policy: SyncPolicy;

  constructor(file: WrittenFile, { encoder, sync }: SingleFileOptions) {
    this.#file = file;
    this.#encoder = encoder;
    this.#policy = sync;
  }

  async write(chunk: SinkChunk): Promise<SinkPosition> {
    const [position] = await this.writeAll([chunk]);
    return position!;
  }

  async writeAll(chunks: readonly SinkChunk[]): Promise<readonly SinkPosition[]> {
    const file = this.#file;
    const { ino, dev } = file;
    const pieces: Uint8Array[] = [];
    let { length } = file;
    const positions: SinkPosition[] = [];
    for (const { bytes } of chunks) {
      const encoded = await this.#encoder.encode([bytes], length === 0);
      for (const piece of encoded) length += piece.length;
      pieces.push(...encoded);
      positions.push({ length, ino, dev });
    }
    await file.append(pieces);
    if (this.#policy === 'write') await file.sync();
    return positions;
  }

  position(): SinkPosition {
    const { length, ino, dev } = this.#file;
    return { length, ino, dev };
  }

  async sync(): Promise<void> {
    if (this.#policy !== 'never') await this.#file.sync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
