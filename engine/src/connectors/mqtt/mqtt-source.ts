/**
 * Takes messages and acknowledges them when they are delivered. Reading, signs of life and acknowledgements go on whatever waits:
 * what cannot be fed at once is held, up to a bound, and beyond that no more is read.
 */
import { backoff } from '../../delivery/backoff.ts';
import { ReefError } from '../../errors.ts';
import type { ClientTlsContext } from '../../net/client-tls.ts';
import type { Feed, SettledStretch } from '../../spec/feed.ts';
import { RecordWriter } from '../../spec/record-writer.ts';
import type { Source, SourceContext } from '../../spec/source.ts';
import { Acknowledgements } from './acknowledgements.ts';
import type { Packet, PacketLibrary, PublishPacket } from './client.ts';
import { Connection, problem } from './connection.ts';
import { JSON_COLUMNS, MessageValues } from './message-values.ts';
import { isPermanentForFilter, reasonText } from './reason-codes.ts';
import type { settings } from './source-settings.ts';
import { NamedParts, parseFilter, type TopicFilter } from './topic-filter.ts';

export interface MqttSourceParts {
  readonly context: SourceContext<typeof settings>;
  readonly clientId: string;
  readonly library: PacketLibrary;
  readonly tls: ClientTlsContext | undefined;
}

/** Held beyond these, no more is read. */
const MOST_HELD_BYTES = 1024 * 1024;
const SUBSCRIBE_ID = 1;
/** A connection that has lasted so long was a good one. */
const STEADY_MS = 5000;
const RETAINED = { send: 0, new: 1, ignore: 2 } as const;

export class MqttSource implements Source {
  readonly #parts: MqttSourceParts;
  readonly #filters: readonly TopicFilter[];
  readonly #values: MessageValues;
  readonly #acks = new Acknowledgements();
  /** Came while there was no memory; fed before anything else. */
  #held: PublishPacket[] = [];
  #heldBytes = 0;
  #feeding = false;
  #writer: RecordWriter | undefined;
  #connection: Connection | undefined;
  /** Messages since the start; numbers them, so that no two runs number them alike. */
  #position = 0;
  #duplicates = 0;
  #stopping = false;
  #subscribed: ((error?: Error) => void) | undefined;
  #lost: (error: ReefError | undefined) => void = () => {};

  constructor(parts: MqttSourceParts) {
    this.#parts = parts;
    this.#filters = parts.context.settings.topics.map(parseFilter);
    this.#values = new MessageValues(new NamedParts(this.#filters));
  }

