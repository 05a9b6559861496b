/** The HTTP server: TLS, and the limits that Node keeps by itself (connections, heads, slow senders). */
import type { RequestListener, Server, ServerOptions } from 'node:http';
import { tellFailedHandshakes } from '../../../net/failed-handshakes.ts';
import { boundConnections } from '../../../net/listener.ts';
import type { PeerWarnings } from '../../../net/peer-warnings.ts';
import { keepTlsFresh, loadServerTls } from '../../../net/server-tls.ts';
import type { Log } from '../../../spec/node.ts';
import type { HttpSourceSettings } from './settings.ts';

export interface OpenServerOptions {
  readonly settings: HttpSourceSettings;
  readonly folder: string;
  readonly log: Log;
  readonly warnings: PeerWarnings;
  readonly onRequest: RequestListener;
}

export async function openServer({ settings, folder, log, warnings, onRequest }: OpenServerOptions): Promise<Server> {
  const { header_timeout_secs, request_timeout_secs, keep_alive_secs } = settings;
  const headersTimeout = Math.min(header_timeout_secs, request_timeout_secs) * 1000;
  const options: ServerOptions = {
    maxHeaderSize: settings.max_header_bytes,
    headersTimeout,
    requestTimeout: request_timeout_secs * 1000,
    keepAliveTimeout: keep_alive_secs * 1000,
    // How late a slow sender may be noticed.
    connectionsCheckingInterval: Math.max(50, Math.min(headersTimeout / 2, 5000)),
    noDelay: true,
  };
  let server: Server;
  // Node's built-in module, not its ESM import, which costs 16 MB.
  if (settings.tls === undefined) server = process.getBuiltinModule('node:http').createServer(options, onRequest);
  else {
    const loaded = await loadServerTls(settings.tls, folder);
    const https = process.getBuiltinModule('node:https');
    const secure = https.createServer({ ...options, ...loaded.options, handshakeTimeout: headersTimeout }, onRequest);
    keepTlsFresh(secure, { tls: settings.tls, folder, version: loaded.version, log });
    tellFailedHandshakes(secure, settings.tls, warnings);
    server = secure;
  }
  boundConnections(server, settings.max_connections, warnings);
  return server;
}
