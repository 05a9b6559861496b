/** The sink that stands for every sink of a punchline under test. */
import { text } from '../../spec/fields.ts';
import { sink } from '../../spec/sink.ts';
import { hand } from './collector.ts';

export default sink({
  summary: 'Hands its rows to the test.',
  settings: { node: text('What the test knows it by.') },
  codecs: ['json'],
  delivery: 'A row counts as delivered when the test has it.',
  examples: [],
  open: ({ settings: { node } }) => ({
    async write({ bytes, rows }) {
      await hand({ node, bytes: Uint8Array.from(bytes), rows });
      return undefined;
    },
    async close() {},
  }),
});
