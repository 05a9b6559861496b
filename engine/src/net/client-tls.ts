/** TLS towards servers: whom to trust, and with what certificate to appear. Files that change are read again for new connections. */
import type { ConnectionOptions } from 'node:tls';
import { ReefError } from '../errors.ts';
import { choice, group, type Settings, secret, text } from '../spec/fields.ts';
import type { Log, SettingIssue } from '../spec/node.ts';
import { filesVersion, readPem } from './pem.ts';

const fields = {
  ca_file: text(
    'File with the authorities in PEM that the server must have its certificate of, in place of those that Node brings.',
    { optional: true },
  ),
  certificate_file: text('File with the own certificate in PEM, for servers that ask for one (mutual TLS).', { optional: true }),
  key_file: text('File with its private key in PEM.', { optional: true }),
  key_password: secret('Password of the private key, where it has one.', { optional: true }),
  min_version: choice(['1.2', '1.3'], 'The oldest version of TLS that is spoken.', { default: '1.2' }),
  server_name: text('The name that the certificate must have, where it is not the one that is connected to.', { optional: true }),
  verify: choice(
    ['full', 'authority', 'none'],
    '`full`: the certificate must be of a known authority and for the name; `authority`: the name is not looked at; `none`: anything is taken, so whoever stands in between can read and change what is sent.',
    { default: 'full' },
  ),
};

/** The setting `tls` of a node that connects. */
export const clientTls = group(fields, 'How TLS is spoken with the server.', {
  // The optional ones are absent.
  default: { min_version: '1.2', verify: 'full' } as Settings<typeof fields>,
});

/** The same where it says whether TLS is spoken at all. */
export const optionalClientTls = group(
  fields,
  'Connects with TLS; `{}` is enough where the server has a certificate that is known.',
  {
    optional: true,
  },
);

export type ClientTls = Settings<typeof fields>;

/** What is wrong with the setting as a whole. */
export function checkClientTls({ certificate_file, key_file, verify }: ClientTls): SettingIssue[] {
  const issues: SettingIssue[] = [];
  if (certificate_file !== undefined && key_file === undefined)
    issues.push({ path: ['tls', 'key_file'], message: 'is missing, expected it beside "tls.certificate_file"' });
  if (key_file !== undefined && certificate_file === undefined)
    issues.push({ path: ['tls', 'certificate_file'], message: 'is missing, expected it beside "tls.key_file"' });
  if (verify !== 'full') issues.push({ path: ['tls', 'verify'], message: unverified(verify), severity: 'warning' });
  return issues;
}

/** Whether something is set, so that going without TLS cannot be what is meant. */
export function asksForTls({ verify, min_version, ...others }: ClientTls): boolean {
  return verify !== 'full' || min_version !== '1.2' || Object.values(others).some((value) => value !== undefined);
}

function unverified(verify: 'authority' | 'none'): string {
  const who = verify === 'none' ? 'anyone' : 'anyone with a certificate of a known authority';
  return `is "${verify}", so ${who} can pass for the server: expected "full" but for trying things out`;
}

export interface ClientTlsContext {
  /** For a new connection to a host. Rejects with a `ReefError` when files cannot be used. */
  options(host: string): Promise<ConnectionOptions>;
}

/** Reads the files. Rejects with a `ReefError` that names the one that cannot be used. `subject`: `sink "out"`. */
export async function openClientTls(
  tls: ClientTls,
  folder: string,
  subject: string,
  log: Pick<Log, 'warn'>,
): Promise<ClientTlsContext> {
  const { checkServerIdentity, createSecureContext } = process.getBuiltinModule('node:tls');
  let version = await versionOf(tls, folder);
  let secureContext = await contextOf();
  if (tls.verify !== 'full') log.warn(`${subject}: setting "tls.verify" ${unverified(tls.verify)}`);

  async function contextOf(): Promise<ReturnType<typeof createSecureContext>> {
    const [ca, cert, key] = await Promise.all(
      (['ca_file', 'certificate_file', 'key_file'] as const).map((setting) => {
        const file = tls[setting];
        return file === undefined ? undefined : readPem(setting, file, folder);
      }),
    );
    try {
      return createSecureContext({
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(tls.key_password === undefined ? {} : { passphrase: tls.key_password }),
        minVersion: `TLSv${tls.min_version}`,
      });
    } catch (error) {
      const { message } = error as Error;
      throw new ReefError(
        'config',
        `Cannot use the TLS files of ${subject}: ${message}, expected a certificate and its private key in PEM`,
        {
          cause: error,
        },
      );
    }
  }

  return {
    async options(host) {
      const found = await versionOf(tls, folder);
      if (found !== version) {
        version = found;
        try {
          secureContext = await contextOf();
        } catch (error) {
          log.warn(`${(error as Error).message}; the files that were read before are used on`);
        }
      }
      const name = tls.server_name ?? host;
      const isAddress = process.getBuiltinModule('node:net').isIP(name) > 0;
      return {
        secureContext,
        // An address is no name to ask for, but is compared with the certificate all the same.
        ...(isAddress ? {} : { servername: name }),
        rejectUnauthorized: tls.verify !== 'none',
        checkServerIdentity: (_host, certificate) => (tls.verify === 'full' ? checkServerIdentity(name, certificate) : undefined),
        ALPNProtocols: ['http/1.1'],
      };
    },
  };
}

function versionOf({ ca_file, certificate_file, key_file }: ClientTls, folder: string): Promise<string> {
  return filesVersion([ca_file, certificate_file, key_file], folder);
}
