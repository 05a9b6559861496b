import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { parseArtifactName, resolveModule } from './resolve-module.ts';
import { compareVersions } from './version.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

/** A folder with these files, and what `path` resolves to in it. */
function folderOf(t: TestContext, files: Files) {
  const folder = mkdtempSync(join(tmpdir(), 'reef-artifacts-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return async (path: string) => {
    const { bytes, from } = await resolveModule({ path, folder, artifacts: 'artifacts' });
    return { text: Buffer.from(bytes).toString(), from };
  };
}

/** A zip as Java writes it: local headers without sizes, data descriptors behind the data. */
function zip(files: Files, { stored = false, damage = false } = {}): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  const add = (bytes: Buffer): void => {
    parts.push(bytes);
    at += bytes.length;
  };
  for (const [name, content] of Object.entries(files)) {
    const data = Buffer.from(content as string);
    const packed = stored ? data : deflateRawSync(data);
    const sums = Buffer.alloc(12);
    sums.writeUInt32LE(damage ? 1 : crc32(data), 0);
    sums.writeUInt32LE(packed.length, 4);
    sums.writeUInt32LE(data.length, 8);
    const fixed = Buffer.alloc(8);
    fixed.writeUInt16LE(20, 0);
    fixed.writeUInt16LE(8, 2);
    fixed.writeUInt16LE(stored ? 0 : 8, 4);
    const offset = at;
    const lengths = Buffer.alloc(4);
    lengths.writeUInt16LE(Buffer.byteLength(name), 0);
    add(Buffer.concat([Buffer.from('PK\x03\x04'), fixed, Buffer.alloc(2), Buffer.alloc(12), lengths, Buffer.from(name), packed]));
    add(Buffer.concat([Buffer.from('PK\x07\x08'), sums]));
    const place = Buffer.alloc(4);
    place.writeUInt32LE(offset, 0);
    const by = Buffer.from([20, 0]);
    directory.push(
      Buffer.concat([
        Buffer.from('PK\x01\x02'),
        by,
        fixed,
        Buffer.alloc(2),
        sums,
        lengths,
        Buffer.alloc(10),
        place,
        Buffer.from(name),
      ]),
    );
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(directory.length, 4);
  end.writeUInt16LE(directory.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, central, Buffer.from('PK\x05\x06'), end]);
}

const metadata = (version: string, artifact = 'tool') =>
  `type: wasm\ngroup: punch\nartifact: ${artifact}\nversion: ${version}\nkeywords: [a]\n`;

test('a file is found beside the punchline, and its absence is told', async (t) => {
  const find = folderOf(t, { 'a.wasm': 'module', 'folder/x': '' });
  assert.equal((await find('./a.wasm')).text, 'module');
  assert.equal((await find('a.wasm')).text, 'module');
  await assert.rejects(
    find('./b.wasm'),
    /^ReefError: Cannot load wasm module "\.\/b\.wasm": .*b\.wasm does not exist, expected a wasm file$/,
  );
  await assert.rejects(find('folder'), /folder is a folder, expected a wasm file/);
});

test('a file of 70 MB is refused before it is read', async (t) => {
  const find = folderOf(t, { 'big.wasm': new Uint8Array(70_000_000) });
  await assert.rejects(find('big.wasm'), /it has 70000000 bytes, expected at most 67108864/);
});

test('the two ways to name an artifact are told from paths', () => {
  assert.deepEqual(parseArtifactName('g:a:1.0:f.wasm'), { group: 'g', artifact: 'a', version: '1.0', file: 'f.wasm' });
  assert.deepEqual(parseArtifactName('wasm:g:a:latest'), { group: 'g', artifact: 'a', version: 'latest', file: undefined });
  assert.equal(parseArtifactName('./a:b.wasm'), undefined);
  assert.throws(() => parseArtifactName('g:a:1.0'), /neither a file nor an artifact, expected/);
  assert.throws(() => parseArtifactName('g:a::f.wasm'), /neither a file nor an artifact/);
});

test('artifacts are found in zips, deflated or stored, and in unpacked folders', async (t) => {
  const find = folderOf(t, {
    'artifacts/tool-1.zip': zip({ 'metadata.yml': metadata('1.0'), 'tool.wasm': 'one' }),
    'artifacts/below/tool-2.zip': zip(
      { 'metadata.yaml': metadata('2.0'), 'tool.wasm': 'two', 'other.wasm': 'o' },
      { stored: true },
    ),
    'artifacts/three/metadata.yaml': metadata('1.10'),
    'artifacts/three/tool.wasm': 'three',
  });
  assert.equal((await find('punch:tool:1.0:tool.wasm')).text, 'one');
  assert.equal((await find('punch:tool:2.0:tool.wasm')).text, 'two');
  assert.equal((await find('wasm:punch:tool:1.10')).text, 'three');
  const latest = await find('punch:tool:latest:other.wasm');
  assert.equal(latest.text, 'o');
  assert.match(latest.from, /^punch:tool:2\.0 \(.*tool-2\.zip\)$/);
});

