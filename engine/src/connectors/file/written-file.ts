/**
 * One file that is written to, and up to which byte it is right: what fails half-way is cut off again. Bytes go out at stated
 * positions, straight from shared memory: a file has one writer.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Compression } from '../../codecs/decompress.ts';
import { ReefError } from '../../errors.ts';
import { claim, type Release } from './claims.ts';
import { compressionByContent, mayBeZlib } from './compression.ts';
import { errorNumber, fileError } from './file-error.ts';

/** Pieces of fewer bytes in all are copied together: that costs less than asking the system for each. */
const FEW_BYTES = 256 * 1024;

export class WrittenFile {
  readonly path: string;
  readonly ino: number;
  readonly dev: number;
  /** When it was made. */
  readonly born: number;
  /** It was not there before. */
  readonly created: boolean;
  readonly #subject: string;
  readonly #handle: FileHandle;
  readonly #release: Release;
  /** The name of a file just made is safe only when its folder has been synced as well. */
  #nameSynced: boolean;
  #length: number;
  #torn = false;

  /** Opens the file, or makes it and its folders. `subject`: `file sink "out"`. Nothing of it is changed. */
  static async open(path: string, subject: string): Promise<WrittenFile> {
    let handle: FileHandle;
    let created = false;
    try {
      // No O_APPEND: it makes the system ignore the position of a write.
      handle = await open(path, constants.O_WRONLY);
    } catch (error) {
      if (errorNumber(error) !== 'ENOENT') throw error;
      await mkdir(dirname(path), { recursive: true });
      handle = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o666);
      created = true;
    }
    try {
      const stats = await handle.stat({ bigint: true });
      const release = claim(path, stats, { owner: subject, writes: true });
      const { size, ino, dev, birthtimeMs } = stats;
      return new WrittenFile(path, subject, handle, {
        length: Number(size),
        ino: Number(ino),
        dev: Number(dev),
        born: Number(birthtimeMs),
        created,
        release,
      });
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  private constructor(
    path: string,
    subject: string,
    handle: FileHandle,
    found: {
      readonly length: number;
      readonly ino: number;
      readonly dev: number;
      readonly born: number;
      readonly created: boolean;
      readonly release: Release;
    },
  ) {
    this.path = path;
    this.#subject = subject;
    this.#handle = handle;
    this.#length = found.length;
    this.ino = found.ino;
    this.dev = found.dev;
    this.born = found.born;
    this.created = found.created;
    this.#nameSynced = !found.created;
    this.#release = found.release;
  }

  get length(): number {
    return this.#length;
  }

  /** Writes behind what is there. Rejects with nothing of it in the file. */
  async append(pieces: readonly Uint8Array[]): Promise<void> {
    let length = this.#length;
    try {
      if (this.#torn) await this.#cutBack();
      for (const bytes of together(pieces)) {
        for (let done = 0; done < bytes.length; ) {
          this.#torn = true;
          done += (await this.#handle.write(bytes, done, bytes.length - done, length + done)).bytesWritten;
        }
        length += bytes.length;
      }
      this.#torn = false;
    } catch (error) {
      if (this.#torn) await this.#cutBack().catch(() => {});
      throw fileError(`write to ${this.#subject}`, this.path, error);
    }
    this.#length = length;
  }

  async truncate(length: number): Promise<void> {
    await this.#handle.truncate(length);
    this.#length = length;
  }

  /** A file that someone else left without a last newline gets one, so that their line and ours stay apart. */
  async endLastLine(): Promise<void> {
    if (this.#length === 0) return;
    const last = await this.#read(1, this.#length - 1);
    if (last !== undefined && last[0] !== 0x0a) await this.append([Buffer.from('\n')]);
  }

  /** What is there must be compressed in the way that is to follow, or nobody could read the file. */
  async expectCompression(compression: Compression | undefined): Promise<void> {
    if (this.#length === 0) return;
    const head = await this.#read(4, 0);
    if (head === undefined) return;
    const found = compressionByContent(head);
    const fits = compression === 'deflate' ? mayBeZlib(head) : found === compression;
    if (fits) return;
    const is = found === undefined ? 'not compressed' : `compressed with ${found}`;
    throw new ReefError(
      'config',
      `Cannot open ${this.#subject}: what is in ${this.path} is ${is}, expected ${compression ?? 'no compression'}, another file or mode: overwrite`,
    );
  }

  /**
   * Not to be tried again when it fails: the system may have dropped the pages that it could not write, and would then report
   * success. The next start takes them from the last checkpoint.
   */
  async sync(): Promise<void> {
    try {
      await this.#handle.datasync();
      if (!this.#nameSynced) {
        await using folder = await open(dirname(this.path), 'r');
        await folder.sync();
        this.#nameSynced = true;
      }
    } catch (error) {
      throw new ReefError('io', `Cannot make ${this.#subject} safe: ${this.path}: ${(error as Error).message}`, { cause: error });
    }
    if ((await this.#handle.stat()).nlink === 0) {
      throw new ReefError(
        'io',
        `Cannot write to ${this.#subject}: ${this.path} was deleted while it was written, expected it to stay`,
      );
    }
  }

  async close(): Promise<void> {
    this.#release();
    await this.#handle.close();
  }

  async #cutBack(): Promise<void> {
    await this.#handle.truncate(this.#length);
    this.#torn = false;
  }

  /** `undefined`: it may be written but not read. */
  async #read(length: number, position: number): Promise<Buffer | undefined> {
    try {
      await using reader = await open(this.path, 'r');
      const { buffer, bytesRead } = await reader.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    } catch (error) {
      if (errorNumber(error) !== 'EACCES') throw error;
      return undefined;
    }
  }
}

function together(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  if (pieces.length < 2) return pieces;
  const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
  return bytes > FEW_BYTES ? pieces : [Buffer.concat(pieces, bytes)];
}
