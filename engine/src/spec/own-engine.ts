/**
 * What users' modules get for `import … from '@reef/engine'`: the engine that runs them, which is loaded already. Node would find the
 * package's own files, a second copy of the same code, and read, compile and keep a dozen of them in every thread.
 */
import { registerHooks } from 'node:module';

const NAME = '@reef/engine';
const URL_OF_IT = 'reef:engine';

type Exports = Readonly<Record<string, unknown>>;

let load: (() => Promise<Exports>) | undefined;
let registered: Promise<void> | undefined;

/** Says where the engine's exports are to be had. */
export function provideEngine(from: () => Promise<Exports>): void {
  load = from;
}

/** From now on this thread's modules get it. Nothing happens where nobody has provided it. */
export function useOwnEngine(): Promise<void> {
  registered ??= load ? load().then(register) : Promise.resolve();
  return registered;
}

function register(engine: Exports): void {
  const key = Symbol.for(URL_OF_IT);
  Object.assign(globalThis, { [key]: engine });
  const source = `const engine = globalThis[Symbol.for('${URL_OF_IT}')];\nexport const { ${Object.keys(engine).join(', ')} } = engine;`;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier !== NAME) return nextResolve(specifier, context);
      return { url: URL_OF_IT, format: 'module', shortCircuit: true };
    },
    load(url, context, nextLoad) {
      if (url !== URL_OF_IT) return nextLoad(url, context);
      return { format: 'module', source, shortCircuit: true };
    },
  });
}
