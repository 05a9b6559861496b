import { readFileSync } from 'node:fs';
import { packageFile } from '../assets.ts';

export function reefVersion(): string {
  const text = readFileSync(packageFile(), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
