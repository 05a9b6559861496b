import type { Row } from '../testing/conformance/rows.ts';
import { LineCutter } from './line-cutter.ts';
import { socketsConform } from './testing/sockets-conform.ts';

const LONGEST = 16 * 1024 * 1024;
const line = (row: Row): Buffer => Buffer.from(`${JSON.stringify(row)}\n`);

socketsConform({
  type: 'socket',
  datagram: line,
  frame: line,
  newCutter: () => new LineCutter(LONGEST),
  rowOf: (message) => JSON.parse(message) as Row,
  begun: '{"n":',
  endless: { head: '{"n":"', piece: Buffer.alloc(256 * 1024, 'x') },
});
