/**
 * A second reporter beside node's: `--test-reporter=./scripts/no-skips.ts`. In CI a test that is skipped has failed, but for those
 * listed here. It speaks while tests run, so that the closing lines stay those of node's runner.
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Tests that may be skipped in CI, by file and name, and why nothing can be done about it. */
export const allowedSkips: readonly { readonly file: string; readonly test: string; readonly why: string }[] = [
  {
    file: 'engine/src/connectors/file/sink.test.ts',
    test: 'on a full disk cuts the chunk off, asks for a retry, and the retry succeeds once there is space',
    why: 'only root with the right to mount can make a small file system; /dev/full and ulimit -f test its halves everywhere',
  },
  {
    file: 'examples/wasm-functions/functions.test.ts',
    test: 'the Go function built from source answers by the JSON form of the contract',
    why: 'no package of the system brings Go 1.24, and the module is too large to be committed',
  },
  {
    file: 'engine/src/wasm/rline-function.test.ts',
    test: 'a Go function runs, with its runtime and the JSON form',
    why: 'as above; other tests speak the JSON form',
  },
];

interface TestEvent {
  readonly type: string;
  readonly data: { readonly name?: string; readonly file?: string; readonly skip?: string | boolean };
}

export default async function* noSkips(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' || data.skip === undefined) continue;
    const file = relative(root, data.file ?? '');
    if (allowedSkips.some((allowed) => allowed.file === file && allowed.test === data.name)) continue;
    process.exitCode = 1;
    const reason = typeof data.skip === 'string' && data.skip !== '' ? data.skip : 'no reason is given';
    yield `Cannot count "${data.name}" in ${file} as tested: it was skipped (${reason}), expected in CI that every test runs\n`;
  }
}
