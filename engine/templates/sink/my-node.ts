import { appendFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ReefError, sink, text } from '@reef/engine';

export default sink({
  summary: 'Appends rows to a file.',
  settings: {
    path: text('The file; a relative path starts at the folder of the punchline.'),
  },
  codecs: ['json'],
  delivery: 'At least once: after a crash, rows since the last checkpoint stand there twice.',
  security: 'It writes to the file that `path` names.',
  examples: [],
  open({ id, folder, settings }) {
    const path = resolve(folder, settings.path);
    return {
      // One call at a time. It resolves when the rows are delivered; until then they are not acknowledged.
      async write({ bytes }) {
        try {
          // A copy: the memory is used again.
          await appendFile(path, Uint8Array.from(bytes));
        } catch (error) {
          // With `retry` the engine tries again, with growing pauses; without it the punchline ends.
          const retry = (error as NodeJS.ErrnoException).code === 'ENOSPC';
          throw new ReefError('io', `Cannot write to sink "${id}": ${(error as Error).message}`, { cause: error, retry });
        }
        return undefined;
      },
      async close() {},
    };
  },
});
