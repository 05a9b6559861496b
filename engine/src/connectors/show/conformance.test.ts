import { allBut } from '../testing/conformance/checks.ts';
import { sinkConforms } from '../testing/conformance/conforms.ts';

sinkConforms({
  type: 'show',
  open: () => ({ settings: () => ({}), read: async () => [], keepsNothing: true }),
  except: allBut(['handles'], 'It shows the first rows to people; all others count as delivered.'),
});
