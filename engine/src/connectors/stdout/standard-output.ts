import { type ByteWriter, openByteWriter } from './byte-writer.ts';

/**
 * Writers of standard output (1) and standard error (2), one of each in a process: two sinks that print share it, so that
 * neither cuts the other's rows.
 */
const writers = new Map<1 | 2, Promise<ByteWriter>>();

export function openStandardOutput(fd: 1 | 2 = 1): Promise<ByteWriter> {
  let writer = writers.get(fd);
  if (writer === undefined) {
    writer = openByteWriter(fd, fd === 1 ? 'standard output' : 'standard error').then(inTurn);
    writers.set(fd, writer);
  }
  return writer;
}

function inTurn(writer: ByteWriter): ByteWriter {
  let last: Promise<void> = Promise.resolve();
  return {
    write(bytes) {
      const next = last.then(() => writer.write(bytes));
      last = next.catch(() => {});
      return next;
    },
    close: () => last,
  };
}
