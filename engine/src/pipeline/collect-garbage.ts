/** V8 collects while it allocates; a process that has gone idle does not, and would keep its garbage. So it is told once. */
export function collectGarbage(): void {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  const gc = process.getBuiltinModule('node:vm').runInNewContext('gc') as NodeJS.GCFunction;
  // Also gives back what V8 would keep for the next allocations: 3 MB.
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
