import { ChunkEncoder } from '../../codecs/chunk-encoder.ts';
import { type Sink, type SinkSpec, sink } from '../../spec/sink.ts';
import type { ByteWriter } from './byte-writer.ts';
import { openStandardOutput } from './standard-output.ts';

/** A sink that passes the bytes on to a writer and keeps no position: what went out cannot be taken back. */
export function writerSink(writer: ByteWriter, encoder: ChunkEncoder): Sink {
  let isStart = true;
  return {
    async write({ bytes }) {
      for (const piece of await encoder.encode([bytes], isStart)) {
        await writer.write(piece);
        isStart = false;
      }
      return undefined;
    },
    close: () => writer.close(),
  };
}

const spec: SinkSpec<Record<string, never>, Sink> = sink({
  summary: 'Writes rows to standard output, one per line.',
  settings: {},
  codecs: ['json', 'line', 'csv', 'raw'],
  delivery:
    'At least once up to the system: a row counts as delivered when it is in the pipe, file or terminal; after a crash rows since the last checkpoint are written again.',
  security: 'Rows go out as they are, control characters escaped as JSON does it: whoever sees the output sees them.',
  examples: [
    {
      title: 'For the next program in a pipe',
      yaml: 'id: out\nkind: sink\ntype: stdout\n',
      input: [
        { id: 'us1', magnitude: 6.4 },
        { id: 'us2', magnitude: 2 },
      ],
    },
  ],
  async open({ codec }) {
    return writerSink(await openStandardOutput(), new ChunkEncoder(codec, undefined));
  },
});
export default spec;
