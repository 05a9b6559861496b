/**
 * Where the engine's own files lie that are not imported: entries of threads and processes, wasm modules. The same in all three
 * forms of the engine: the sources, the modules that tsc makes of them, and the command in one file (scripts/bundle.ts).
 */
const bundled = import.meta.url.endsWith('.cjs');
const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

export function workerEntry(): URL {
  return new URL(bundled ? './worker.cjs' : `./worker/entry.${ending}`, import.meta.url);
}

export function probeEntry(): URL {
  return new URL(bundled ? './probe.cjs' : `./pipeline/probe-entry.${ending}`, import.meta.url);
}

/** What `reef test` puts in place of sources and sinks: node types of their own, found like a user's. */
export function harnessFile(name: string): URL {
  return new URL(`./pipeline-tests/harness/${name}.${ending}`, import.meta.url);
}

/** A module of the kernel folder, prebuilt. */
export function kernelFile(name: string): URL {
  return new URL(`../kernel/build/${name}`, import.meta.url);
}

/** The folder of what `reef new` writes for a kind of node. */
export function templateFolder(kind: string): URL {
  return new URL(`../templates/${kind}/`, import.meta.url);
}

export function packageFile(): URL {
  return new URL('../package.json', import.meta.url);
}
