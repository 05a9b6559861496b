/** What stands in a column instead of what a function wants, in words. */
const kindWords = [
  'missing',
  'a string',
  'an integer',
  'a float',
  'a boolean',
  'a boolean',
  'null',
  'an object',
  'a list',
  'a string',
];

/** Why a value of kind `kind` is of no use: `column "a" is missing, expected text`. */
export function missingText(kind: number, column: string, expected: string): string {
  return `column ${JSON.stringify(column)} is ${kindWords[kind]}, expected ${expected}`;
}

/** The choice that functions have for rows that they cannot work on. */
export const onErrorDoc =
  'What becomes of a row that cannot be worked on. `reject`: it goes to the error table, with the reason. `keep`: it goes on as it was.';
