/** The one place that knows where the engine's own files lie, built or not. */

const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

export function workerEntry(): URL {
  return new URL(`../worker/entry.${ending}`, import.meta.url);
}

export function probeEntry(): URL {
  return new URL(`./probe-entry.${ending}`, import.meta.url);
}
