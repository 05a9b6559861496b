/** Rows as syslog messages: the header from columns or constants, and the message behind it as it is. */
import type { Bulk } from '../../spec/bulk-sink.ts';
import type { RowTexts } from '../../spec/row-texts.ts';
import { structuredData } from './structured-data.ts';
import { rfc3164Time, rfc5424Time } from './time.ts';

/** What stands in a message, each a constant or `%{column}`. */
export interface MessageParts {
  readonly facility: string;
  readonly severity: string;
  readonly timestamp: string;
  readonly hostname: string;
  readonly appname: string;
  readonly procid: string;
  readonly msgid: string;
  readonly structured_data: string;
  readonly message: string;
}

export interface MessageWriterOptions extends MessageParts {
  readonly standard: 'rfc5424' | 'rfc3164';
  /** A newline would end the message: it becomes a blank. */
  readonly oneLine: boolean;
  /** Where a row does not say one. */
  readonly ownHost: string;
}

export const partNames = [
  'facility',
  'severity',
  'timestamp',
  'hostname',
  'appname',
  'procid',
  'msgid',
  'structured_data',
  'message',
] as const satisfies readonly (keyof MessageParts)[];

const facilities =
  'kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp security console solaris-cron local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );
const severities = 'emerg alert crit err warning notice info debug'.split(' ');
const otherNames: Readonly<Record<string, number>> = { panic: 0, emergency: 0, critical: 2, error: 3, warn: 4, informational: 6 };
const USER = 1;
const NOTICE = 5;
/** Bounds of RFC 5424. */
const LONGEST = { hostname: 255, appname: 48, procid: 128, msgid: 32 } as const;
const NEWLINE = 10;
const BLANK = 32;

/** The column that a part refers to. */
export function columnOf(part: string): string | undefined {
  return /^%\{([^{}]+)\}$/.exec(part)?.[1];
}

export function columnsOf(parts: MessageParts): string[] {
  return [...new Set(partNames.map((name) => columnOf(parts[name])).filter((column) => column !== undefined))];
}

export function messageWriter(options: MessageWriterOptions): (bulk: Bulk) => Buffer[] {
  const columns = columnsOf(options);
  const sources = partNames.map((name) => ({ constant: options[name], side: columns.indexOf(columnOf(options[name]) ?? '') }));
  const [facility, severity, timestamp, hostname, appname, procid, msgid, data, message] = sources.map(
    ({ constant, side }) =>
      (bulk: Bulk, row: number): string =>
        side < 0 ? constant : textOf(bulk.side[side]!, row),
  ) as [Read, Read, Read, Read, Read, Read, Read, Read, Read];
  const messageSide = sources.at(-1)!.side;
  const { standard, oneLine, ownHost } = options;
  return (bulk) => {
    const now = new Date();
    return Array.from({ length: bulk.rows }, (_, row) => {
      const priority = numberOf(facility(bulk, row), facilities, USER) * 8 + numberOf(severity(bulk, row), severities, NOTICE);
      const host = word(hostname(bulk, row), LONGEST.hostname) || word(ownHost, LONGEST.hostname) || '-';
      const app = word(appname(bulk, row), LONGEST.appname);
      const process = word(procid(bulk, row), LONGEST.procid);
      const time = timestamp(bulk, row);
      const head =
        standard === 'rfc5424'
          ? `<${priority}>1 ${rfc5424Time(time, now)} ${host} ${app || '-'} ${process || '-'} ${word(msgid(bulk, row), LONGEST.msgid) || '-'} ${structuredData(data(bulk, row))} `
          : `<${priority}>${rfc3164Time(time, now)} ${host} ${tag(app, process)}`;
      const body = messageSide < 0 ? Buffer.from(message(bulk, row)) : bytesOf(bulk.side[messageSide]!, row);
      return joined(head, body.length > 0 || messageSide < 0 ? body : wholeRow(bulk, row), oneLine);
    });
  };
}

type Read = (bulk: Bulk, row: number) => string;

function bytesOf({ bytes, offsets }: RowTexts, row: number): Uint8Array {
  return bytes.subarray(offsets[row]!, offsets[row + 1]! - 1);
}

function textOf(texts: RowTexts, row: number): string {
  const { buffer, byteOffset, length } = bytesOf(texts, row);
  return length === 0 ? '' : Buffer.from(buffer as ArrayBuffer, byteOffset, length).toString();
}

/** A row without a message is its own message. */
function wholeRow({ bytes, offsets }: Bulk, row: number): Uint8Array {
  return bytes.subarray(offsets[row]!, offsets[row + 1]! - 1);
}

function joined(head: string, body: Uint8Array, oneLine: boolean): Buffer {
  const headBytes = Buffer.byteLength(head);
  const out = Buffer.allocUnsafe(headBytes + body.length);
  out.write(head);
  out.set(body, headBytes);
  if (oneLine) for (let at = out.indexOf(NEWLINE, headBytes); at >= 0; at = out.indexOf(NEWLINE, at)) out[at] = BLANK;
  return out;
}

/** A number of the list, or one of its names. */
function numberOf(text: string, names: readonly string[], otherwise: number): number {
  if (text === '') return otherwise;
  const number = /^\d{1,2}$/.test(text) ? Number(text) : names.indexOf(text.toLowerCase());
  if (number >= 0 && number < names.length) return number;
  return (names === severities ? otherNames[text.toLowerCase()] : undefined) ?? otherwise;
}

/** Printable ASCII without blanks, as headers have it. */
function word(text: string, most: number): string {
  return text.replace(/[^!-~]/gu, '_').slice(0, most);
}

/** `app[process]: `; a colon or bracket within would end it. */
function tag(app: string, process: string): string {
  if (app === '') return '';
  return `${app.replace(/[:[\]]/g, '_')}${process === '' ? '' : `[${process.replace(/[[\]]/g, '_')}]`}: `;
}
