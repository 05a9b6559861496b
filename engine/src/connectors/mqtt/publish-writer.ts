/**
 * Writes many PUBLISH packets into one piece of memory: a bulk is one write. (mqtt-packet makes an object, a dozen small writes and a
 * copy of each.)
 */

export interface PublishOptions {
  readonly five: boolean;
  readonly qos: number;
  readonly retain: boolean;
  readonly contentType: string | undefined;
  readonly expirySecs: number | undefined;
}

export interface Message {
  readonly topic: Uint8Array;
  readonly payload: Uint8Array;
  /** Of this message alone, in the form of MQTT 5; may be empty. */
  readonly properties: Uint8Array;
}

const EXPIRY = 0x02;
const CONTENT_TYPE = 0x03;
const USER_PROPERTY = 0x26;
const DUP = 0x08;

export class PublishWriter {
  readonly #five: boolean;
  readonly #qos: number;
  readonly #first: number;
  /** Properties that all messages have. */
  readonly #properties: Uint8Array;

  constructor({ five, qos, retain, contentType, expirySecs }: PublishOptions) {
    this.#five = five;
    this.#qos = qos;
    this.#first = 0x30 | (qos << 1) | (retain ? 1 : 0);
    const parts: Buffer[] = [];
    if (expirySecs !== undefined) {
      const expiry = Buffer.alloc(5);
      expiry[0] = EXPIRY;
      expiry.writeUInt32BE(expirySecs, 1);
      parts.push(expiry);
    }
    if (contentType !== undefined) parts.push(Buffer.from([CONTENT_TYPE]), lengthAndText(contentType));
    this.#properties = Buffer.concat(parts);
  }

  /** Bytes of the whole packet. */
  size(message: Message): number {
    const remaining = this.#remaining(message);
    return 1 + variableLength(remaining) + remaining;
  }

  /** Returns where the packet ends. */
  write(out: Buffer, from: number, message: Message, { id, again }: { readonly id: number; readonly again: boolean }): number {
    const { topic, payload, properties } = message;
    out[from] = this.#first | (again ? DUP : 0);
    let at = putVariable(out, from + 1, this.#remaining(message));
    at = out.writeUInt16BE(topic.length, at);
    out.set(topic, at);
    at += topic.length;
    if (this.#qos > 0) at = out.writeUInt16BE(id, at);
    if (this.#five) {
      at = putVariable(out, at, this.#properties.length + properties.length);
      out.set(this.#properties, at);
      out.set(properties, at + this.#properties.length);
      at += this.#properties.length + properties.length;
    }
    out.set(payload, at);
    return at + payload.length;
  }

  #remaining({ topic, payload, properties }: Message): number {
    const length = 2 + topic.length + (this.#qos > 0 ? 2 : 0) + payload.length;
    if (!this.#five) return length;
    const own = this.#properties.length + properties.length;
    return length + variableLength(own) + own;
  }
}

/** `text` in UTF-8 of a property of this name. */
export function userProperty(name: string, text: string): Buffer {
  return Buffer.concat([Buffer.from([USER_PROPERTY]), lengthAndText(name), lengthAndText(text)]);
}

function lengthAndText(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function variableLength(value: number): number {
  return value < 128 ? 1 : value < 16_384 ? 2 : value < 2_097_152 ? 3 : 4;
}

function putVariable(out: Buffer, from: number, value: number): number {
  let at = from;
  let rest = value;
  while (rest >= 128) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}
