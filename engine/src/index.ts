/** What code outside the engine may use: everything needed to write sources, functions and sinks of one's own. */
export type { Batch, Column, ColumnData, ReadOptions } from './batch/batch.ts';
export { ValueKind } from './batch/batch.ts';
export type { ReefErrorCode, ReefErrorOptions } from './errors.ts';
export { ReefError } from './errors.ts';
export { bulkLimits, bulkSettings } from './spec/bulk-settings.ts';
export type { Requires } from './spec/client-libraries.ts';
export type { ColumnDeclaration, ColumnType } from './spec/column-type.ts';
export { feedBytes } from './spec/feed-bytes.ts';
export type { Field, Fields, Settings } from './spec/fields.ts';
export { choice, flag, group, integer, json, list, map, number, secret, text } from './spec/fields.ts';
export type {
  AdvanceOptions,
  AnySink,
  BatchFunction,
  Bulk,
  BulkLimits,
  BulkSink,
  Feed,
  FunctionContext,
  FunctionSpec,
  Log,
  NodeExample,
  NodeSpec,
  OpenContext,
  PartitionFeed,
  PartitionOptions,
  Position,
  PrepareContext,
  ProbeContext,
  RefusedRow,
  RowTexts,
  SettingIssue,
  SettledStretch,
  Sink,
  SinkChunk,
  SinkContext,
  SinkPosition,
  SinkSpec,
  Source,
  SourceContext,
  SourceSpec,
  Undelivered,
} from './spec/node.ts';
export { batchFunction, bulkSink, sink, source } from './spec/node.ts';
export type { Codec, Json, PunchlineKind } from './spec/plan.ts';
export { RecordWriter, type RecordWriterOptions } from './spec/record-writer.ts';
export type { RecordLayout, RecordValue } from './spec/records.ts';
