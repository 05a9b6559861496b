/** What node types count beside what every node of their kind does. */
import type { NodeDeclaration } from './node.ts';

/** Before the names that types declare, so that they meet no series of the engine. */
export const OWN_METRIC_PREFIX = 'reef_node_';

type Declared = Pick<NodeDeclaration<never>, 'metrics'>;

/** What is wrong with the names that a type declares; `undefined`: nothing. */
export function metricsIssue({ metrics = {} }: Declared): string | undefined {
  const wrong = Object.keys(metrics).find((name) => !/^[a-z][a-z0-9_]*_total$/.test(name));
  return wrong === undefined
    ? undefined
    : `its metric is ${JSON.stringify(wrong)}, expected lower-case letters, digits and "_", and "_total" at its end`;
}

/** The counter that a node is given: what its type does not declare is a mistake of its author. */
export function ownCounter({ metrics = {} }: Declared, add: (metric: string, by: number) => void) {
  return (metric: string, by = 1): void => {
    if (!Object.hasOwn(metrics, metric))
      throw new TypeError(`Cannot count ${JSON.stringify(metric)}: the type's metrics do not declare it`);
    if (!(by >= 0)) throw new RangeError(`Cannot count ${by} of ${JSON.stringify(metric)}: expected 0 or more`);
    add(metric, by);
  };
}
