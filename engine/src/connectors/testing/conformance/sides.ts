/** What a connector says of itself so that the suite can work with it: the only things that differ between connectors. */
import type { TestContext } from 'node:test';
import type { Certificate } from '../../../testing/certificates.ts';
import type { Server } from '../../../testing/servers/server.ts';
import type { TcpProxy } from '../../../testing/tcp-proxy.ts';
import type { Exceptions } from './checks.ts';
import type { ListenerCheck } from './listener-checks.ts';
import type { ReefRun } from './reef-run.ts';
import type { Row } from './rows.ts';

export type NodeSettings = Readonly<Record<string, unknown>>;

export interface SettingsOptions {
  /** Port of 127.0.0.1 that it is to connect to: something of the suite that stands before the server. Absent: no `serverPort`. */
  readonly port: number;
  /** A fault is to be noticed within a second or two: times that one waits for an answer are as short as that. */
  readonly impatient: boolean;
}

/** What both sides have; made anew for each check (a new topic, table, folder), over a server that all checks may share. */
export interface Side {
  settings(options: SettingsOptions): NodeSettings;
  /** `encoding` of the node, where it is not JSON. */
  readonly encoding?: NodeSettings | string;
  /** Where its server listens, for the suite to stand in between. */
  readonly serverPort?: number;
  /** Something that stands in between already, where a server names its own address to clients (Kafka). */
  readonly proxy?: TcpProxy;
  /** For the check `restart`. */
  readonly server?: Pick<Server, 'restart' | 'log'>;
  /** Settings with a wrong password. */
  wrongPassword?(options: SettingsOptions): NodeSettings;
  /** What the log must then say, besides words about authorisation. */
  readonly refusal?: RegExp;
  /**
   * Settings that speak TLS. `port` is in front of a server that shows `certificate`; by default it is a door of the suite's that
   * ends TLS and passes bytes on to `serverPort`. `caFile` is whom to trust. Host names are `localhost`.
   */
  tls?(options: SettingsOptions & { readonly caFile: string; readonly folder: string }): NodeSettings;
  /** For protocols that do not begin with TLS: starts a server with this certificate; resolves with its port. */
  tlsServer?(t: TestContext, certificate: Certificate): Promise<number>;
}

export interface SourceSide extends Side {
  /**
   * Gives rows to the source from outside, in order; resolves when whoever is outside is rid of them (the broker has them, the
   * request was answered). For sources that listen it goes on trying until Reef has them. `n` tells rows apart.
   */
  write(rows: readonly Row[], reef: ReefRun): Promise<void>;
  /** For the check `acks`: how many rows the other side knows to be delivered. */
  acknowledged?(reef: ReefRun): Promise<number>;
  /** What a row has become in JSON behind the source. Default: `n` and `text` as they are. */
  read?(row: Readonly<Record<string, unknown>>): Row;
  /** Rows of different partitions have no order between them. Default: one partition. */
  readonly unordered?: boolean;
  /** It makes more rows than the suite asks for: those are not looked at. Default false. */
  readonly endless?: boolean;
}

export interface SinkSide extends Side {
  /** The rows that have arrived, in order. */
  read(reef: ReefRun): Promise<readonly Row[]>;
  /** Rows may arrive in another order. Default false. */
  readonly unordered?: boolean;
  /** Nobody can tell what arrived. Default false. */
  readonly keepsNothing?: boolean;
}

interface Conforming {
  /** As `type` in a punchline: a name or a path. */
  readonly type: string;
  /** One of the ways in which it can be used, each of which goes through the suite: `udp`. Default: the usual one. */
  readonly variant?: string;
  /** Checks that do not apply, and why; the sentences stand in the docs. */
  readonly except?: Exceptions;
  /** Longest text of a row. Default 1 MB: less only where the protocol has a bound. */
  readonly longestText?: number;
  /** Bytes that the check `pressure` offers. Default 96 MB. */
  readonly pressureBytes?: number;
  /** False: results are not kept for the docs. Default true. */
  readonly documented?: boolean;
}

export interface ConformingSource extends Conforming {
  /** Whoever sends cannot be asked to wait: what finds no room is dropped, and counted. Default false. */
  readonly lossy?: boolean;
  open(t: TestContext, folder: string): Promise<SourceSide> | SourceSide;
}

export interface ConformingSink extends Conforming {
  open(t: TestContext, folder: string): Promise<SinkSide> | SinkSide;
}

/** A source that listens, for the checks of who gets in. */
export interface ConformingListener extends Omit<Conforming, 'except' | 'longestText' | 'pressureBytes'> {
  readonly except?: Partial<Readonly<Record<ListenerCheck, string>>>;
  /** Default TCP. */
  readonly transport?: 'tcp' | 'udp' | 'unix';
  /** All that a client sends for one row. */
  message(row: Row, credentials?: string): Buffer;
  /** What a row has become in JSON behind the source. Default: `n` and `text` as they are. */
  read?(row: Readonly<Record<string, unknown>>): Row;
  readonly limits: {
    /** Settings that make messages small. */
    readonly size: NodeSettings;
    /** Settings that make times short. */
    readonly time: NodeSettings;
    /** What is said of who does not end a message in that time. Default: nothing is asked for; who is closed is told it. */
    readonly said?: RegExp;
  };
  /** The beginning of a message. */
  readonly begun: string;
  /** A message that does not end: `piece` again and again. */
  readonly endless: { readonly head: string; readonly piece: Buffer };
  /** Settings that ask for credentials, those that are right, and wrong ones (`undefined`: none). */
  readonly auth?: { readonly settings: NodeSettings; readonly right: string; readonly wrong: readonly (string | undefined)[] };
  /** For tests of the suite: spoils the settings of a check. */
  alter?(settings: NodeSettings): NodeSettings;
}
