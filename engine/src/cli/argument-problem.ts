/** What is wrong with a command line, from what `parseArgs` throws; the usage is printed below it. */
export function argumentProblem(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  // Node's own sentence goes on to explain how to pass such an argument as a file name.
  const name = code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? /'(-[^']*)'/.exec(message)?.[1] : undefined;
  return name === undefined ? message : `there is no option "${name}", expected one of those below`;
}
