import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/test-context.ts';

/** Probes as a user whom rights hinder, for good: `access` asks for the real user, whom a process cannot put on for a while. */
const asNobody = (folder: string): string => `
  const { probeFilesToRead, probeFileToWrite } = await import(${JSON.stringify(new URL('./probe.ts', import.meta.url).href)});
  if (process.getuid() === 0) process.setuid(65534);
  const say = async (probe, path) =>
    console.log(await probe({ id: 'x', folder: ${JSON.stringify(folder)}, path }).then((lines) => lines[0], (error) => error.message));
  await say(probeFileToWrite, 'locked/out.jsonl');
  await say(probeFileToWrite, 'locked/secret.jsonl');
  await say(probeFilesToRead, 'locked/secret.jsonl');
  await say(probeFileToWrite, 'open/new/%{day}/out.jsonl');
  await say(probeFilesToRead, 'none/*.jsonl');`;

test('files that may not be read or written are told of, those that may be are not', async (t) => {
  const folder = await temporaryFolder(t);
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'locked'), { mode: 0o555 });
  mkdirSync(join(folder, 'open'));
  chmodSync(join(folder, 'open'), 0o777);
  writeFileSync(join(folder, 'locked', 'secret.jsonl'), '', { mode: 0o000 });
  const lines = execFileSync(process.execPath, ['--input-type=module', '-e', asNobody(folder)], { encoding: 'utf8' }).split('\n');
  assert.match(lines[0]!, /Cannot write file sink "x".*locked/);
  assert.match(lines[1]!, /Cannot write file sink "x".*secret/);
  assert.match(lines[2]!, /Cannot read file source "x".*secret/);
  assert.equal(lines[3], `may make ${join(folder, 'open/new')}`);
  assert.match(lines[4]!, /may read 0 files of/);
});
