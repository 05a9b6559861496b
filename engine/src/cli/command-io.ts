import type { Environment } from '../punchline/substitute.ts';

/** What a command talks to; the tests give it their own. */
export interface CommandIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: AsyncIterable<Uint8Array | string>;
  readonly env: Environment;
  readonly cwd: string;
}

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
  /** Bytes that wait for a reader. */
  readonly writableLength?: number;
  /** Takes text without secrets as it stands, where this output looks for them itself. */
  readonly plain?: Output;
}
