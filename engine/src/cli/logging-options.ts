import { type LogFormat, type LoggerOptions, type LogLevel, logFormats, logLevels } from '../observe/logger.ts';
import type { CommandIo } from './command-io.ts';

interface Given {
  readonly 'log-format'?: string | undefined;
  readonly 'log-level'?: string | undefined;
}

/** How a run logs: as the command line says, else the environment, else as fits who reads it. A sentence when that is wrong. */
export function readLogging(given: Given, { stderr, env }: Pick<CommandIo, 'stderr' | 'env'>): LoggerOptions | string {
  const format = given['log-format'] ?? env.REEF_LOG_FORMAT ?? (stderr.isTTY ? 'text' : 'json');
  const level = given['log-level'] ?? env.REEF_LOG_LEVEL ?? 'info';
  if (!isFormat(format)) return `${named(given, 'log-format')} is "${format}", expected ${logFormats.join(' or ')}`;
  if (!isLevel(level)) return `${named(given, 'log-level')} is "${level}", expected info, warn or error`;
  return { format, level };
}

function named(given: Given, option: keyof Given): string {
  return given[option] === undefined ? `REEF_${option.toUpperCase().replace('-', '_')}` : `--${option}`;
}

function isFormat(word: string): word is LogFormat {
  return (logFormats as readonly string[]).includes(word);
}

function isLevel(word: string): word is LogLevel {
  return (logLevels as readonly string[]).includes(word);
}
