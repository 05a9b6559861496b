let count = 0;

/** A secret never stands in a punchline: it is put into the environment, and this is the reference to it. */
export function asSecret(value: string): string {
  const name = `REEF_TEST_SECRET_${count++}`;
  process.env[name] = value;
  return `\${${name}}`;
}
