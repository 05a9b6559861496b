import { redacted } from '../spec/secrets.ts';
import type { CommandIo, Output } from './check.ts';

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
  };
}

/** The same for what ends the process unforeseen: a user's module that throws from a timer, or a mistake of Reef's. */
export function redactCrashes(): void {
  process.once('uncaughtException', (error: unknown) => {
    process.stderr.write(`reef: ${redacted(error instanceof Error ? (error.stack ?? error.message) : String(error))}\n`);
    process.exit(1);
  });
}
