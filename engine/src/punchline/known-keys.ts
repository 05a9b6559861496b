/**
 * Every key of a punchline outside `settings`. `known` has a meaning here; `elsewhere` are keys of Punch's files that
 * matter to other programs, or to later versions: they are accepted with one warning that says so.
 */
export interface KeyTable {
  /** How messages call this map. */
  readonly where: string;
  readonly known: readonly string[];
  readonly elsewhere: Readonly<Record<string, string>>;
}

const kubernetes = 'it only matters to Kubernetes';
const operator = "it only matters to Punch's operator on Kubernetes";
/** Settings of the run: see run-time-settings.ts. */
const runTimeKeys = ['engine_settings', 'load_control', 'exit_conditions'];

export const documentKeys: KeyTable = {
  where: 'the punchline',
  known: ['apiVersion', 'kind', 'metadata', 'spec'],
  elsewhere: { status: kubernetes },
};

export const metadataKeys: KeyTable = {
  where: 'metadata',
  known: ['name', 'labels', 'annotations'],
  elsewhere: {
    creationTimestamp: kubernetes,
    deletionTimestamp: kubernetes,
    finalizers: kubernetes,
    generateName: kubernetes,
    generation: kubernetes,
    managedFields: kubernetes,
    namespace: kubernetes,
    ownerReferences: kubernetes,
    resourceVersion: kubernetes,
    selfLink: kubernetes,
    uid: kubernetes,
  },
};

export const specKeys: KeyTable = {
  where: 'spec',
  known: ['dag', ...runTimeKeys, 'engineSettings'],
  elsewhere: {
    affinity: operator,
    containers: operator,
    dependencies: 'artifacts are not fetched in this version',
    monitoringInterval: operator,
    secretRefs: operator,
    serviceAccount: operator,
    source: 'the place of a device only matters to a fleet server',
    volumes: operator,
  },
};

export const nodeKeys: KeyTable = {
  where: 'the node',
  known: ['id', 'kind', 'type', 'settings', 'out', ...runTimeKeys],
  elsewhere: {},
};

export const outKeys: KeyTable = { where: 'out', known: ['id', 'table', 'columns'], elsewhere: {} };

export const columnKeys: KeyTable = { where: 'the column', known: ['name', 'type'], elsewhere: {} };

/** What annotations of these domains are for. Annotations never change what a punchline does here. */
export const annotationDomains: Readonly<Record<string, string>> = {
  'artifacts.punchplatform.com': 'functions are not updated from a server in this version',
  'devices.punchplatform.com': 'they matter to a fleet server',
  'metrics.punchplatform.com': 'metrics are not pushed in this version',
  'prometheus.io': 'they matter to a Prometheus server',
  'punchplatform.thalesdigital.io': operator.replace(/^it only matters/, 'they only matter'),
};
