import { checkSize } from './program.ts';
import { parseRegex, RegexError } from './syntax.ts';

/** What is wrong with an expression, to be read behind the place: `stands a ( that is not closed`. Places count from 1. */
export interface RegexProblem {
  readonly place: number;
  readonly message: string;
}

export function regexProblem(source: string): RegexProblem | undefined {
  try {
    checkSize(parseRegex(source));
    return undefined;
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    return { place: error.at + 1, message: `stands ${error.message}` };
  }
}
