/**
 * What a run says, as text for people or as JSON lines for machines. Nothing here waits for who reads it: standard error takes what
 * it can, and beyond a bound of waiting bytes lines are left out and counted.
 */
import type { Log } from '../spec/node.ts';
import type { Json } from '../spec/plan.ts';
import { redacted, redactedData } from '../spec/secrets.ts';
import { shownText } from './shown-text.ts';
import type { Terminal, TextOutput } from './terminal.ts';

export const logFormats = ['text', 'json'] as const;
export const logLevels = ['info', 'warn', 'error'] as const;
export type LogFormat = (typeof logFormats)[number];
export type LogLevel = (typeof logLevels)[number];

/** Beyond so many bytes that nobody has read, lines are left out. */
export const MOST_WAITING_BYTES = 1024 * 1024;

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly punchline?: string;
  /** `node` in it is the line's own. */
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** What the run has done and cost. */
  readonly summary?: Json;
}

export interface LoggerOptions {
  readonly format: LogFormat;
  /** What is less important is left out. */
  readonly level: LogLevel;
}

export class Logger {
  readonly #terminal: Terminal;
  readonly #output: TextOutput;
  readonly #options: LoggerOptions;
  #leftOut = 0;

  constructor(terminal: Terminal, output: TextOutput, options: LoggerOptions) {
    this.#terminal = terminal;
    this.#output = output;
    this.#options = options;
  }

  get format(): LogFormat {
    return this.#options.format;
  }

  /** A log whose lines name the punchline they are about, or none: the process. */
  log(punchline?: string): Log {
    const about = punchline === undefined ? {} : { punchline };
    return {
      info: (message, data) => this.write({ level: 'info', message, ...about, data }),
      warn: (message, data) => this.write({ level: 'warn', message, ...about, data }),
    };
  }

  /** What the command itself has to say; text has no time before it. */
  say(line: LogLine): void {
    const about = line.punchline === undefined ? '' : `${line.punchline}: `;
    this.write(line, `reef: ${shownText(`${about}${line.message}`)}\n`);
  }

  /** `text`: how people see it. */
  write(line: LogLine, text?: string): void {
    const { format, level } = this.#options;
    if (logLevels.indexOf(line.level) < logLevels.indexOf(level)) return;
    if ((this.#output.writableLength ?? 0) > MOST_WAITING_BYTES) {
      this.#leftOut++;
      return;
    }
    if (this.#leftOut > 0) {
      const message = `${this.#leftOut} log lines were left out: nobody read standard error`;
      this.#leftOut = 0;
      this.write({ level: 'warn', message });
    }
    const time = new Date().toISOString();
    // The time is no secret, even where one is `2026`: it is redacted piece by piece.
    if (format === 'json') (this.#output.plain ?? this.#output).write(`${jsonLine(time, line)}\n`);
    else this.#terminal.print(text ?? `${textLine(time, line)}\n`);
  }
}

function jsonLine(time: string, { level, message, punchline, data = {}, summary }: LogLine): string {
  const { node, ...others } = data;
  return JSON.stringify({
    time,
    level,
    ...(punchline === undefined ? {} : { punchline: redacted(punchline) }),
    ...(typeof node === 'string' ? { node: redacted(node) } : {}),
    message: redacted(message),
    ...(Object.keys(others).length === 0 ? {} : { data: redactedData(others) }),
    ...(summary === undefined ? {} : { summary: redactedData(summary) }),
  });
}

/** The node, and data, only where the message does not name them anyway. */
function textLine(time: string, { level, message, punchline, data = {} }: LogLine): string {
  const { node, ...others } = data;
  const where = typeof node === 'string' && !message.includes(`"${node}"`) ? ` ${node}:` : '';
  const more = Object.entries(others).flatMap(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(redactedData(value));
    return value === undefined || message.includes(text) ? [] : [` ${name}=${text}`];
  });
  const about = punchline === undefined ? 'reef' : punchline;
  return `${time} ${level} ${shownText(`${about}:${where} ${message}${more.join('')}`)}`;
}
