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
