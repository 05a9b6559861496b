import { allBut } from '../testing/conformance/checks.ts';
import { sinkConforms } from '../testing/conformance/conforms.ts';

sinkConforms({
  type: 'blackhole',
  open: () => ({ settings: () => ({}), read: async () => [], keepsNothing: true }),
  except: allBut(['handles'], 'It throws rows away, as its name says.'),
});
