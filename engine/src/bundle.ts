/** What scripts/bundle.ts makes one file of: all that a process or thread of the command may begin with, loaded when asked for. */
import { provideEngine } from './spec/own-engine.ts';

provideEngine(() => import('./index.ts'));

export const command = (): Promise<typeof import('./cli/command.ts')> => import('./cli/command.ts');
export const probe = (): Promise<unknown> => import('./pipeline/probe-entry.ts');
