/** Files as Punch's users write them, read with the node types that Reef really has. What cannot run must say why, and nothing else. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadPunchlines } from './load.ts';
import { renderProblem } from './problem.ts';

const folder = join(import.meta.dirname, 'corpus', 'punch');

/** A node type, or an encoding, that is not there; the message says whose it is. */
const notHere =
  /: unknown (source|function|sink) type ".*", expected one of .* \(.*(Reef has not|does not load).*\)$|"encoding" is "wav"/;

for (const name of readdirSync(folder)) {
  test(`read as it is, as far as its node types exist: ${name}`, async () => {
    const { punchlines, problems } = await loadPunchlines(name, { cwd: folder, env: {} });
    const errors = problems.filter(({ severity }) => severity === 'error').map((problem) => renderProblem(problem));
    assert.deepEqual(
      errors.filter((error) => !notHere.test(error)),
      [],
    );
    assert.ok(errors.length > 0 || punchlines.length > 0);
  });
}

test('a device of the cyber demonstration is read with everything that it says', async () => {
  const { punchlines } = await loadPunchlines('cyber-device.yaml', { cwd: folder, env: {} });
  const { kind, name, annotations, nodes } = punchlines[0]!;
  assert.equal(kind, 'BatchPunchline');
  assert.equal(name, 'cyber-apache');
  assert.equal(annotations['devices.punchplatform.com/id'], 'zone-europe-west1-apache');
  assert.deepEqual(nodes[0]!.exit, { success: { rows: 100 } });
  assert.equal(nodes[1]!.type, 'stdout');
});

test('each document of a file is read by itself', async () => {
  const { problems } = await loadPunchlines('two-of-the-java-engine.yaml', { cwd: folder, env: {} });
  const told = problems.filter(({ severity }) => severity === 'error').map(({ line }) => line);
  assert.deepEqual(told, [9, 34, 37]);
});
