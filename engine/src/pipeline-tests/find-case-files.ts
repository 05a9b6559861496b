/** Which case files the arguments of `reef test` name. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { ReefError } from '../errors.ts';

/** A file of cases, or one of Punch's puncher. */
export interface FoundFile {
  /** For messages: relative where the argument was. */
  readonly file: string;
  readonly puncher: boolean;
}

const CASES = /\.test\.ya?ml$/;

/** Files stand for themselves (a punchline for its `NAME.test.yaml`), folders for all the case files below them. */
export async function findCaseFiles(args: readonly string[], cwd: string): Promise<FoundFile[]> {
  const found: FoundFile[] = [];
  for (const arg of args) found.push(...(await filesOf(arg, cwd)));
  const seen = new Set<string>();
  return found.filter(({ file }) => !seen.has(resolve(cwd, file)) && seen.add(resolve(cwd, file)));
}

async function filesOf(arg: string, cwd: string): Promise<FoundFile[]> {
  const path = resolve(cwd, arg);
  const kind = await stat(path).catch(() => undefined);
  if (!kind) throw new ReefError('config', `Cannot find ${arg}: there is no such file or folder`);
  if (!kind.isDirectory()) return [await fileOf(arg, path)];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(path, join(entry.parentPath, entry.name)))
    .filter((name) => !/(^|[\\/])(node_modules|\.[^\\/]+)[\\/]/.test(name))
    .sort();
  const files = names.flatMap((name): FoundFile[] => {
    if (CASES.test(name)) return [{ file: join(arg, name), puncher: false }];
    return isPuncher(name) ? [{ file: join(arg, name), puncher: true }] : [];
  });
  if (files.length === 0) throw new ReefError('config', `Cannot test ${arg}: no *.test.yaml stands below it`);
  return files;
}

async function fileOf(arg: string, path: string): Promise<FoundFile> {
  if (CASES.test(path)) return { file: arg, puncher: false };
  if (isPuncher(path)) return { file: arg, puncher: true };
  const beside = arg.replace(/\.ya?ml$/, '.test.yaml');
  const exists = beside !== arg && (await stat(path.replace(/\.ya?ml$/, '.test.yaml')).catch(() => undefined))?.isFile() === true;
  if (exists) return { file: beside, puncher: false };
  throw new ReefError(
    'config',
    `Cannot test ${arg}: it is no case file, and there is no ${beside} beside it, expected a name that ends in .test.yaml`,
  );
}

/** Punch keeps the cases of its parsers in a folder of this name. */
function isPuncher(name: string): boolean {
  return /(^|[\\/])puncher[\\/][^\\/]+\.(ya?ml|json)$/.test(name);
}
