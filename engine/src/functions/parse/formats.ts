/** The formats of `parse` that the functions' module reads. */

import { columnArguments, TextOf } from '../../batch/function-kernel.ts';
import { syslogColumns } from '../../spec/syslog-columns.ts';
import { compileTimeFormat, withFraction } from '../time-format.ts';
import { type Zone, ZoneTable } from '../time-zone.ts';
import { type FieldNames, type Parser, readFields, type Texts } from './parser.ts';

/** Members of a JSON object; a column that holds an object already will do. */
export function jsonParser(fields: FieldNames): Parser {
  return {
    others: TextOf.objects,
    read: (texts) =>
      readFields(texts.view, fields, (kernel) => kernel.parseJson(...columnArguments(texts.view, texts.tokens), texts.problems)),
  };
}

export interface PairOptions {
  /** Empty: blanks. */
  readonly pairSeparator: string;
  readonly keySeparator: string;
  readonly quotes: boolean;
  readonly standaloneKeys: boolean;
}

export function pairParser(fields: FieldNames, options: PairOptions): Parser {
  return {
    others: TextOf.strings,
    read(texts) {
      const { arena } = texts.view;
      const pair = arena.text(options.pairSeparator);
      const equals = arena.text(options.keySeparator);
      const truth = arena.text('true');
      return readFields(texts.view, fields, (kernel) => {
        // biome-ignore format: one argument list
        kernel.setPairs(
          pair.pointer, pair.length, equals.pointer, equals.length, Number(options.quotes), Number(options.standaloneKeys), truth.pointer,
        );
        return kernel.parsePairs(...columnArguments(texts.view, texts.tokens), texts.problems);
      });
    },
  };
}

export interface CsvOptions {
  readonly separator: string;
  readonly quotes: boolean;
  readonly strict: boolean;
  readonly skipEmpty: boolean;
}

export function csvParser(fields: FieldNames, { separator, quotes, strict, skipEmpty }: CsvOptions): Parser {
  const flags = [separator.charCodeAt(0), Number(quotes), Number(strict), Number(skipEmpty)] as const;
  return {
    others: TextOf.strings,
    read: (texts) =>
      readFields(texts.view, fields, (kernel) =>
        kernel.parseCsv(...columnArguments(texts.view, texts.tokens), ...flags, texts.problems),
      ),
  };
}

export const syslogStandards = ['auto', 'rfc5424', 'rfc3164'] as const;

const facilities =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp security console solaris-cron local0 local1 local2 local3 local4 local5 local6 local7';
const severities = 'emerg alert crit err warning notice info debug';

/** RFC 3164's time and behind it the same with a year at its end, then what else is sent instead of it, the likely ones first. */
const programs = Buffer.concat([
  ...[
    '%b %d %H:%M:%S',
    '%b %d %H:%M:%S %Y',
    '%b %d %Y %H:%M:%S',
    '%Y %b %d %H:%M:%S',
    '%a %b %d %H:%M:%S',
    '%a %b %d %H:%M:%S %Y',
  ].map((format) => withFraction(compileTimeFormat(format, 'read'))),
  compileTimeFormat('iso', 'read').bytes,
  Buffer.of(0),
]);
const isoProgram = compileTimeFormat('iso', 'read').bytes;

export interface SyslogOptions {
  readonly standard: (typeof syslogStandards)[number];
  /** Of clocks of messages that say no offset. */
  readonly zone: Zone;
  /** What has no right header is a message all the same. */
  readonly lenient: boolean;
}

export function syslogParser(wanted: readonly string[], { standard, zone, lenient }: SyslogOptions): Parser {
  const offsets = new ZoneTable(zone);
  const names = syslogColumns.map(({ name }) => name).filter((name) => wanted.includes(name));
  return {
    others: TextOf.strings,
    read(texts) {
      const { arena, timestamp } = texts.view;
      const columns = arena.take(syslogColumns.length * 4);
      const words = writeNames(texts);
      const table = arena.copyOf(offsets.around(timestamp / 1000));
      const [timePrograms, iso] = [arena.copyOf(programs), arena.copyOf(isoProgram)];
      return readFields(texts.view, { names, limit: names.length }, (kernel) => {
        const entries = kernel.fieldEntries() >>> 2;
        for (const [i, { name }] of syslogColumns.entries()) {
          const at = names.indexOf(name);
          arena.words[(columns >>> 2) + i] = at < 0 ? 0 : arena.words[entries + at * 4 + 2]!;
        }
        kernel.setSyslog(columns, words, timePrograms, iso, timestamp / 1000, table, Number(lenient));
        return kernel.parseSyslog(
          ...columnArguments(texts.view, texts.tokens),
          syslogStandards.indexOf(standard),
          texts.problems,
        );
      });
    },
  };
}

/** Bounds of the names of facilities and severities. */
function writeNames({ view: { arena } }: Texts): number {
  const text = `${facilities} ${severities}`;
  const { pointer } = arena.text(text);
  const bounds: number[] = [];
  for (const name of text.matchAll(/\S+/g)) bounds.push(pointer + name.index, pointer + name.index + name[0].length);
  return arena.copyOf(Uint32Array.from(bounds));
}
