import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { builtins, nodeKinds } from '../nodes.ts';
import { reef, temporaryFolder, writePunchline } from '../testing/reef-process.ts';
import { installCommand, missingLibraries } from './client-libraries.ts';

test('libraries that are there are not missing, be they the engine’s or beside a user’s module', (t) => {
  const folder = temporaryFolder(t);
  const own = join(folder, 'node_modules', 'reef-made-up-client');
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'package.json'), '{"name":"reef-made-up-client","version":"1.2.3","type":"module","exports":"./x.js"}');
  writeFileSync(join(own, 'x.js'), '');
  const module = pathToFileURL(join(folder, 'node.ts')).href;
  const requires = { valibot: '1.5.0', 'reef-made-up-client': '1.2.3', '@reef/other-made-up': '2.0.0' };
  assert.deepEqual(missingLibraries(requires, module), ['@reef/other-made-up@2.0.0']);
  assert.equal(
    installCommand(missingLibraries(requires, 'mqtt')),
    'npm install reef-made-up-client@1.2.3 @reef/other-made-up@2.0.0',
  );
  assert.deepEqual(missingLibraries(undefined), []);
});

const engine = new URL('../../dist/index.js', import.meta.url);
const sinkText = `import { sink } from '${engine}';
export default sink({ summary: 'A test.', settings: {}, examples: [], codecs: ['json'], delivery: 'None.',
  requires: { 'reef-made-up-client': '1.2.3' },
  open: async () => { await import('reef-made-up-client'); throw new Error('opened'); } });\n`;

test('check and run name the command for a library that is missing, at the type, and start nothing', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'out.js'), sinkText);
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'generator', settings: { messages: ['a'] }, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: './out.js' },
  ]);
  const column = readFileSync(file, 'utf8').indexOf('"./out.js"') + 1;
  for (const command of [
    ['check', file, '--run-modules'],
    ['run', file, '--state', join(folder, 'state')],
  ]) {
    const { code, stderr } = await reef(t, command);
    assert.equal(code, 3, stderr);
    assert.ok(stderr.includes(`:1:${column}: `), stderr);
    assert.match(
      stderr,
      /node "out" needs reef-made-up-client@1\.2\.3, which is not installed, expected it: npm install reef-made-up-client@1\.2\.3/,
    );
  }
});

test('every library that a node type requires is an optional dependency of the engine, in that version', async () => {
  const { optionalDependencies = {} } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    optionalDependencies?: Record<string, string>;
  };
  for (const kind of nodeKinds) {
    for (const [type, load] of Object.entries(builtins[kind])) {
      const { requires = {} } = (await load()).default;
      for (const [name, version] of Object.entries(requires))
        assert.equal(optionalDependencies[name], version, `${kind} ${type}`);
    }
  }
});

test('what a node type requires is not loaded by a punchline that does not use it', async (t) => {
  const folder = temporaryFolder(t);
  const { optionalDependencies = {} } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    optionalDependencies?: Record<string, string>;
  };
  writeFileSync(join(folder, 'in.jsonl'), '{"a":1}\n');
  const file = writePunchline(folder, 'BatchPunchline', [
    { id: 'in', kind: 'source', type: 'file', settings: { path: 'in.jsonl' }, out: [{ id: 'out' }] },
    { id: 'out', kind: 'sink', type: 'blackhole' },
  ]);
  // Told of every module that the process resolves, in all threads.
  const hook = join(folder, 'hook.cjs');
  writeFileSync(
    hook,
    `const { appendFileSync } = require('node:fs');
     require('node:module').registerHooks({ resolve(specifier, context, next) {
       appendFileSync(${JSON.stringify(join(folder, 'loaded'))}, specifier + '\\n'); return next(specifier, context); } });`,
  );
  const { code, stderr } = await reef(t, ['run', file, '--state', join(folder, 'state')], { NODE_OPTIONS: `--require=${hook}` });
  assert.equal(code, 0, stderr);
  const loaded = new Set(readFileSync(join(folder, 'loaded'), 'utf8').split('\n'));
  assert.ok(loaded.has('node:fs') || loaded.size > 3, 'the hook saw nothing');
  for (const name of Object.keys(optionalDependencies)) {
    assert.ok(![...loaded].some((specifier) => specifier === name || specifier.startsWith(`${name}/`)), `${name} was loaded`);
  }
});
