/**
 * The client library, `@platformatic/kafka`, by the few methods that are used of it. Connections, authentication, metadata and the
 * group protocol are its own; what carries rows (fetch, produce) is sent over its connections in our words, because it makes an
 * object of every record.
 */
export interface KafkaLibrary {
  readonly Base: new (options: ClientOptions) => KafkaClient;
  readonly Consumer: new (options: ClientOptions & ConsumerOptions) => KafkaConsumer;
  readonly Writer: { create(): KafkaWriter };
  readonly compressionsAlgorithms: Readonly<Record<'snappy' | 'lz4', SyncCompression>>;
  crc32c(bytes: Uint8Array): number;
}

interface SyncCompression {
  compressSync(bytes: Uint8Array): Uint8Array;
  decompressSync(bytes: Uint8Array): Uint8Array;
}

export interface KafkaWriter {
  append(bytes: Uint8Array): KafkaWriter;
  readonly context: { noResponse?: boolean };
}

export interface ClientOptions {
  readonly clientId: string;
  readonly bootstrapBrokers: string[];
  readonly retries: number;
  readonly retryDelay?: number;
  readonly connectTimeout?: number;
  readonly requestTimeout?: number;
  readonly metadataMaxAge?: number;
  readonly autocreateTopics?: boolean;
  readonly tls?: object;
  readonly tlsServerName?: string | boolean;
  readonly sasl?: object;
}

export interface ConsumerOptions {
  readonly groupId: string;
  readonly sessionTimeout: number;
  readonly rebalanceTimeout: number;
  readonly heartbeatInterval: number;
  /** Called before each joining: what the group is to know of us, and the last moment to let go of partitions. */
  readonly protocolsMetadata: () => Promise<Buffer>;
}

export interface KafkaConnection {
  send(
    key: number,
    version: number,
    request: () => KafkaWriter,
    parse: (correlation: number, key: number, version: number, reader: { readonly buffer: { slice(): Buffer } }) => unknown,
    requestTags: boolean,
    responseTags: boolean,
    done: (error: Error | null, response: unknown) => void,
  ): void;
  isConnected(): boolean;
}

export interface Metadata {
  readonly brokers: ReadonlyMap<number, { readonly host: string; readonly port: number }>;
  /** `id`: a topic that is made anew under its name has another. */
  readonly topics: ReadonlyMap<
    string,
    { readonly id: string; readonly partitions: readonly { readonly leader: number }[] } | undefined
  >;
}

export interface KafkaClient {
  metadata(options: { topics: string[]; forceUpdate?: boolean; autocreateTopics?: boolean }): Promise<Metadata>;
  connectToBrokers(ids: number[]): Promise<ReadonlyMap<number, KafkaConnection>>;
  close(): Promise<void>;
}

export interface Assigned {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface KafkaConsumer extends KafkaClient {
  readonly topics: { track(topic: string): boolean };
  readonly assignments: readonly Assigned[] | null;
  readonly generationId: number;
  readonly memberId: string | null;
  joinGroup(options: object): Promise<unknown>;
  leaveGroup(force: boolean): Promise<void>;
  close(force?: boolean): Promise<void>;
  findGroupCoordinator(): Promise<number>;
  listOffsets(options: {
    topics: string[];
    timestamp: bigint;
    partitions?: Record<string, number[]>;
    isolationLevel?: number;
  }): Promise<ReadonlyMap<string, readonly bigint[]>>;
  listCommittedOffsets(options: {
    topics: { topic: string; partitions: number[] }[];
  }): Promise<ReadonlyMap<string, readonly bigint[]>>;
  on(event: string, listener: (payload: never) => void): void;
}

/** The optional dependencies of Kafka nodes. */
export const requires = { '@platformatic/kafka': '2.12.1' } as const;

export async function loadLibrary(): Promise<KafkaLibrary> {
  return (await import('@platformatic/kafka')) as unknown as KafkaLibrary;
}