test('latest is the highest version, by numbers', () => {
  const versions = ['1.2', '1.10', '1.10-rc.1', '1.10-rc.10', '1.9.9', '2', '2.0.1', '10.0', '2.0.1-beta'];
  assert.deepEqual(versions.sort(compareVersions), [
    '1.2',
    '1.9.9',
    '1.10-rc.1',
    '1.10-rc.10',
    '1.10',
    '2',
    '2.0.1-beta',
    '2.0.1',
    '10.0',
  ]);
});

test('a v before the number of a version counts for nothing', () => {
  const versions = ['v1.2', '2.0', '1.10', 'V1.9', 'v2.1-rc.1', 'vNext'];
  assert.deepEqual(versions.sort(compareVersions), ['v1.2', 'V1.9', '1.10', '2.0', 'v2.1-rc.1', 'vNext']);
});

test('what is not there is told with what is', async (t) => {
  const find = folderOf(t, {
    'artifacts/a.zip': zip({ 'metadata.yml': metadata('1.0'), 'tool.wasm': 'one', 'more.wasm': 'x' }),
    'artifacts/b.zip': zip({ 'metadata.yml': metadata('1.1'), 'readme.txt': '' }),
  });
  await assert.rejects(find('punch:tol:1.0:tool.wasm'), /holds no artifact punch:tol; did you mean "punch:tool"\?/);
  await assert.rejects(find('punch:tool:3.0:tool.wasm'), /holds no version 3\.0 of punch:tool, only 1\.1, 1\.0/);
  await assert.rejects(find('punch:tool:1.0:tol.wasm'), /a\.zip has no file tol\.wasm, only tool\.wasm, more\.wasm/);
  await assert.rejects(find('wasm:punch:tool:1.0'), /2 wasm files \(tool\.wasm, more\.wasm\), expected one; name it/);
  await assert.rejects(find('wasm:punch:tool:1.1'), /no wasm file, expected one/);
});

test('a missing artifact folder is told', async (t) => {
  await assert.rejects(
    folderOf(t, {})('wasm:punch:tool:1.0'),
    /^ReefError: Cannot load wasm module "wasm:punch:tool:1\.0": the artifact folder .* does not exist; set artifacts to a folder/,
  );
});

test('metadata that is no YAML is told', async (t) => {
  const find = folderOf(t, { 'artifacts/a.zip': zip({ 'metadata.yml': '{[: ', 'tool.wasm': 'one' }) });
  await assert.rejects(find('wasm:punch:tool:1.0'), /a\.zip was passed over: its metadata is no YAML: /);
});

test('two artifacts of one version are an error that names both', async (t) => {
  const one = zip({ 'metadata.yml': metadata('1.0'), 'tool.wasm': 'one' });
  const find = folderOf(t, { 'artifacts/a.zip': one, 'artifacts/b.zip': one });
  await assert.rejects(
    find('wasm:punch:tool:latest'),
    /version 1\.0 of punch:tool stands twice, in .*a\.zip and .*b\.zip: remove one/,
  );
});

test('zips that are broken, lead outside or lack metadata are named, and do not hide the others', async (t) => {
  const good = zip({ 'metadata.yml': metadata('1.0'), 'tool.wasm': 'one' });
  const find = folderOf(t, {
    'artifacts/good.zip': good,
    'artifacts/cut.zip': good.subarray(0, 60),
    'artifacts/text.zip': 'no zip at all',
    'artifacts/evil.zip': zip({ 'metadata.yml': metadata('9.0'), '../../evil.wasm': 'x' }),
    'artifacts/absolute.zip': zip({ '/etc/x.wasm': 'x' }),
    'artifacts/bare.zip': zip({ 'tool.wasm': 'x' }),
    'artifacts/nameless.zip': zip({ 'metadata.yml': 'group: punch\nversion: 1\n' }),
    'artifacts/damaged.zip': zip({ 'metadata.yml': metadata('8.0'), 'tool.wasm': 'x' }, { damage: true }),
  });
  assert.equal((await find('wasm:punch:tool:latest')).text, 'one');
  await assert.rejects(find('wasm:punch:tool:9.0'), (error: Error) => {
    assert.match(error.message, /absolute\.zip was passed over: it is no zip that can be read: absolute path/);
    assert.match(
      error.message,
      /evil\.zip was passed over: it is no zip that can be read: invalid relative path: \.\.\/\.\.\/evil\.wasm/,
    );
    assert.match(error.message, /cut\.zip was passed over: it is no zip/);
    assert.match(error.message, /text\.zip was passed over: it is no zip/);
    assert.match(error.message, /bare\.zip was passed over: it holds no metadata\.yaml/);
    assert.match(error.message, /nameless\.zip was passed over: its metadata has no artifact/);
    assert.match(error.message, /damaged\.zip was passed over: "metadata\.yml" is damaged: its checksum is wrong/);
    return true;
  });
});
