// The floor: read the file and find its newlines with Buffer.indexOf; nothing is parsed, nothing is written.
// Usage: node indexof.mjs INPUT
import { open } from 'node:fs/promises';

const file = await open(process.argv[2]);
const chunk = Buffer.allocUnsafe(1 << 20);
let rows = 0;
for (;;) {
  const { bytesRead } = await file.read(chunk, 0, chunk.length);
  if (bytesRead === 0) break;
  const bytes = chunk.subarray(0, bytesRead);
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) rows++;
}
await file.close();
console.log(rows);
