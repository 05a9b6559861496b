const MOST_SHOWN = 500;

/** Text of an answer for people: its beginning, in one line. */
export function excerpt(body: Uint8Array): string {
  const text = Buffer.from(body).toString('utf8').replaceAll(/\s+/g, ' ').trim();
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}
