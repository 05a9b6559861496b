/** What the kernel's `splitJson` says of a document (engine/kernel/assembly/split-json.ts). */

/** Words of its state. */
export type SplitState = [
  phase: number,
  depth: number,
  inString: number,
  escaped: number,
  rows: number,
  outEnd: number,
  error: number,
];

export const splitProblems: Readonly<Record<number, string>> = {
  1: 'is neither a JSON array nor an object',
  2: 'is not valid JSON: an element of the array is missing',
  3: 'is not valid JSON: something follows its end',
};

/** Nothing but white space was read. */
export const SPLIT_NOTHING = 0;

/** Whether the document may end there: nothing came, the array is closed, or an object is. */
export function documentEnded(phase: number): boolean {
  return phase === SPLIT_NOTHING || phase === 4 || phase === 6;
}
