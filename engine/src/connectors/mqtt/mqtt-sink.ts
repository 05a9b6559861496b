/**
 * Sends rows as messages, as many unacknowledged as the server allows. A lost connection is made again once, and what was on its way
 * is sent again under its numbers; where that fails, the engine's way of sending again takes over, with its pauses and bounds.
 */
import { ReefError } from '../../errors.ts';
import type { ClientTlsContext } from '../../net/client-tls.ts';
import type { Bulk, BulkLimits, BulkSink, Undelivered } from '../../spec/bulk-sink.ts';
import { rowEndBytes } from '../../spec/plan.ts';
import type { SinkContext } from '../../spec/sink.ts';
import type { Packet, PacketLibrary } from './client.ts';
import { Connection, problem } from './connection.ts';
import { MessageHeads } from './message-heads.ts';
import { PublishWriter } from './publish-writer.ts';
import { isPermanent, reasonText } from './reason-codes.ts';
import { RowState, Shipment } from './shipment.ts';
import type { settings } from './sink-settings.ts';

export interface MqttSinkParts {
  readonly context: SinkContext<typeof settings>;
  readonly clientId: string;
  readonly limits: BulkLimits;
  readonly library: PacketLibrary;
  readonly tls: ClientTlsContext | undefined;
}

const NUMBERS = 65_535;
/** So much is written at once. */
const WRITE_BYTES = 256 * 1024;
/** MQTT 5: how long the server is to know what is on its way once the connection is gone. */
const SESSION_SECS = 3600;
/** Of servers nothing long is expected. */
const MOST_ANSWER_BYTES = 1024 * 1024;
const PUBREL = 0x62;

export class MqttSink implements BulkSink {
  readonly limits: BulkLimits;
  readonly #parts: MqttSinkParts;
  readonly #heads: MessageHeads;
  readonly #writer: PublishWriter;
  readonly #rowEnd: number;
  #connection: Connection | undefined;
  #connecting: Promise<void> | undefined;
  /** The server is to forget what it knows of this client: nothing of it is known here. */
  #fresh = true;
  /** On their way, in order. */
  #shipments: Shipment[] = [];
  /** By number of the packet. */
  readonly #shipmentOf: (Shipment | undefined)[] = [];
  readonly #rowOf = new Uint32Array(NUMBERS + 1);
  #lastId = 0;
  #inFlight = 0;
  #mostInFlight = 0;
  #mostBytes = Number.POSITIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  /** Something was acknowledged since the timer began. */
  #heard = false;
  #closed = false;

