import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { isUserModule, loadUserModule, requireUserModule } from './user-module.ts';

const nodes = {
  source: "export default { kind: 'source', settings: {}, codecs: ['json'], open() {} };",
  function: "export default { kind: 'function', settings: {}, reads: () => [], writes: () => [], open() {} };",
  sink: "export default { kind: 'sink', settings: {}, codecs: ['json'], open() {} };",
} as const;

function folderWith(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'reef-modules-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

test('sources, functions and sinks come from files and from packages, and must be of the kind that the node says', async (t) => {
  const acme = 'node_modules/@acme/nodes';
  const exported = {
    './source': './source.js',
    './function': { import: './function.js', default: './function.js' },
    './sink': './sink.js',
  };
  const folder = folderWith(t, {
    ...Object.fromEntries(
      Object.entries(nodes).flatMap(([kind, text]) => [
        [`${kind}.mjs`, text],
        [`${acme}/${kind}.js`, text],
      ]),
    ),
    [`${acme}/package.json`]: JSON.stringify({ name: '@acme/nodes', type: 'module', exports: exported }),
  });
  for (const kind of ['source', 'function', 'sink'] as const) {
    assert.equal((await loadUserModule(kind, `./${kind}.mjs`, folder)).kind, kind);
    assert.equal((await loadUserModule(kind, `package:@acme/nodes/${kind}`, join(folder, 'below'))).kind, kind);
    const url = await requireUserModule(`package:@acme/nodes/${kind}`, folder);
    assert.equal(url, pathToFileURL(join(folder, acme, `${kind}.js`)).href);
  }
  await assert.rejects(
    loadUserModule('sink', 'package:@acme/nodes/source', folder),
    /it is a source, but the node says kind: sink$/,
  );
});

test('a package that is not there, or does not give what is asked for, is told with what would be right', async (t) => {
  const folder = folderWith(t, {
    'node_modules/only-import/package.json': JSON.stringify({ name: 'only-import', exports: { './a': { import: './a.js' } } }),
  });
  const problem = (type: string): Promise<string> =>
    loadUserModule('source', type, folder).then(
      () => 'it was loaded',
      (error: Error) => error.message,
    );
  assert.equal(
    await problem('package:no-such/thing'),
    'Cannot load node type "package:no-such/thing": there is no such package, expected one that is installed beside the punchline or above it (npm install no-such)',
  );
  assert.match(
    await problem('package:only-import/a'),
    /'\.\/a' is not defined by "exports" in .*, expected a `default` among its "exports"$/,
  );
  assert.equal(await problem('package:Not A Name'), 'Cannot load node type "package:Not A Name": that is no name of a package');
});

test("only paths, file: URLs and packages are users' modules", () => {
  for (const type of ['./a.ts', '../a.ts', 'file:///a.ts', '/a.ts', 'package:a']) assert.ok(isUserModule(type), type);
  for (const type of ['file', 'file_sink', 'a/b', '.hidden']) assert.ok(!isUserModule(type), type);
});
