/** What a test and the child process that runs its pipeline say to each other. */
import type { Punchline } from '../../spec/plan.ts';
import type { Taken } from './collector.ts';

export type ToChild =
  | { readonly type: 'run'; readonly punchline: Punchline; readonly stateFolder: string; readonly workers: number }
  /** To a chunk: the test has it, or refuses it. */
  | { readonly type: 'answer'; readonly number: number; readonly refused?: string };

export type FromChild =
  | { readonly type: 'took'; readonly number: number; readonly taken: Taken }
  | { readonly type: 'warned'; readonly message: string }
  | { readonly type: 'ended'; readonly failure: string | undefined };
