/** nginx, of Debian's packages, before another server: TLS, a name and a password, a bound for bodies. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Certificate } from '../certificates.ts';
import type { Owner } from '../owner.ts';
import { accepts } from './answers.ts';
import { program } from './needs.ts';
import { type Server, startServer } from './server.ts';

export const nginx = program('nginx', 'nginx-light');

export interface NginxOptions {
  readonly targetPort: number;
  /** Whom it lets in. Default: everybody. */
  readonly user?: { readonly name: string; readonly password: string };
  /** It speaks TLS and shows this. */
  readonly certificate?: Certificate;
  /** Longer bodies are answered with 413. Default: no bound. */
  readonly mostBodyBytes?: number;
}

export function startNginx(
  owner: Owner,
  { targetPort, user, certificate, mostBodyBytes = 0 }: NginxOptions,
): Promise<Server<'http'>> {
  return startServer(owner, {
    name: 'nginx',
    ports: ['http'],
    prepare({ folder, ports }) {
      const file = (name: string, text: string): string => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const secure = certificate
        ? `ssl_certificate ${file('server.pem', certificate.certificate)}; ssl_certificate_key ${file('server.key', certificate.key)};`
        : '';
      const closed = user
        ? `auth_basic "search"; auth_basic_user_file ${file('users', `${user.name}:{PLAIN}${user.password}\n`)};`
        : '';
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
      // One process, which ends when it is killed. It runs as whoever starts it: the folder is theirs alone.
      const runner = process.getuid?.() === 0 ? 'user root;' : '';
      file(
        'nginx.conf',
        `${runner} daemon off; master_process off; pid ${join(folder, 'nginx.pid')}; error_log stderr; worker_processes 1;
        events { worker_connections 256; }
        http {
          access_log off;
          ${temporary.map((name) => `${name}_temp_path ${join(folder, name)};`).join(' ')}
          server {
            listen 127.0.0.1:${ports.http}${certificate ? ' ssl' : ''};
            ${secure} ${closed} client_max_body_size ${mostBodyBytes};
            location / { proxy_pass http://127.0.0.1:${targetPort}; proxy_http_version 1.1; proxy_read_timeout 300s; }
          }
        }\n`,
      );
    },
    command: ({ folder }) => ['nginx', '-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'],
    ready: ({ ports }) => accepts(ports.http),
  });
}
