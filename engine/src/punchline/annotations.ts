/**
 * `metadata.annotations`: all are kept for whoever reads them. Those that Punch knows are checked, because a time that is no number
 * would otherwise be found by the program that needs it, on a device far away.
 */
import { nearestWord } from '../spec/nearest-word.ts';
import { found, mapAt, quote } from './keys.ts';
import type { ProblemList } from './problem.ts';
import type { Entry, ScalarTree } from './tree.ts';

type Kind = 'text' | 'url' | 'seconds' | 'port' | 'flag';

interface Domain {
  /** Why nothing happens because of them; absent: something does. */
  readonly ignored?: string;
  readonly keys: Readonly<Record<string, Kind>>;
}

const domains: Readonly<Record<string, Domain>> = {
  'artifacts.punchplatform.com': {
    ignored: 'functions are not updated from a server in this version',
    keys: { url: 'url', refreshIntervalSeconds: 'seconds' },
  },
  'devices.punchplatform.com': {
    ignored: 'they matter to a fleet server',
    keys: {
      id: 'text',
      version: 'text',
      vendor: 'text',
      inactivityTimeout: 'seconds',
      refreshIntervalSeconds: 'seconds',
      adminUrl: 'url',
    },
  },
  'metrics.punchplatform.com': {
    keys: { pushGatewayUrl: 'url', pushGatewayIntervalSeconds: 'seconds', pushIntervalSeconds: 'seconds' },
  },
  'prometheus.io': {
    keys: { scrape: 'flag', port: 'port', path: 'text', scheme: 'text' },
  },
  'punchplatform.thalesdigital.io': {
    ignored: "they only matter to Punch's operator on Kubernetes",
    keys: { platform: 'text', tenant: 'text', channel: 'text' },
  },
};

const expected: Readonly<Record<Exclude<Kind, 'text'>, { readonly text: string; accepts(value: string): boolean }>> = {
  url: {
    text: 'a URL that begins with http:// or https://',
    accepts: (value) => /^https?:\/\//.test(value) && URL.canParse(value),
  },
  seconds: { text: 'a number of seconds', accepts: (value) => /^\d+(\.\d+)?$/.test(value) },
  port: { text: 'a port from 1 to 65535', accepts: (value) => /^\d{1,5}$/.test(value) && +value >= 1 && +value <= 65535 },
  flag: { text: 'true or false', accepts: (value) => value === 'true' || value === 'false' },
};

export function readAnnotations(entry: Entry | undefined, problems: ProblemList): Readonly<Record<string, string>> {
  const map = entry && mapAt(entry.value, 'metadata.annotations', problems);
  if (!map) return {};
  const annotations: [string, string][] = [];
  const mentioned = new Set<string>();
  for (const [key, { keyAt, value }] of map.entries) {
    if (value.kind === 'scalar') {
      annotations.push([key, String(value.value ?? '')]);
      checkAnnotation(key, keyAt, value, problems);
    } else problems.error(value.at, `annotation ${quote(key)} is ${found(value)}, expected text`);
    mention(key, keyAt, mentioned, problems);
  }
  return Object.fromEntries(annotations);
}

function checkAnnotation(key: string, keyAt: number, tree: ScalarTree, problems: ProblemList): void {
  const [domain, name] = split(key);
  const keys = Object.hasOwn(domains, domain) ? domains[domain]!.keys : undefined;
  if (!keys || tree.unresolved) return;
  if (!Object.hasOwn(keys, name)) {
    const meant = nearestWord(name, Object.keys(keys));
    const known = `the annotations of ${quote(domain)}`;
    if (meant !== undefined) problems.warning(keyAt, `annotation ${quote(key)} is none of ${known}`, `${domain}/${meant}`);
    return;
  }
  const kind = keys[name]!;
  if (kind === 'text' || expected[kind].accepts(String(tree.value ?? ''))) return;
  problems.error(tree.at, `annotation ${quote(key)} is ${found(tree)}, expected ${expected[kind].text}`);
}

/** One warning a domain: a device has a dozen annotations of the same one. */
function mention(key: string, keyAt: number, mentioned: Set<string>, problems: ProblemList): void {
  const [domain] = split(key);
  if (mentioned.has(domain)) return;
  mentioned.add(domain);
  const known = Object.hasOwn(domains, domain) ? domains[domain] : undefined;
  if (known && known.ignored === undefined) return;
  const suggestion = known ? undefined : nearestWord(domain, Object.keys(domains));
  problems.warning(
    keyAt,
    `annotations of ${quote(domain)} are ignored: ${known?.ignored ?? 'nothing here reads them'}`,
    suggestion,
  );
}

function split(key: string): [domain: string, name: string] {
  const slash = key.indexOf('/');
  return slash < 0 ? [key, ''] : [key.slice(0, slash), key.slice(slash + 1)];
}
