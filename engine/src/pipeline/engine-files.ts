/** The one place that knows where the engine's own files lie, built or not. */
import { loadKernelModule } from '../batch/kernel-module.ts';

const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';

export function engineFiles(): { readonly workerEntry: URL; readonly kernel: WebAssembly.Module } {
  return { workerEntry: new URL(`../worker/entry.${ending}`, import.meta.url), kernel: loadKernelModule() };
}

export function probeEntry(): URL {
  return new URL(`./probe-entry.${ending}`, import.meta.url);
}
