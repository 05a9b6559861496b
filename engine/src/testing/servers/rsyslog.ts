/** rsyslog, of Debian's packages: what comes over TCP or UDP goes to a file, and wherever lines of its configuration send it. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../certificates.ts';
import type { Owner } from '../owner.ts';
import { accepts } from './answers.ts';
import { type Need, program } from './needs.ts';
import { type Server, startServer } from './server.ts';

export const rsyslog = program('rsyslogd', 'rsyslog');

/** Its driver for TLS, a package of its own. */
export const rsyslogTls: Need = {
  lacks: async () =>
    globSync('/usr/lib/{*/,}rsyslog/lmnsd_gtls.so').length === 0
      ? "rsyslog's driver gtls is not installed, expected the Debian package rsyslog-gnutls (REEF_SETUP=1 installs it)"
      : undefined,
  install: () => program('', 'rsyslog-gnutls').install(),
};

export interface RsyslogOptions {
  /** Lines in its own language: actions besides the file. */
  readonly actions?: readonly string[];
  /** PEM of the authority that its driver gtls believes. */
  readonly authority?: string;
  /** Listens with TLS, and shows this. Needs `authority`. */
  readonly certificate?: Certificate;
}

export interface Rsyslog extends Server<'tcp' | 'udp'> {
  /** What it has received and written: objects of its properties by name. */
  received(): Readonly<Record<string, string>>[];
}

/** Properties of messages, as it names them, in the order in which they are written. */
const properties = ['pri', 'timereported', 'hostname', 'app-name', 'procid', 'msgid', 'structured-data', 'msg'] as const;

export async function startRsyslog(
  owner: Owner,
  { actions = [], authority, certificate }: RsyslogOptions = {},
): Promise<Rsyslog> {
  const fileOf = ({ folder }: { readonly folder: string }): string => join(folder, 'received.jsonl');
  const started = await startServer(owner, {
    name: 'rsyslog',
    ports: ['tcp', 'udp'],
    prepare(place) {
      const { folder, ports } = place;
      const caFile = join(folder, 'authority.pem');
      if (authority !== undefined) writeFileSync(caFile, authority);
      const files = { certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') };
      for (const part of ['certificate', 'key'] as const) if (certificate) writeFileSync(files[part], certificate[part]);
      const global = [`workDirectory="${folder}"`, 'maxMessageSize="1m"', 'parser.escapeControlCharactersOnReceive="off"'];
      if (authority !== undefined) global.push(`defaultNetstreamDriverCAFile="${caFile}"`);
      if (certificate)
        global.push(`defaultNetstreamDriverCertFile="${files.certificate}"`, `defaultNetstreamDriverKeyFile="${files.key}"`);
      const driver = certificate ? 'streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon"' : '';
      const fields = properties.map((name) => {
        const date = name === 'timereported' ? 'dateFormat="rfc3339"' : '';
        return `property(outname="${name}" name="${name}" format="jsonf" ${date})`;
      });
      const lines = [
        `global(${global.join(' ')})`,
        'module(load="imtcp")',
        'module(load="imudp")',
        `input(type="imtcp" address="127.0.0.1" port="${ports.tcp}" ${driver})`,
        `input(type="imudp" address="127.0.0.1" port="${ports.udp}")`,
        `template(name="json" type="list") { constant(value="{") ${fields.join(' constant(value=",") ')} constant(value="}\\n") }`,
        `action(type="omfile" file="${fileOf(place)}" template="json")`,
        ...actions,
      ];
      writeFileSync(join(folder, 'rsyslog.conf'), `${lines.join('\n')}\n`);
    },
    command: ({ folder }) => ['rsyslogd', '-n', '-f', join(folder, 'rsyslog.conf'), '-i', join(folder, 'rsyslog.pid')],
    ready: ({ ports }) => accepts(ports.tcp),
  });
  return Object.assign(started, { received: () => jsonLinesOf(fileOf(started)) });
}

/** Objects of complete lines; a file that is not there yet has none. */
export function jsonLinesOf(path: string): Readonly<Record<string, string>>[] {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return [];
  }
  const complete = text.slice(0, text.lastIndexOf('\n') + 1);
  return complete.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Readonly<Record<string, string>>]));
}
