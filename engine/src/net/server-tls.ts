/** TLS of sources that listen: their settings, and what Node wants of them. Certificates that were renewed are taken without a restart. */
import type { Server, TlsOptions } from 'node:tls';
import { ReefError } from '../errors.ts';
import { choice, group, type Settings, secret, text } from '../spec/fields.ts';
import type { Log } from '../spec/node.ts';
import { filesVersion, readPem } from './pem.ts';

const fields = {
  certificate_file: text('File with the certificate in PEM, and behind it those up to the authority that clients know.'),
  key_file: text('File with the private key in PEM.'),
  key_password: secret('Password of the private key, where it has one.', { optional: true }),
  ca_file: text(
    'File with the authorities in PEM of which clients must have a certificate (mutual TLS). Without it clients need none.',
    { optional: true },
  ),
  min_version: choice(['1.2', '1.3'], 'The oldest version of TLS that is spoken.', { default: '1.2' }),
};

/** The setting `tls` of a source that listens. */
export const serverTls = group(fields, 'Makes it listen with TLS. Files that change are read again for new connections.', {
  optional: true,
});

export type ServerTls = Settings<typeof fields>;

export interface LoadedTls {
  readonly options: TlsOptions;
  /** Changes when one of the files does. */
  readonly version: string;
}

/** Reads the files. Rejects with a `ReefError` that names the one that cannot be used. */
export async function loadServerTls(tls: ServerTls, folder: string): Promise<LoadedTls> {
  const [certificate, key, ca] = await Promise.all([
    readPem('certificate_file', tls.certificate_file, folder),
    readPem('key_file', tls.key_file, folder),
    tls.ca_file === undefined ? undefined : readPem('ca_file', tls.ca_file, folder),
  ]);
  const options: TlsOptions = {
    cert: certificate,
    key,
    minVersion: `TLSv${tls.min_version}`,
    ...(tls.key_password === undefined ? {} : { passphrase: tls.key_password }),
    ...(ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true }),
  };
  try {
    process.getBuiltinModule('node:tls').createSecureContext(options);
  } catch (error) {
    const { message } = error as Error;
    const files = `"${tls.certificate_file}" and "${tls.key_file}"`;
    throw new ReefError(
      'config',
      `Cannot use TLS files ${files}: ${message}, expected a certificate and its private key in PEM`,
      {
        cause: error,
      },
    );
  }
  return { options, version: await serverTlsVersion(tls, folder) };
}

/** Tells whether the files are those that were loaded, without reading them. */
export function serverTlsVersion({ certificate_file, key_file, ca_file }: ServerTls, folder: string): Promise<string> {
  return filesVersion([certificate_file, key_file, ca_file], folder);
}

export interface FreshOptions {
  readonly tls: ServerTls;
  readonly folder: string;
  /** Of what the server was made with. */
  readonly version: string;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Files are looked at no oftener, and only when somebody connects. */
  readonly everyMs?: number;
}

/** Makes a server take files that were renewed. What cannot be used is said once, and the old ones stay. */
export function keepTlsFresh(server: Server, { tls, folder, version, log, everyMs = 10_000 }: FreshOptions): void {
  let current = version;
  let looked = performance.now();
  const look = async (): Promise<void> => {
    const found = await serverTlsVersion(tls, folder);
    if (found === current) return;
    current = found;
    try {
      server.setSecureContext((await loadServerTls(tls, folder)).options);
      log.info(`TLS files have changed: new connections use ${tls.certificate_file}`);
    } catch (error) {
      log.warn(`${(error as Error).message}; the old ones are used on`);
    }
  };
  server.on('connection', () => {
    if (performance.now() - looked < everyMs) return;
    looked = performance.now();
    void look();
  });
}
