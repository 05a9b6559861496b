/** The requests Produce, version 8, and InitProducerId, version 1: brokers since Kafka 2.4 speak them. */
import { WireReader, WireWriter } from '../wire.ts';

export const PRODUCE = { key: 0, version: 8 } as const;
export const INIT_PRODUCER_ID = { key: 22, version: 1 } as const;

export interface ProducedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly batch: Buffer;
}

export interface ProduceAnswer {
  readonly error: number;
  readonly message: string | undefined;
  /** Rows of the batch that are what is wrong with it. */
  readonly rows: readonly { readonly row: number; readonly message: string | undefined }[];
}

/** No partition stands in it twice. */
export function produceRequest(acks: number, timeoutMs: number, batches: readonly ProducedBatch[]): WireWriter {
  const topics = Map.groupBy(batches, ({ topic }) => topic);
  const out = new WireWriter().text(undefined).i16(acks).i32(timeoutMs);
  return out.list([...topics], ([topic, some]) => {
    out.text(topic).list(some, ({ partition, batch }) => {
      out.i32(partition).blob([batch]);
    });
  });
}

/** By `topic/partition`. */
export function readProduceResponse(bytes: Buffer): Map<string, ProduceAnswer> {
  const reader = new WireReader(bytes);
  const answers = new Map<string, ProduceAnswer>();
  reader.list(() => {
    const topic = reader.text();
    reader.list(() => {
      const partition = reader.i32();
      const error = reader.i16();
      // Offset and time of the rows, and where the log begins.
      reader.at += 24;
      const rows = reader.list(() => ({ row: reader.i32(), message: reader.text() }));
      answers.set(`${topic}/${partition}`, { error, message: reader.text(), rows });
    });
  });
  return answers;
}

export function initProducerIdRequest(): WireWriter {
  return new WireWriter().text(undefined).i32(60_000);
}

export function readInitProducerIdResponse(bytes: Buffer): {
  readonly error: number;
  readonly producerId: bigint;
  readonly epoch: number;
} {
  const reader = new WireReader(bytes, 4);
  return { error: reader.i16(), producerId: reader.i64(), epoch: reader.i16() };
}
