/** What came out of a pipeline under test, and the sinks' part of its faults. */
import { ReefError } from '../errors.ts';
import { ERROR_COLUMN } from '../spec/plan.ts';
import type { Fault, Row } from './case.ts';
import type { Taken } from './harness/collector.ts';
import { REJECTED } from './rewire.ts';
import { parseRow } from './row-text.ts';

/** An error document, as far as a test looks at it. */
export interface RejectedDocument {
  readonly node: string;
  /** Id of the node that did it in the place of `node`. */
  readonly inPlace?: string;
  readonly reason: string;
  /** Of the row: the same at every replay. */
  readonly id: string;
  /** The row as it entered the node. */
  readonly entered: { readonly text?: string; readonly base64?: string };
}

export class Gathered {
  readonly #chunks = new Map<string, Uint8Array[]>();
  readonly #rows = new Map<string, number>();
  readonly #refusals: { readonly fault: Fault & { readonly kind: 'refuse' }; left: number }[];
  readonly #restarts: (Fault & { readonly kind: 'restart' })[];
  readonly #kill: () => void;
  refused = 0;
  restarts = 0;

  /** `kill` ends the process that runs the pipeline. */
  constructor(faults: readonly Fault[], kill: () => void) {
    this.#refusals = faults.flatMap((fault) => (fault.kind === 'refuse' ? [{ fault, left: fault.times }] : []));
    this.#restarts = faults.filter((fault) => fault.kind === 'restart');
    this.#kill = kill;
  }

  /** False: the process is being killed, whoever waits for an answer gets none. */
  take({ node, bytes, rows }: Taken): boolean {
    const before = this.#rows.get(node) ?? 0;
    for (const refusal of this.#refusals) {
      const { fault } = refusal;
      if (fault.node !== node || refusal.left === 0 || before < fault.afterRows) continue;
      refusal.left--;
      this.refused++;
      throw new ReefError('io', `Cannot write to sink "${node}": the test makes it refuse`, { retry: true });
    }
    const chunks = this.#chunks.get(node) ?? [];
    this.#chunks.set(node, chunks);
    chunks.push(bytes);
    this.#rows.set(node, before + rows);
    const restart = this.#restarts.findIndex((fault) => fault.node === node && before + rows >= fault.afterRows);
    if (restart < 0) return true;
    this.#restarts.splice(restart, 1);
    this.restarts++;
    this.#kill();
    return false;
  }

  /** Faults that did not come to pass, as sentences: a test that passes without them shows nothing. */
  get unused(): string[] {
    return [
      ...this.#refusals
        .filter(({ left }) => left > 0)
        .map(({ fault, left }) => `sink "${fault.node}" was to refuse ${left} more writes`),
      ...this.#restarts.map(({ node, afterRows }) => `sink "${node}" never had ${afterRows} rows, so nothing was restarted`),
    ];
  }

  text(node: string): string {
    return Buffer.concat(this.#chunks.get(node) ?? []).toString('utf8');
  }

  rows(node: string): Row[] {
    return linesOf(this.text(node)).map(parseRow);
  }

  /** Of all nodes; `deadLetters`: the text of that file. A row that was rejected again after a restart counts once. */
  rejected(deadLetters: string, aliases: ReadonlyMap<string, string>): RejectedDocument[] {
    const inTables = this.rows(REJECTED).map((row) => String(row[ERROR_COLUMN]));
    const documents = [...inTables, ...linesOf(deadLetters)].map((text) => {
      const document = JSON.parse(text) as RejectedDocument;
      const node = aliases.get(document.node);
      return node === undefined ? document : { ...document, node, inPlace: document.node };
    });
    const seen = new Set<string>();
    return documents.filter(({ node, id }) => {
      const key = JSON.stringify([node, id]);
      return !seen.has(key) && seen.add(key);
    });
  }
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.trimEnd().split('\n');
}