  async run(feed: Feed, signal: AbortSignal): Promise<void> {
    this.#writer ??= this.#open(feed);
    const { context } = this.#parts;
    signal.addEventListener('abort', () => this.#stop(), { once: true });
    context.hindered('is not connected yet');
    for (let attempt = 0; !signal.aborted; attempt++) {
      let reachedAt = Number.POSITIVE_INFINITY;
      try {
        const lost = await this.#connect(signal);
        reachedAt = performance.now();
        context.hindered();
        if (attempt > 0) context.log.info(`source "${context.id}" is connected again`);
        const error = await lost;
        if (signal.aborted) return;
        throw error ?? problem('the connection is closed');
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ReefError) || !error.retry) throw error;
        context.hindered(error.message);
        // One that is lost at once may be lost again: two clients with one client_id, say.
        if (performance.now() - reachedAt > STEADY_MS) attempt = 0;
        // The first time, and at every doubling.
        if ((attempt & (attempt - 1)) === 0)
          context.log.warn(
            `Cannot read from ${context.settings.url} (source "${context.id}", try ${attempt + 1}): ${error.message}; it is tried again`,
          );
        await backoff(attempt, signal).catch(() => {});
      }
    }
  }

  async close(): Promise<void> {
    const { context, library } = this.#parts;
    this.#stop();
    if (this.#duplicates > 0)
      context.log.info(`source "${context.id}" had ${this.#duplicates} messages that the server may have sent before`);
    this.#acknowledge();
    const protocolVersion = context.settings.protocol_version;
    const properties = context.settings.clean_session ? { sessionExpiryInterval: 0 } : {};
    const leave = library.generate({ cmd: 'disconnect', reasonCode: 0, properties }, { protocolVersion });
    await this.#connection?.close(leave);
  }

  #open(feed: Feed): RecordWriter {
    const { codec, settings: given } = this.#parts.context;
    this.#position = Date.now() * 1000;
    return new RecordWriter(feed, 'messages', {
      offset: this.#position,
      records: { columns: this.#values.columns, rows: given.rows },
      json: codec.name === 'json',
      raw: codec.name === 'raw',
      jsonColumns: JSON_COLUMNS,
      settled: (stretch) => this.#settled(stretch),
    });
  }

  /** Resolves once subscribed, with what resolves when the connection is lost. */
  async #connect(signal: AbortSignal): Promise<Promise<ReefError | undefined>> {
    const { context, clientId, library, tls } = this.#parts;
    const { settings: given, log, id } = context;
    const lost = new Promise<ReefError | undefined>((resolve) => {
      this.#lost = resolve;
    });
    const connection = await Connection.open(
      {
        settings: given,
        clientId,
        library,
        tls,
        // Within a run messages that are on their way need not be forgotten.
        cleanStart: given.clean_session && (this.#connection === undefined || given.protocol_version === 4),
        sessionExpirySecs: given.session_expiry_secs,
        receiveMaximum: given.max_in_flight,
        maxPacketBytes: given.max_packet_bytes,
      },
      {
        connected: (opened) => {
          this.#connection = opened;
          this.#acks.reconnected(opened.connack.sessionPresent);
          this.#keepHeld(opened.connack.sessionPresent);
        },
        packet: (packet) => this.#take(packet),
        read: () => this.#read(),
        closed: (error) => {
          this.#subscribed?.(error ?? problem('the connection is closed'));
          this.#lost(error);
        },
      },
      signal,
    );
    const { sessionPresent, properties } = connection.connack;
    const subscribed = new Promise<void>((resolve, reject) => {
      this.#subscribed = (error) => (error ? reject(error) : resolve());
    });
    connection.write(library.generate(this.#subscription(), { protocolVersion: given.protocol_version }));
    const timer = setTimeout(
      () => connection.fail(problem(`it has not answered SUBSCRIBE within ${given.connect_timeout_secs} s`)),
      given.connect_timeout_secs * 1000,
    );
    try {
      await subscribed;
    } catch (error) {
      if (!this.#stopping) connection.fail(problem('it does not take the subscription'));
      throw error;
    } finally {
      clearTimeout(timer);
      this.#subscribed = undefined;
    }
    log.info(
      `source "${id}" reads from ${given.url} as "${properties?.assignedClientIdentifier ?? clientId}"${sessionPresent ? ', whose session the server had kept' : ''}`,
    );
    return lost;
  }

  /** What is held was not acknowledged: with the session it comes again, without it nobody else has it. */
  #keepHeld(sessionPresent: boolean): void {
    this.#held = this.#held.flatMap((packet) => (packet.qos === 0 || !sessionPresent ? [{ ...packet, qos: 0 as const }] : []));
    this.#heldBytes = this.#held.reduce((sum, { payload }) => sum + payload.length, 0);
  }

  #subscription(): Packet {
    const { settings: given } = this.#parts.context;
    const five = given.protocol_version === 5;
    return {
      cmd: 'subscribe',
      messageId: SUBSCRIBE_ID,
      subscriptions: this.#filters.map(({ filter }) => ({
        topic: filter,
        qos: given.qos as 0 | 1 | 2,
        ...(five ? { nl: given.no_local, rap: given.retain_as_published, rh: RETAINED[given.retained] } : {}),
      })),
    };
  }

  #take(packet: Packet): void {
    switch (packet.cmd) {
      case 'publish':
        this.#message(packet);
        break;
      case 'pubrel':
        this.#connection?.write(this.#acks.released(packet.messageId!));
        break;
      case 'suback':
        this.#subscribed?.(this.#refusedFilters(packet.granted as number[], packet.properties?.reasonString));
        break;
    }
  }

  #refusedFilters(granted: readonly number[], said: string | undefined): ReefError | undefined {
    const { context } = this.#parts;
    const refused = granted.flatMap((code, at) => (code >= 128 ? [{ code, topic: context.settings.topics[at] }] : []));
    if (refused.length === 0) return undefined;
    const what = refused.map(({ code, topic }) => `"${topic}" (${reasonText(code, said)})`).join(', ');
    const permanent = refused.some(({ code }) => isPermanentForFilter(code));
    return new ReefError(
      permanent ? 'config' : 'io',
      permanent
        ? `Cannot subscribe to ${what} (source "${context.id}"): the server refuses it for good`
        : `it refuses the subscription to ${what}`,
      { retry: !permanent },
    );
  }

  #message(packet: PublishPacket): void {
    // What comes while the punchline stops is not acknowledged, so it comes again.
    if (this.#stopping) return;
    if (packet.dup) {
      this.#duplicates++;
      this.#parts.context.count('duplicates_total');
    }
    if (this.#feeding || this.#held.length > 0) this.#hold(packet);
    else void this.#feed(packet);
  }

  #hold(packet: PublishPacket): void {
    this.#held.push(packet);
    this.#heldBytes += packet.payload.length;
    this.#limit();
  }

  /** No more is read while too much waits. */
  #limit(): void {
    const { settings: given } = this.#parts.context;
    const full = this.#acks.waiting + this.#held.length >= given.max_in_flight && given.protocol_version === 4;
    if (full || this.#heldBytes > MOST_HELD_BYTES) this.#connection?.pause();
    else if (!this.#stopping) this.#connection?.resume();
  }

  /** Returns a promise only where memory is scarce. */
  #feed(packet: PublishPacket): Promise<void> | undefined {
    const { qos, retain, messageId = 0, topic, payload } = packet;
    if (qos > 0 && this.#acks.again(messageId, qos)) return undefined;
    const writer = this.#writer!;
    if (retain && this.#parts.context.settings.retained === 'ignore' && !this.#parts.context.settings.retain_as_published) {
      if (qos > 0) this.#acks.add(messageId, qos, writer.offset);
      return undefined;
    }
    const waits = writer.add(this.#position, this.#values.of(packet, topic), payload as Buffer);
    // Lines are numbered by their bytes.
    this.#position += this.#parts.context.settings.rows === 'lines' ? payload.length + 1 : 1;
    if (qos > 0) this.#acks.add(messageId, qos, writer.offset);
    if (!waits) return undefined;
    this.#feeding = true;
    return waits.then(
      () => {
        this.#feeding = false;
        this.#unhold();
      },
      // The engine stops; it says so by its signal as well.
      () => {},
    );
  }

  /** Feeds what is held, as far as there is memory. */
  #unhold(): void {
    let fed = 0;
    while (fed < this.#held.length && !this.#feeding) {
      const packet = this.#held[fed++]!;
      this.#heldBytes -= packet.payload.length;
      void this.#feed(packet);
    }
    this.#held.splice(0, fed);
    this.#read();
  }

  /** What has come so far is fed. */
  #read(): void {
    if (!this.#feeding) this.#writer?.flush();
    this.#acknowledge();
  }

  #settled({ end }: SettledStretch): void {
    this.#acks.delivered(end);
    this.#acknowledge();
  }

  #acknowledge(): void {
    const packets = this.#acks.take();
    if (packets) this.#connection?.write(packets);
    this.#limit();
  }

  #stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#held = [];
    this.#heldBytes = 0;
    if (!this.#feeding) this.#writer?.flush();
    // What is in the connection's way must not hold up the server's answers.
    this.#connection?.resume();
    this.#subscribed?.(problem('the punchline stops'));
    this.#lost(undefined);
  }
}
