import { constants, open as openCallback } from 'node:fs';
import { promisify } from 'node:util';
import type { ChunkEncoder } from '../../codecs/chunk-encoder.ts';
import type { Sink } from '../../spec/sink.ts';
import { openByteWriter } from '../stdout/byte-writer.ts';
import { writerSink } from '../stdout/sink.ts';
import { fileError } from './file-error.ts';

/** Gives a plain descriptor, which a pipe's socket then owns; a `FileHandle` would close it a second time. */
const openDescriptor = promisify(openCallback) as (path: string, flags: number) => Promise<number>;

export interface SpecialFileOptions {
  /** For messages. */
  readonly subject: string;
  readonly isPipe: boolean;
  readonly encoder: ChunkEncoder;
}

/**
 * A device or named pipe as a sink: no length, nothing to cut back. A named pipe is opened at the first write: as long as
 * nobody reads from it that write fails, and may be tried again, instead of blocking a thread that nothing can interrupt.
 */
export async function openSpecialFile(path: string, options: SpecialFileOptions): Promise<Sink> {
  if (!options.isPipe) return openNow(path, options);
  let opened: Sink | undefined;
  return {
    async write(chunk) {
      opened ??= await openNow(path, options);
      return opened.write(chunk);
    },
    close: (outcome) => opened?.close(outcome) ?? Promise.resolve(),
  };
}

async function openNow(path: string, { subject, encoder }: SpecialFileOptions): Promise<Sink> {
  try {
    const descriptor = await openDescriptor(path, constants.O_WRONLY | constants.O_NONBLOCK);
    return writerSink(await openByteWriter(descriptor, subject), encoder);
  } catch (error) {
    throw fileError(`open ${subject}`, path, error, 'config');
  }
}
