import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Field, Fields, Settings } from '../../spec/fields.ts';
import type { Log } from '../../spec/node.ts';

export class TestLog implements Log {
  readonly infos: string[] = [];
  readonly warnings: string[] = [];
  info(message: string): void {
    this.infos.push(message);
  }
  warn(message: string): void {
    this.warnings.push(message);
  }
}

/** Settings with the defaults of their fields. */
export function withDefaults<F extends Fields>(fields: F, given: Partial<Settings<F>>): Settings<F> {
  const defaults = Object.entries(fields).map(([name, field]: [string, Field<unknown>]) => [name, field.default]);
  return { ...Object.fromEntries(defaults), ...given } as Settings<F>;
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reef-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A view over shared memory, as sinks get it. */
export function sharedBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(new SharedArrayBuffer(Buffer.byteLength(text)));
  bytes.set(Buffer.from(text));
  return bytes;
}
