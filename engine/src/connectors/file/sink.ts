/**
 * Writes rows to a file, and knows at every moment up to which byte the file is right: a chunk that fails half-way is cut off
 * again, and what a crash left behind the last checkpoint is cut off at the next start. So no row is torn and none is lost.
 *
 * Bytes go out at stated positions, straight from shared memory: a file has one writer.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ReefError } from '../../errors.ts';
import { choice, text } from '../../spec/fields.ts';
import { type Sink, type SinkChunk, type SinkContext, type SinkPosition, sink } from '../../spec/node.ts';
import { writerSink } from '../stdout/sink.ts';
import { openStandardOutput } from '../stdout/standard-output.ts';
import { claim, type Release } from './claims.ts';
import { errorNumber, fileError } from './file-error.ts';
import { openSpecialFile } from './special-file.ts';

const settings = {
  path: text(
    'The file to write; a relative path starts at the folder of the punchline. Missing folders are created. Devices and named pipes work too.',
  ),
  mode: choice(
    ['append', 'overwrite'],
    'What a fresh start does with a file that is there: `append` writes behind it (after a newline if it does not end with one), `overwrite` empties it. The default is `overwrite` in a BatchPunchline and `append` in a StreamPunchline. A start that resumes a run goes on where that run was.',
    { optional: true },
  ),
};

type Context = SinkContext<typeof settings>;

export default sink({
  summary: 'Writes rows to a file, one per line.',
  settings,
  codecs: ['json', 'line'],
  delivery:
    'At least once: the length of the file is saved with every checkpoint, and after a crash the file is cut back to that length, so no line is torn. With one partition (one input file) no row appears twice; with several, rows of one that were not yet committed may.',
  security:
    'It writes wherever the rights of the process allow: `path` comes from the punchline, not from rows. Files are made with the rights that the umask leaves.',
  examples: [
    { title: 'JSON lines beside the punchline', yaml: 'id: out\nkind: sink\ntype: file\nsettings:\n  path: out.jsonl\n' },
    {
      title: 'Write behind what is there',
      yaml: 'id: archive\nkind: sink\ntype: file\nsettings:\n  path: /var/log/archive.jsonl\n  mode: append\n',
      needs: 'the right to write there',
    },
  ],
  open: openFileSink,
});

async function openFileSink(context: Context): Promise<Sink> {
  const path = resolve(context.folder, context.settings.path);
  if (path === '/dev/stdout') return writerSink(await openStandardOutput(1));
  if (path === '/dev/stderr') return writerSink(await openStandardOutput(2));
  const action = `open file sink "${context.id}"`;
  try {
    const found = await stat(path).catch((error: unknown) => {
      if (errorNumber(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (found !== undefined && !found.isFile() && !found.isDirectory()) {
      return openSpecialFile(path, `file sink "${context.id}" (${path})`, found.isFIFO());
    }
    if (found === undefined) await mkdir(dirname(path), { recursive: true });
    // No O_APPEND: it makes the system ignore the position of a write.
    const handle = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o666);
    let release: Release | undefined;
    try {
      // Before anything of it is changed.
      release = claim(path, await handle.stat({ bigint: true }), { owner: `file sink "${context.id}"`, writes: true });
      const { size, ino, dev } = await handle.stat();
      const length = await startingLength(context, handle, { path, size, ino });
      return new FileSink(context.id, path, handle, { length, ino, dev, created: found === undefined, release });
    } catch (error) {
      release?.();
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw fileError(action, path, error, 'config');
  }
}

/** Brings the file to where writing goes on, and returns that length. */
async function startingLength(
  context: Context,
  handle: FileHandle,
  file: { readonly path: string; readonly size: number; readonly ino: number },
): Promise<number> {
  const { path, size } = file;
  const remembered = context.resume as unknown as Partial<Standing> | undefined;
  if (remembered !== undefined) {
    const length = remembered.length ?? 0;
    if (remembered.ino === file.ino && size >= length) {
      if (size > length) {
        await handle.truncate(length);
        context.log.info('Cut back what came after the last checkpoint', { path, bytes: size - length });
      }
      return length;
    }
    const problem = remembered.ino === file.ino ? `has only ${size} of the ${length} bytes` : 'is another file than the one';
    context.log.warn(`File ${path} ${problem} that the last run wrote: goes on at its end, earlier rows may be missing`);
    return endOfLastLine(handle, path, size);
  }
  const mode = context.settings.mode ?? (context.punchlineKind === 'BatchPunchline' ? 'overwrite' : 'append');
  if (mode === 'append') return endOfLastLine(handle, path, size);
  await handle.truncate(0);
  return 0;
}

/** A file that someone else left without a last newline gets one, so that their line and ours stay apart. */
async function endOfLastLine(handle: FileHandle, path: string, size: number): Promise<number> {
  if (size === 0) return 0;
  const last = Buffer.alloc(1);
  try {
    await using reader = await open(path, 'r');
    await reader.read(last, 0, 1, size - 1);
  } catch (error) {
    // It may be written but not read: a blank line does less harm than two rows in one line.
    if (errorNumber(error) !== 'EACCES') throw error;
  }
  if (last[0] === 0x0a) return size;
  await handle.write('\n', size);
  return size + 1;
}

/** The {@link SinkPosition} of a file. `dev` is for people: it may change when a machine starts again. */
interface Standing {
  readonly length: number;
  readonly ino: number;
  readonly dev: number;
}

class FileSink implements Sink {
  readonly #subject: string;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #ino: number;
  readonly #dev: number;
  #length: number;
  #torn = false;
  /** The name of a file just made is safe only when its folder has been synced as well. */
  #nameSynced: boolean;

  readonly #release: Release;

  constructor(
    id: string,
    path: string,
    handle: FileHandle,
    start: Standing & { readonly created: boolean; readonly release: Release },
  ) {
    this.#subject = `file sink "${id}"`;
    this.#path = path;
    this.#handle = handle;
    this.#length = start.length;
    this.#ino = start.ino;
    this.#dev = start.dev;
    this.#nameSynced = !start.created;
    this.#release = start.release;
  }

  async write({ bytes }: SinkChunk): Promise<SinkPosition> {
    try {
      if (this.#torn) await this.#cutBack();
      for (let done = 0; done < bytes.length; ) {
        this.#torn = true;
        done += (await this.#handle.write(bytes, done, bytes.length - done, this.#length + done)).bytesWritten;
      }
      this.#torn = false;
    } catch (error) {
      if (this.#torn) await this.#cutBack().catch(() => {});
      throw fileError(`write to ${this.#subject}`, this.#path, error);
    }
    this.#length += bytes.length;
    return this.position();
  }

  position(): SinkPosition {
    return { length: this.#length, ino: this.#ino, dev: this.#dev };
  }

  /**
   * Not to be tried again when it fails: the system may have dropped the pages that it could not write, and would then report
   * success. The next start takes them from the last checkpoint.
   */
  async sync(): Promise<void> {
    try {
      await this.#handle.datasync();
      if (!this.#nameSynced) {
        await using folder = await open(dirname(this.#path), 'r');
        await folder.sync();
        this.#nameSynced = true;
      }
    } catch (error) {
      throw new ReefError('io', `Cannot make ${this.#subject} safe: ${this.#path}: ${(error as Error).message}`, {
        cause: error,
      });
    }
    if ((await this.#handle.stat()).nlink === 0) {
      throw new ReefError(
        'io',
        `Cannot write to ${this.#subject}: ${this.#path} was deleted while it was written, expected it to stay`,
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
}
