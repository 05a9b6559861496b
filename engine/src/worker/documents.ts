/**
 * Rejected rows as documents: rows of their own, which go to an error table or the dead letters. Each says where its row came from
 * and holds it twice, as it was read and as it entered the node that rejected it.
 */
import { type ErrorDocument, rowBytes, rowHead } from '../batch/error-document.ts';
import { ArenaFullError, type Decoder, type Rejection, type RowView } from '../batch/row-batch.ts';
import { ERROR_COLUMN } from '../spec/plan.ts';
import { redacted } from '../spec/secrets.ts';
import type { ComputeRequest, ErrorTarget, WorkerPlan } from './protocol.ts';

/** Where the rows of a view came from, by row number. */
export interface Origin {
  /** The bytes as they came from the source (a copy). */
  raw(row: number): Uint8Array;
  /** Byte offset within the partition. */
  offset(row: number): number;
  /** What the row is known by. */
  position(row: number): number;
}

/** Rows that a node has rejected. */
export interface Failure {
  readonly node: string;
  readonly digest?: string;
  readonly errors: ErrorTarget;
  /** The rows as they entered the node; `undefined`: it is the source. */
  readonly entered: RowView | undefined;
  readonly rejections: readonly Rejection[];
  readonly origin: Origin;
}

export interface MadeDocuments {
  readonly view: RowView;
  /** That of the rows that the documents are about. */
  readonly origin: Origin;
}

export class Documents {
  readonly #plan: WorkerPlan;
  readonly #decoder: Decoder;
  readonly #request: ComputeRequest;
  readonly #source: string;
  readonly #idPrefix: string;

  constructor(plan: WorkerPlan, decoder: Decoder, request: ComputeRequest) {
    this.#plan = plan;
    this.#decoder = decoder;
    this.#request = request;
    this.#source = request.of ?? plan.sources[request.source]!.id;
    this.#idPrefix = `${this.#source}:${request.partition}:`;
  }

  /** `headOnly`: of long rows the documents have only the first 64 KiB. */
  make(failure: Failure, to: ErrorTarget, headOnly: boolean): MadeDocuments {
    const { rejections, origin } = failure;
    const time = new Date().toISOString();
    const lines = rejections.map((rejection) => {
      const text = JSON.stringify(this.#describe(failure, rejection, time, headOnly));
      return to ? JSON.stringify({ [ERROR_COLUMN]: text }) : text;
    });
    const rowOf = (document: number): number => rejections[document]!.row;
    const { view } = this.#decoder.decodeText(`${lines.join('\n')}\n`, {
      offset: this.#request.offset,
      positions: rejections.map(({ row }) => origin.position(row)),
      idPrefix: this.#idPrefix,
      timestamp: this.#request.timestamp,
    });
    return {
      view,
      origin: {
        raw: (document) => origin.raw(rowOf(document)),
        offset: (document) => origin.offset(rowOf(document)),
        position: (document) => origin.position(rowOf(document)),
      },
    };
  }

  /** The documents, or where the arena has no room for them and there is but one row, what fits of them. */
  makeFitting(failure: Failure, to: ErrorTarget, rows: number): MadeDocuments {
    try {
      return this.make(failure, to, false);
    } catch (error) {
      // With fewer rows it will fit; a single one is cut down to its head.
      if (!(error instanceof ArenaFullError) || rows > 1) throw error;
      return this.make(failure, to, true);
    }
  }

  #describe(
    { node, digest, entered, origin }: Failure,
    { row, reason }: Rejection,
    time: string,
    headOnly: boolean,
  ): ErrorDocument {
    const inDocument = headOnly ? rowHead : rowBytes;
    const raw = origin.raw(row);
    const truncated = this.#request.reject?.truncated;
    const asRead = truncated ? rowBytes(raw, truncated) : inDocument(raw);
    const position = origin.position(row);
    return {
      punchline: this.#plan.punchline,
      node,
      reason: redacted(reason),
      ...(digest === undefined ? {} : { digest }),
      source: this.#source,
      partition: this.#request.partition,
      position,
      id: `${this.#idPrefix}${position}`,
      time,
      origin: asRead,
      entered: entered ? inDocument(entered.encodeRow(row)) : asRead,
    };
  }
}
