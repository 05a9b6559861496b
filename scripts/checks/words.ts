/**
 * No file names the machine that it was written on: its folders, its package registries, download addresses in lock files.
 * The words are learned from the machine that runs the check, so none stands here.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { homedir, tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const folders = [dirname(root), homedir()]
  .filter((folder) => folder !== '/' && folder !== tmpdir())
  .map((folder) => `${folder}/`);
const registry = execFileSync('npm', ['config', 'get', 'registry'], { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();

const forbidden = [...folders, new URL(registry).host, ['"resolved":', '"http'].join(' ')];
const patterns = forbidden.flatMap((word) => ['-e', word]);
const { status, stdout, stderr } = spawnSync('git', ['grep', '-nIF', ...patterns, '--', '.'], { cwd: root, encoding: 'utf8' });
if (status === 0) console.error(`These lines name this machine or a registry:\n${stdout}`);
if (status !== 0 && status !== 1) console.error(stderr);
process.exitCode = status === 1 ? 0 : 1;
