/** Poison in one punchline is no matter for another one in the same process: same main thread, other workers. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Probe, poisonPunchline, probePunchline, startBeside, type Window } from '../testing/neighbour.ts';
import { temporaryFolder } from '../testing/reef-process.ts';

const WINDOW_MS = 400;
const WINDOWS = 5;
/** What a row of the poison may take. If it held anything of the other punchline, a row there would wait for about as long. */
const POISON_MS = 300;
/** Beside other work on the machine, latencies below this say nothing. */
const NOISE_MS = POISON_MS / 2;

test('a punchline at half its saturation keeps its rate and latency while another one in its process runs poison', async (t) => {
  const [ownFolder, otherFolder] = [temporaryFolder(t), temporaryFolder(t)];
  const probe = new Probe();
  const own = await startBeside(probePunchline(ownFolder, probe), join(ownFolder, 'state'), 1);
  await pause(WINDOW_MS);
  const before = probe.delivered;
  await pause(WINDOW_MS);
  const saturation = ((probe.delivered - before) * 1000) / WINDOW_MS;
  probe.pace = saturation / 2;
  await probe.window(WINDOW_MS);
  // The machine may be busy with other things in one attempt; poison that holds the other punchline does so in each.
  let kept = false;
  for (let attempt = 0; attempt < 3 && !kept; attempt++) {
    const quiet = await probe.windows(WINDOW_MS, WINDOWS);
    const poison = await startBeside(poisonPunchline(otherFolder, POISON_MS), join(otherFolder, `state${attempt}`), 1);
    const beside = await probe.windows(WINDOW_MS, WINDOWS);
    const stopped = await poison.stop();
    t.diagnostic(
      `${Math.round(saturation / 2)} rows/s: alone ${percent(quiet)} with p99 ${quiet.p99.toFixed(1)} ms, beside poison ${percent(beside)} with p99 ${beside.p99.toFixed(1)} ms; the poison stopped in ${stopped.ms.toFixed(0)} ms`,
    );
    assert.equal(stopped.outcome, 'undrained');
    kept = beside.share > 0.7 && beside.p99 <= Math.max(2 * quiet.p99, NOISE_MS);
  }
  await own.stop();
  assert.ok(kept, 'in none of three attempts, see the figures above');
});

function percent({ share }: Window): string {
  return `${(share * 100).toFixed(0)} %`;
}
