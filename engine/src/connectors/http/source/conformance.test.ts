import { freePort } from '../../../testing/servers/free-port.ts';
import { sourceConforms } from '../../testing/conformance/conforms.ts';
import { postRows } from '../../testing/conformance/post-rows.ts';

const listens = 'It listens: there is no server that it would connect to.';

sourceConforms({
  type: 'http',
  async open(t) {
    const port = await freePort();
    let known = 0;
    let over = false;
    t.after(() => {
      over = true;
    });
    return {
      settings: () => ({ port }),
      write: (rows) =>
        postRows(rows, {
          port,
          rowsAtOnce: 100,
          over: () => over,
          confirmed: (count) => {
            known += count;
          },
        }),
      acknowledged: async () => known,
    };
  },
  except: {
    restart: listens,
    cut: 'A client whose connection is cut has no answer and sends again: what then happens to a half request stands in its own tests.',
    absent: listens,
    silent: listens,
    password: 'Clients show passwords to it: who is refused stands in the tests of `auth`.',
    certificates: 'It shows its own certificate; which ones of clients it takes stands in the tests of `tls`.',
  },
});
