/** Why `text` is no offset from UTC; `undefined` when it is one. */
export function offsetProblem(text: string): string | undefined {
  return pattern.test(text) ? undefined : `is ${JSON.stringify(text)}, expected an offset such as +02:00 or -05:30`;
}

const pattern = /^([+-])([01]\d|2[0-3]):([0-5]\d)$/;

/** Seconds that clocks with this offset are ahead of UTC. */
export function offsetSeconds(text: string): number {
  const [, sign, hours, minutes] = pattern.exec(text) ?? [];
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60);
}
