/** Prometheus, which asks a target for its metrics, and its push gateway, which is sent them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Owner } from '../owner.ts';
import { program } from './needs.ts';
import { type Server, startServer } from './server.ts';

export const prometheus = program('prometheus', 'prometheus');
export const pushGateway = program('prometheus-pushgateway', 'prometheus-pushgateway');

/** `target`: `HOST:PORT`. */
export function startPrometheus(owner: Owner, target: string): Promise<Server<'http'>> {
  return startServer(owner, {
    name: 'prometheus',
    ports: ['http'],
    prepare({ folder }) {
      const job = `scrape_configs: [{ job_name: reef, static_configs: [{ targets: ['${target}'] }] }]`;
      writeFileSync(join(folder, 'prometheus.yml'), `global: { scrape_interval: 1s }\n${job}\n`);
    },
    command: ({ folder, ports }) => [
      'prometheus',
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${ports.http}`,
    ],
    ready: async ({ ports }) => (await fetch(`http://127.0.0.1:${ports.http}/-/ready`)).ok,
  });
}

export function startPushGateway(owner: Owner): Promise<Server<'http'>> {
  return startServer(owner, {
    name: 'pushgateway',
    ports: ['http'],
    command: ({ ports }) => ['prometheus-pushgateway', `--web.listen-address=127.0.0.1:${ports.http}`],
    ready: async ({ ports }) => (await fetch(`http://127.0.0.1:${ports.http}/-/ready`)).ok,
  });
}