  constructor(parts: MqttSinkParts) {
    const { settings: given } = parts.context;
    this.#parts = parts;
    this.limits = parts.limits;
    this.#rowEnd = rowEndBytes(parts.context.codec);
    this.#heads = new MessageHeads(given);
    this.#writer = new PublishWriter({
      five: given.protocol_version === 5,
      qos: given.qos,
      retain: given.retain,
      contentType: given.content_type,
      expirySecs: given.message_expiry_secs,
    });
  }

  async send(bulk: Bulk, signal: AbortSignal): Promise<Undelivered | undefined> {
    const shipment = new Shipment(bulk, { ...this.#heads.of(bulk), rowEnd: this.#rowEnd });
    if (!this.#connection) {
      try {
        await this.#connect(signal);
      } catch (error) {
        throw this.#failed(error);
      }
    }
    this.#shipments.push(shipment);
    const stop = (): void => shipment.giveUp('the punchline stops');
    signal.addEventListener('abort', stop, { once: true });
    try {
      shipment.settle();
      this.#pump();
      return await shipment.finished;
    } finally {
      signal.removeEventListener('abort', stop);
      this.#shipments = this.#shipments.filter((each) => each !== shipment);
      this.#watch();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const { context, library } = this.#parts;
    const protocolVersion = context.settings.protocol_version;
    // Whatever starts next begins anew.
    const properties = { sessionExpiryInterval: 0 };
    await this.#connection?.close(library.generate({ cmd: 'disconnect', reasonCode: 0, properties }, { protocolVersion }));
  }

  /** One try, however many ask for it. */
  #connect(signal: AbortSignal): Promise<void> {
    this.#connecting ??= this.#open(signal).finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #open(signal: AbortSignal): Promise<void> {
    const { context, clientId, library, tls } = this.#parts;
    const { settings: given, id, log } = context;
    const connection: Connection = await Connection.open(
      {
        settings: given,
        clientId,
        library,
        tls,
        cleanStart: this.#fresh || given.protocol_version === 4,
        sessionExpirySecs: SESSION_SECS,
        maxPacketBytes: MOST_ANSWER_BYTES,
      },
      {
        connected: () => {},
        packet: (packet) => this.#take(packet),
        read: () => this.#pump(),
        closed: (error) => this.#lost(error),
      },
      signal,
    );
    const { sessionPresent, properties = {} } = connection.connack;
    const refusal = this.#unsuitable(properties.maximumQoS, properties.retainAvailable);
    if (refusal !== undefined) {
      this.#fresh = true;
      await connection.close(library.generate({ cmd: 'disconnect' }, { protocolVersion: given.protocol_version }));
      throw problem(refusal);
    }
    if (connection.over) throw problem('it has closed the connection');
    this.#connection = connection;
    this.#fresh = false;
    this.#inFlight = 0;
    this.#mostInFlight = Math.min(given.max_in_flight, properties.receiveMaximum ?? NUMBERS);
    this.#mostBytes = properties.maximumPacketSize ?? Number.POSITIVE_INFINITY;
    for (const shipment of this.#shipments) shipment.lost(sessionPresent);
    if (!sessionPresent) this.#shipmentOf.length = 0;
    log.info(`sink "${id}" sends to ${given.url} as "${properties.assignedClientIdentifier ?? clientId}"`);
  }

  /** What the settings ask for and the server does not have. */
  #unsuitable(maximumQoS: number | undefined, retainAvailable: boolean | undefined): string | undefined {
    const { qos, retain } = this.#parts.context.settings;
    if (maximumQoS !== undefined && qos > maximumQoS) return `it takes a QoS of at most ${maximumQoS}, and "qos" is ${qos}`;
    return retain && retainAvailable === false ? 'it keeps no messages, and "retain" is true' : undefined;
  }

  #lost(error: ReefError | undefined): void {
    if (!this.#connection) return;
    this.#connection = undefined;
    this.#watch();
    if (this.#closed || this.#shipments.length === 0) return;
    const { log, id } = this.#parts.context;
    log.warn(`sink "${id}" has lost its connection: ${error?.message ?? 'it was closed'}; what was on its way is sent again`);
    this.#connect(new AbortController().signal).then(
      () => this.#pump(),
      (failure: Error) => {
        // The same rows may then come in other bulks: what the server knows of their numbers would be wrong.
        this.#fresh = true;
        const { message } = this.#failed(failure);
        for (const shipment of this.#shipments) shipment.giveUp(message);
      },
    );
  }

  #take(packet: Packet): void {
    const id = packet.messageId ?? 0;
    const shipment = this.#shipmentOf[id];
    const row = this.#rowOf[id]!;
    if (packet.cmd !== 'puback' && packet.cmd !== 'pubrec' && packet.cmd !== 'pubcomp') return;
    const code = packet.reasonCode ?? 0;
    if (packet.cmd === 'pubrec' && code < 128) {
      if (shipment) shipment.states[row] = RowState.received;
      this.#connection?.write(Buffer.from([PUBREL, 2, id >> 8, id & 0xff]));
      return;
    }
    if (!shipment) return;
    this.#shipmentOf[id] = undefined;
    this.#inFlight--;
    this.#heard = true;
    if (code < 128 || packet.cmd === 'pubcomp') shipment.taken(row);
    else {
      const reason = `${this.#parts.context.settings.url} refuses the message: ${reasonText(code, packet.properties?.reasonString)}`;
      if (isPermanent(code)) shipment.refuse(row, reason);
      else shipment.later(row, reason);
    }
  }

  /** Writes what may be written. */
  #pump(): void {
    for (const shipment of this.#shipments) {
      while (this.#connection && this.#inFlight < this.#mostInFlight && shipment.next < shipment.bulk.rows) this.#write(shipment);
    }
    this.#watch();
  }

  /** A stretch of rows, in one write. */
  #write(shipment: Shipment): void {
    const { states, ids, bulk } = shipment;
    const { qos } = this.#parts.context.settings;
    const from = shipment.next;
    let to = from;
    let bytes = 0;
    for (let free = this.#mostInFlight - this.#inFlight; to < bulk.rows && free > 0 && bytes < WRITE_BYTES; to++) {
      const state = states[to];
      if (state === RowState.done) continue;
      if (state === RowState.unreleased) bytes += 4;
      else {
        const size = this.#writer.size(shipment.message(to));
        if (size > this.#mostBytes) {
          shipment.refuse(to, `the message has ${size} bytes, and the server takes at most ${this.#mostBytes}`);
          continue;
        }
        bytes += size;
      }
      free--;
    }
    const out = Buffer.allocUnsafe(bytes);
    const written: number[] = [];
    let at = 0;
    for (let row = from; row < to; row++) {
      const state = states[row];
      if (state === RowState.done) continue;
      if (state === RowState.unreleased) {
        at = out.writeUInt32BE(((PUBREL << 24) | (2 << 16) | ids[row]!) >>> 0, at);
        states[row] = RowState.received;
      } else {
        const again = state === RowState.unsure && qos > 0;
        if (!again && qos > 0) ids[row] = this.#newId(shipment, row);
        at = this.#writer.write(out, at, shipment.message(row), { id: ids[row]!, again });
        states[row] = RowState.sent;
      }
      if (qos === 0) written.push(row);
      else this.#inFlight++;
    }
    shipment.next = to;
    if (at === 0) return;
    // Of QoS 0 nothing is heard: what the system has taken counts as delivered.
    this.#connection!.write(out, (error) => {
      if (!error) for (const row of written) shipment.taken(row);
    });
  }

  #newId(shipment: Shipment, row: number): number {
    do this.#lastId = this.#lastId === NUMBERS ? 1 : this.#lastId + 1;
    while (this.#shipmentOf[this.#lastId] !== undefined);
    this.#shipmentOf[this.#lastId] = shipment;
    this.#rowOf[this.#lastId] = row;
    return this.#lastId;
  }

  /** A server that takes messages and never acknowledges them holds up everything: the connection is then made anew. */
  #watch(): void {
    const waits = this.#inFlight > 0 && this.#connection !== undefined && !this.#closed;
    if (waits && this.#timer !== undefined && !this.#heard) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#heard = false;
    if (!waits) return;
    const { response_timeout_secs } = this.#parts.context.settings;
    this.#timer = setTimeout(
      () => this.#connection?.fail(problem(`it has acknowledged nothing within ${response_timeout_secs} s`)),
      response_timeout_secs * 1000,
    );
  }

  #failed(error: unknown): ReefError {
    if (!(error instanceof ReefError) || !error.retry) throw error;
    const { id, settings: given } = this.#parts.context;
    return new ReefError('io', `Cannot send to ${given.url} (sink "${id}"): ${error.message}`, { cause: error, retry: true });
  }
}
