// The loop that a user would write: lines, JSON.parse, one more field, JSON.stringify, a write stream that is listened to.
// Usage: node node-loop.mjs INPUT OUTPUT
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';

const [input, output] = process.argv.slice(2);
const out = createWriteStream(output);

for await (const line of createInterface({ input: createReadStream(input), crlfDelay: Infinity })) {
  const row = JSON.parse(line);
  row.moment = momentOf(row.creation_timestamp);
  if (!out.write(`${JSON.stringify(row)}\n`)) await once(out, 'drain');
}
out.end();
await finished(out);

function momentOf(seconds) {
  const time = new Date(seconds * 1000);
  const hour = time.getUTCHours();
  if (time.getUTCMinutes() === 0 && (hour === 0 || hour === 12)) return hour === 0 ? 'midnight' : 'midday';
  return hour <= 8 || hour >= 20 ? 'night' : 'day';
}
