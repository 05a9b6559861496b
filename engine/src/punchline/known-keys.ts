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
