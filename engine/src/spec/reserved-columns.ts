/** Columns that the engine and its sources know of rows: they stand beside a row, and are written only where `out` declares them. */
export const RESERVED_PREFIX = '_ppf_';

/** All of them but the error table's, with what they hold. */
export const reservedColumns: Readonly<Record<string, string>> = {
  _ppf_id: 'what the row is known by: derived from its place in the source, so that a replay has the same',
  _ppf_timestamp: 'when it was read, in milliseconds since 1970',
  _ppf_local_host: 'the address that it came in at',
  _ppf_local_port: 'the port that it came in at',
  _ppf_remote_host: 'the address that it came from',
  _ppf_remote_port: 'the port that it came from',
  _ppf_topic: "the broker's topic",
  _ppf_partition_id: 'the partition of the topic',
  _ppf_partition_offset: 'the offset within the partition',
  _ppf_key: "the message's key, bytes that are no UTF-8 as base64",
  _ppf_headers: "the message's headers: a JSON object of texts, a list of texts where a name stands several times",
};
