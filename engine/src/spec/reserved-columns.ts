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
  _ppf_mqtt_qos: 'the quality of service of an MQTT message: 0, 1 or 2',
  _ppf_mqtt_retain: 'true: the MQTT server had kept the message, or is to keep it',
  _ppf_mqtt_duplicate: 'true: the MQTT server may have sent the message before',
  _ppf_mqtt_content_type: 'what the sender of an MQTT message says that it is',
  _ppf_mqtt_response_topic: 'where the sender of an MQTT message wants an answer',
  _ppf_mqtt_correlation_data: 'what an answer to an MQTT message is to carry: text, or base64 where it is none',
  _ppf_mqtt_user_properties: 'the user properties of an MQTT message, an object; a name that comes again has a list',
};
