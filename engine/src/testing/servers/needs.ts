/**
 * What tests with real servers want of the machine. It is installed only where that was asked for (`CI=true` or `REEF_SETUP=1`);
 * elsewhere the tests are skipped and say what is missing. In CI a skipped test has failed (scripts/no-skips.ts).
 *
 *     const skip = await missing(program('mosquitto', 'mosquitto'));
 *     test('…', { skip }, …);
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runProgram } from './run-program.ts';

export interface Need {
  /** `undefined`: it is there; else what is missing, and how it is had. */
  lacks(): Promise<string | undefined>;
  install(): Promise<void>;
}

/** False when all is there; else the reason for which a test is skipped. */
export async function missing(...needs: readonly Need[]): Promise<string | false> {
  for (const need of needs) {
    let lack = await need.lacks();
    if (lack !== undefined && mayInstall()) {
      try {
        await need.install();
      } catch (error) {
        return `${lack}; ${(error as Error).message}`;
      }
      lack = await need.lacks();
    }
    if (lack !== undefined) return lack;
  }
  return false;
}

export function mayInstall(): boolean {
  return process.env.CI === 'true' || process.env.REEF_SETUP === '1';
}

/** A program of a Debian package. `command`: its name, or a path where it is not on PATH. */
export function program(command: string, debianPackage: string): Need {
  return {
    lacks: async () =>
      findProgram(command) === undefined
        ? `${command} is not installed, expected the Debian package ${debianPackage} (REEF_SETUP=1 installs it)`
        : undefined,
    install: () => installPackage(debianPackage),
  };
}

const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Where a program lies: on PATH, or where Debian puts those for administrators, which is not on everybody's. */
export function findProgram(command: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  const candidates = command.includes('/') ? [command] : folders.map((folder) => join(folder, command));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** apt waits for other files of tests that install at the same time. Services that packages bring are not started. */
async function installPackage(name: string): Promise<void> {
  const sudo = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const apt = [...sudo, 'env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', '-o', 'DPkg::Lock::Timeout=600', '-qq'];
  const install = [...apt, 'install', '--no-install-recommends', '-y', name];
  const options = { timeoutMs: 600_000 };
  // Without lists, or with old ones, the first try fails.
  await runProgram(install, options).catch(async () => {
    await runProgram([...apt, 'update'], options);
    await runProgram(install, options);
  });
}
