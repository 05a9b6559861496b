/** Whoever starts something in a test says whose it is: it ends with a test, or with the whole file. */
import { after } from 'node:test';

export interface Owner {
  /** Registers what is done at the end. A `TestContext` has it. */
  after(fn: () => void | Promise<void>): void;
}

/** The file of tests that is running: what many of its tests share ends when all are done. */
export const wholeFile: Owner = { after: (fn) => after(fn) };
