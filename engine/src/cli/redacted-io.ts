import { redacted } from '../spec/secrets.ts';
import type { CommandIo, Output } from './command-io.ts';

/** What a command says goes out without the secrets that it has read. Rows do not come this way. */
export function redactedIo(io: CommandIo): CommandIo {
  return { ...io, stdout: redactedOutput(io.stdout), stderr: redactedOutput(io.stderr) };
}

function redactedOutput(output: Output): Output {
  return {
    write: (text) => output.write(redacted(text)),
    get isTTY() {
      return output.isTTY ?? false;
    },
    get columns() {
      return output.columns;
    },
    get writableLength() {
      return output.writableLength ?? 0;
    },
    plain: output,
  };
}

let sayCrash = (text: string): unknown => process.stderr.write(`reef: ${redacted(text)}\n`);

/** The same for what ends the process unforeseen: a user's module that throws from a timer, or a mistake of Reef's. */
export function redactCrashes(): void {
  process.once('uncaughtException', (error: unknown) => {
    sayCrash(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(1);
  });
}

/** From now on `say` tells what ends the process unforeseen. */
export function crashesTo(say: (text: string) => unknown): void {
  sayCrash = say;
}
