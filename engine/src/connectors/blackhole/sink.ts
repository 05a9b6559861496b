import { type Sink, type SinkSpec, sink } from '../../spec/sink.ts';

const spec: SinkSpec<Record<string, never>, Sink> = sink({
  summary: 'Counts rows and throws them away.',
  settings: {},
  codecs: ['json', 'line'],
  delivery: 'Every row counts as delivered at once.',
  security: 'It keeps nothing of the rows.',
  examples: [{ title: 'Measure all but the writing', yaml: 'id: out\nkind: sink\ntype: blackhole\n' }],
  payload: false,
  open({ id, log }) {
    let rows = 0;
    return {
      async write(chunk) {
        rows += chunk.rows;
        return undefined;
      },
      async close() {
        log.info(`Sink "${id}" threw ${rows} rows away`, { rows });
      },
    };
  },
});
export default spec;
