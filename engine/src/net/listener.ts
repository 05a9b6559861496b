/** Sockets that listen: where, for whom, how many at once. */
import type { AddressInfo, Server } from 'node:net';
import { ReefError } from '../errors.ts';
import type { SettingIssue } from '../spec/node.ts';
import type { PeerWarnings } from './peer-warnings.ts';

export interface ListenAt {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** Starts listening. Rejects with a `ReefError`; `subject` is what listens: `source "in"`. */
export function listen(server: Server, { host, port }: ListenAt, subject: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      reject(
        new ReefError('io', `Cannot listen for ${subject} on ${hostAndPort(host, port)}: ${reason(error)}`, { cause: error }),
      );
    };
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      resolve(server.address() as AddressInfo);
    });
  });
}

/** Further connections are closed, and told of. */
export function boundConnections(server: Server, most: number, warnings: PeerWarnings): void {
  server.maxConnections = most;
  server.on('drop', (peer) => warnings.refused(peer ?? {}, `there are ${most} connections already ("max_connections")`));
}

function reason(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return 'the port is in use, expected a free one (0: any)';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have the address, expected one of its own, 127.0.0.1 or 0.0.0.0';
    case 'EACCES':
      return 'there is no permission, expected a port from 1024 on';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the name is not known, expected an address of this machine';
    default:
      return error.message;
  }
}

/** `127.0.0.1:80`, `[::1]:80`. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Only programs on the same machine can reach it. */
export function isLoopback(host: string): boolean {
  const plain = host.toLowerCase().replace(/^::ffff:/, '');
  return plain === 'localhost' || plain.endsWith('.localhost') || plain === '::1' || /^127(\.\d{1,3}){3}$/.test(plain);
}

export interface Exposure {
  readonly host: string;
  /** Leads to the setting that says where it listens. */
  readonly path: readonly string[];
  readonly tls: boolean;
  /** Clients must show who they are, by a certificate or otherwise. */
  readonly authenticated: boolean;
}

/** Warns where others can reach it and nothing protects it. */
export function checkExposure({ host, path, tls, authenticated }: Exposure): SettingIssue[] {
  if (isLoopback(host)) return [];
  const lacking = [...(tls ? [] : ['can read what is sent']), ...(authenticated ? [] : ['may send'])];
  if (lacking.length === 0) return [];
  const settings = [...(tls ? [] : ['tls']), ...(authenticated ? [] : ['auth'])].map((name) => `"${name}"`).join(' and ');
  const message = `is "${host}", so anyone who reaches this machine ${lacking.join(' and ')}: expected ${settings} beside it, or 127.0.0.1`;
  return [{ path, message, severity: 'warning' }];
}
