/**
 * Client libraries are optional dependencies: who needs no Kafka installs no Kafka client. A node type lists in `requires` what it
 * loads when it is opened, so that one that is missing is told of, with the command that installs it, before anything starts.
 */
import { findPackageJSON } from 'node:module';

/** Exact versions by package name, those of `optionalDependencies` in engine/package.json. */
export type Requires = Readonly<Record<string, string>>;

/** What is not installed, as `name@version`. `type`: a user's module (`file:` URL), which may have libraries of its own. */
export function missingLibraries(requires: Requires | undefined, type = ''): string[] {
  if (requires === undefined) return [];
  const bases = [import.meta.url, ...(type.startsWith('file:') ? [type] : [])];
  return Object.entries(requires)
    .filter(([name]) => !bases.some((base) => isInstalled(name, base)))
    .map(([name, version]) => `${name}@${version}`);
}

/** The command that a user may paste. */
export function installCommand(missing: readonly string[]): string {
  return `npm install ${missing.join(' ')}`;
}

function isInstalled(name: string, base: string): boolean {
  try {
    return findPackageJSON(name, base) !== undefined;
  } catch {
    return false;
  }
}
