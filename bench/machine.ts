import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

/** What a reader must know to judge a figure: processor, system, versions. */
export function describeMachine(versions: readonly string[]): string[] {
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform;
  const memory = Math.round(totalmem() / 2 ** 30);
  return [
    `${availableParallelism()} × ${cpus()[0]?.model.trim()}, ${memory} GiB, ${system}, Linux ${release()}`,
    `Node ${process.versions.node}`,
    ...versions,
  ];
}
