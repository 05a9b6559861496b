/** What is known of a message beside its payload, as columns. */
import type { RecordValue } from '../../spec/records.ts';
import type { PublishPacket } from './client.ts';
import type { NamedParts } from './topic-filter.ts';

const OWN = [
  '_ppf_topic',
  '_ppf_mqtt_qos',
  '_ppf_mqtt_retain',
  '_ppf_mqtt_duplicate',
  '_ppf_mqtt_content_type',
  '_ppf_mqtt_response_topic',
  '_ppf_mqtt_correlation_data',
  '_ppf_mqtt_user_properties',
];
export const JSON_COLUMNS = ['_ppf_mqtt_user_properties'];

export class MessageValues {
  readonly columns: readonly string[];
  readonly #parts: NamedParts;
  /** Written anew for each message. */
  readonly #values: RecordValue[];

  constructor(parts: NamedParts) {
    this.#parts = parts;
    this.columns = [...OWN, ...parts.columns];
    this.#values = new Array<RecordValue>(this.columns.length).fill(undefined);
  }

  /** Good until the next call. */
  of({ qos, retain, dup, properties }: PublishPacket, topic: string): readonly RecordValue[] {
    const values = this.#values;
    values[0] = topic;
    values[1] = qos;
    values[2] = retain;
    values[3] = dup;
    values[4] = properties?.contentType;
    values[5] = properties?.responseTopic;
    values[6] = properties?.correlationData && textOf(properties.correlationData);
    values[7] = properties?.userProperties && JSON.stringify(properties.userProperties);
    if (this.columns.length > OWN.length) {
      const named = this.#parts.of(topic);
      for (let part = 0; part < named.length; part++) values[OWN.length + part] = named[part];
    }
    return values;
  }
}

function textOf(bytes: Buffer): string {
  return process.getBuiltinModule('node:buffer').isUtf8(bytes) ? bytes.toString() : bytes.toString('base64');
}
