/**
 * Makes one CommonJS file of the `reef` command and its probe, and one of its workers. A module costs about a millisecond to find,
 * read and link, and there are more than a hundred on the way to the first row; from one file whose compiled code V8 keeps, the
 * command starts in two thirds of the CPU time (bench/RESULTS.md).
 *
 *   node scripts/bundle.ts      prints the files that it made
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What every run needs; other packages are found where they are installed, when a node that uses them is opened. */
const inside = ['yaml', 'valibot'];

const dist = fileURLToPath(new URL('../engine/dist/', import.meta.url));

mkdirSync(dist, { recursive: true });
await bundle('bundle.ts', 'reef');
// Sources and sinks are opened on the main thread.
await bundle('bundle-worker.ts', 'reef-worker', /\/connectors\//);
const useCache = `require('node:module').enableCompileCache(__dirname + '/compile-cache');`;
writeFileSync(`${dist}probe.cjs`, `${useCache}\nrequire('./reef.cjs').probe();\n`);
writeFileSync(`${dist}worker.cjs`, `${useCache}\nrequire('./reef-worker.cjs');\n`);
// For setup.mjs, which removes whatever else it finds.
for (const part of ['reef', 'probe', 'reef-worker', 'worker']) console.log(`${dist}${part}.cjs`);

/** `left`: modules that are never loaded. */
async function bundle(entry: string, name: string, left?: RegExp): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL(`../engine/src/${entry}`, import.meta.url))],
    outfile: `${dist}${name}.cjs`,
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    minifyWhitespace: true,
    minifySyntax: true,
    // One byte a character: the text is not copied into V8's heap.
    charset: 'ascii',
    legalComments: 'none',
    define: { 'import.meta.url': 'here' },
    banner: { js: 'const here=require("node:url").pathToFileURL(__filename).href;' },
    plugins: [
      {
        name: 'other-packages-stay-outside',
        setup({ onResolve }) {
          if (left) onResolve({ filter: left }, ({ path }) => ({ path, external: true }));
          onResolve({ filter: /^[^./]/ }, ({ path }) => {
            if (path.startsWith('node:') || inside.some((name) => path === name || path.startsWith(`${name}/`))) return undefined;
            return { path, external: true };
          });
        },
      },
    ],
    logLevel: 'warning',
  });
}
