import { withoutServer } from '../testing/conformance/checks.ts';
import { sourceConforms } from '../testing/conformance/conforms.ts';

sourceConforms({
  type: 'generator',
  open: () => ({
    settings: () => ({ messages_column: [{ n: '%{message_num}', text: '' }], interval: 0.1 }),
    write: async () => {},
    read: ({ n }) => ({ n: Number(n), text: '' }),
    endless: true,
  }),
  except: {
    ...withoutServer('It makes rows itself.'),
    rows: 'What its rows hold stands in the punchline.',
    acks: 'Nobody is told: it goes on at the number of the message that the checkpoint holds.',
    pressure: 'It makes a row when there is room for one.',
  },
});
