/** What the command line and the environment say about the endpoint for metrics. */
import { type EndpointSecurity, readMetricsAt } from '../control/observation.ts';
import type { ListenAt } from '../net/listener.ts';
import { keepSecret, SHORTEST_SECRET } from '../spec/secrets.ts';
import type { CommandIo } from './command-io.ts';

interface Given {
  readonly metrics?: string | undefined;
  readonly 'metrics-cert'?: string | undefined;
  readonly 'metrics-key'?: string | undefined;
  readonly 'metrics-ca'?: string | undefined;
}

export interface MetricsOptions {
  readonly at: ListenAt | undefined;
  readonly security: EndpointSecurity;
}

/** A text: what is wrong. The token comes by the environment alone: everybody on a machine can read command lines. */
export function readMetricsOptions(given: Given, { env, cwd }: Pick<CommandIo, 'env' | 'cwd'>): MetricsOptions | string {
  const { 'metrics-cert': cert, 'metrics-key': key, 'metrics-ca': ca } = given;
  const where = given.metrics ?? (env.REEF_METRICS || undefined);
  const at = where === undefined ? undefined : readMetricsAt(where);
  if (typeof at === 'string') return at;
  if (cert !== undefined && key === undefined) return '--metrics-key is missing, expected the private key of --metrics-cert';
  if (cert === undefined && (key !== undefined || ca !== undefined)) {
    return `--metrics-cert is missing, expected a certificate with ${key === undefined ? '--metrics-ca' : '--metrics-key'}`;
  }
  const token = env.REEF_METRICS_TOKEN || undefined;
  if (token !== undefined && token.length < SHORTEST_SECRET) {
    return `REEF_METRICS_TOKEN has ${token.length} characters, expected ${SHORTEST_SECRET} or more`;
  }
  if (token !== undefined) keepSecret(token);
  const files = { certificate_file: cert!, key_file: key!, key_password: undefined, ca_file: ca };
  const tls = cert === undefined ? undefined : { ...files, min_version: '1.2' as const };
  return { at, security: { tls, token, folder: cwd } };
}
