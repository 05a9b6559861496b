/** What the control socket answers about rows on their way. */
import { ReefError } from '../errors.ts';
import type { RunningPunchline } from '../pipeline/running.ts';
import type { NodeKind } from '../spec/plan.ts';
import { type TapSide, tapSides } from '../spec/tap-side.ts';
import type { Answer } from './control-socket.ts';

const MOST_RATE = 1000;
const USUAL_RATE = 10;

/** A row as it is said. */
export interface TapLine {
  readonly time: string;
  readonly node: string;
  readonly side: TapSide;
  readonly id: string;
  readonly reason?: string;
  /** The row in JSON, or what was read where that is none; of a long one the beginning. */
  readonly text: string;
  /** Length of all of it. */
  readonly bytes: number;
}

/** What each kind of node has. */
const sidesOf: Readonly<Record<NodeKind, readonly TapSide[]>> = {
  source: ['after', 'rejected'],
  function: ['before', 'after', 'rejected'],
  sink: ['before', 'rejected'],
};

/**
 * `{"ask":"tap","node":"f","sides":["before"],"rate":10}`: rows until the client leaves or the punchline ends. A client that does not
 * read is left by the socket.
 */
export function tapAnswer({ nodes, taps }: Pick<RunningPunchline, 'nodes' | 'taps'>): Answer {
  return ({ node: id, sides: asked, rate }, say, signal) => {
    const node = nodes.find((one) => one.id === id);
    if (!node) {
      const ids = nodes.map((one) => one.id).join(', ');
      throw new ReefError('config', `Cannot watch node "${id}": there is none of this name, expected one of ${ids}`);
    }
    const perSecond = Number(rate ?? USUAL_RATE);
    if (!(perSecond > 0 && perSecond <= MOST_RATE))
      throw new ReefError('config', `Cannot watch node "${node.id}": rate is ${rate}, expected a number up to ${MOST_RATE}`);
    const sides = chosenSides(node.id, node.kind, asked);
    return new Promise((resolve) => {
      const unwatch = taps.watch({
        node: node.id,
        sides,
        rate: perSecond,
        row: (side, { id: rowId, reason, text, bytes }) => {
          const why = reason === undefined ? {} : { reason };
          say({ time: new Date().toISOString(), node: node.id, side, id: rowId, ...why, text, bytes } satisfies TapLine);
        },
        ended: () => {
          say({ end: 'the punchline has ended' });
          resolve();
        },
      });
      const leave = (): void => {
        unwatch();
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
    });
  };
}

function chosenSides(id: string, kind: NodeKind, asked: unknown): readonly TapSide[] {
  const there = sidesOf[kind];
  if (!Array.isArray(asked) || asked.length === 0) return there;
  const wrong = asked.find((side) => !there.includes(side as TapSide));
  if (wrong === undefined) return tapSides.filter((side) => asked.includes(side));
  throw new ReefError('config', `Cannot watch node "${id}": a ${kind} has no rows "${wrong}", expected ${there.join(' or ')}`);
}
