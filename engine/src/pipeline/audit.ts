/** What the audit log holds of a run: the configuration and the code that became active, and how it ended. */
import { readFile } from 'node:fs/promises';
import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FunctionSpec } from '../spec/function.ts';
import type { Log } from '../spec/node.ts';
import type { Json, Punchline } from '../spec/plan.ts';
import { redacted } from '../spec/secrets.ts';
import { appendAudit, sha256 } from '../state/audit-log.ts';
import type { State } from '../state/state.ts';
import type { PreparedFunction } from '../worker/protocol.ts';
import type { SpecifiedNode } from './plan-worker.ts';

/** What only whoever started the run knows. */
export interface AuditFacts {
  readonly reefVersion: string;
  /** SHA-256 of the punchline's file as it was read. */
  readonly fileSha256: string;
}

export interface Active {
  readonly punchline: Punchline;
  readonly specs: ReadonlyMap<string, SpecifiedNode>;
  /** Of each function, in the order of the plan. */
  readonly prepared: readonly PreparedFunction[];
}

export class Audit {
  readonly #state: State;
  readonly #facts: AuditFacts;
  readonly #log: Log;
  #started: number | undefined;

  constructor(state: State, facts: AuditFacts, log: Log) {
    this.#state = state;
    this.#facts = facts;
    this.#log = log;
  }

  /** Rejects with a `ReefError`: what cannot be written down must not run. */
  async started(active: Active): Promise<void> {
    const { punchline } = active;
    const { seq, torn } = await appendAudit(this.#state.folder, {
      event: 'started',
      ...this.#who(),
      after: this.#state.clean ? 'an orderly end, or nothing' : 'a kill',
      punchline: {
        name: punchline.name,
        kind: punchline.kind,
        ...(punchline.apiVersion === undefined ? {} : { apiVersion: punchline.apiVersion }),
        annotations: redactedTexts(punchline.annotations),
        file: punchline.file,
        file_sha256: this.#facts.fileSha256,
        configuration_sha256: configurationDigest(punchline),
      },
      code: await codeOf(active),
    });
    this.#started = seq;
    if (torn > 0) this.#log.warn(`A kill had torn the last entry of the audit log (${torn} bytes): entry ${seq} says so`);
  }

  /** Says in the log when it cannot be written: the run is over all the same. */
  async stopped(outcome: string, error: unknown): Promise<void> {
    if (this.#started === undefined) return;
    const reason = error === undefined ? {} : { error: redacted(error instanceof Error ? error.message : String(error)) };
    try {
      await appendAudit(this.#state.folder, {
        event: 'stopped',
        ...this.#who(),
        started: this.#started,
        outcome,
        ...reason,
      });
    } catch (problem) {
      this.#log.warn((problem as Error).message);
    }
  }

  #who(): Record<string, Json> {
    return {
      reef: this.#facts.reefVersion,
      user: userName(),
      uid: process.getuid?.() ?? -1,
      host: hostname(),
      pid: process.pid,
      state: resolve(this.#state.folder),
    };
  }
}

/** A process may run as a number that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return '';
  }
}

/**
 * Of all that the run goes by: nodes, settings and edges with their variables put in and their defaults, and what is secret left
 * out, so that a new password is no new configuration and nobody can try passwords against the digest.
 */
function configurationDigest({ kind, annotations, nodes, exit }: Punchline): string {
  const placeless = nodes.map(({ location: _, ...node }) => node);
  return sha256(redacted(JSON.stringify({ kind, annotations, nodes: placeless, exit })));
}

/** Nodes that run code which does not come with Reef. */
async function codeOf({ punchline, specs, prepared }: Active): Promise<Json[]> {
  const all: Json[] = [];
  let functions = 0;
  for (const { id, kind, type } of punchline.nodes) {
    const { value, isolated, digest } = kind === 'function' ? (prepared[functions++] ?? {}) : {};
    const spec = specs.get(id)!.spec as FunctionSpec;
    const module = isolated === undefined && kind === 'function' ? spec.moduleOf?.(value) : undefined;
    if (module) all.push({ node: id, kind, type, sha256: module.digest, from: redacted(module.from) });
    else if (isolated !== undefined) all.push({ node: id, kind, type, sha256: digest ?? '', isolated: true });
    else if (type.startsWith('file:')) {
      const path = fileURLToPath(type);
      all.push({ node: id, kind, type: 'module', sha256: sha256(await readFile(path)), from: path });
    }
  }
  return all;
}

function redactedTexts(texts: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, redacted(text)]));
}
