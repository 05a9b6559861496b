/**
 * Passwords, keys and tokens that this process has read. What it says to people (log lines, messages, reasons in error documents)
 * goes through {@link redacted}, wherever the text comes from: a client library that quotes its URL knows nothing of secrets. The
 * list is one for the whole process, because a punchline's secret must not show in what is said of another one either.
 * Rows are no messages: a secret that a punchline puts into a column stands there.
 */

import type { Json } from './plan.ts';

/** Shorter ones are not looked for: every second line would hold them. */
export const SHORTEST_SECRET = 4;
const SHOWN = '***';
/** What lies deeper in data is not shown: it may lead back to where it began. */
const DEEPEST = 5;
/** Of a secret with several lines (a key in PEM), each line this long is one by itself. */
const SHORTEST_LINE = 16;

const kept = new Set<string>();
let forms: readonly string[] = [];
let whole: RegExp | undefined;

/** From now on the text does not stand in anything that the process says, as it is or escaped for JSON, XML, URLs or in base64. */
export function keepSecret(secret: string): void {
  if (secret.length < SHORTEST_SECRET || kept.has(secret)) return;
  kept.add(secret);
  learn();
}

/** The secret is one no more (a token that has run out): a list that only grew would cost more with every line. */
export function forgetSecret(secret: string): void {
  if (kept.delete(secret)) learn();
}

function learn(): void {
  const all = Array.from(kept, (secret) => {
    const lines = secret.split(/\r?\n/).filter((line) => line.length >= SHORTEST_LINE);
    return [secret, ...lines].flatMap(spellings);
  });
  // The longest first, so that no piece of a longer one is left over.
  forms = [...new Set(all.flat())].sort((a, b) => b.length - a.length);
  const patterns = forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  whole = forms.length === 0 ? undefined : new RegExp(patterns.join('|'), 'g');
}

/** For the process's other threads. */
export function keptSecrets(): readonly string[] {
  return [...kept];
}

/** The text without the secrets that stand in it, also where one was cut off (`hunt…`). */
export function redacted(text: string): string {
  if (whole === undefined) return text;
  return withoutCutSecrets(text.replace(whole, SHOWN));
}

/** Words in front of dots that stand for more. Looked for from the dots back: from a word on, long ones would cost their square. */
function withoutCutSecrets(text: string): string {
  let out = '';
  let done = 0;
  for (const { index } of text.matchAll(/…|\.\.\./g)) {
    let from = index;
    while (from > done && !/\s/.test(text[from - 1]!)) from--;
    out +=
      text.slice(done, from) +
      (index - from < SHORTEST_SECRET ? text.slice(from, index) : withoutCutSecret(text.slice(from, index)));
    done = index;
  }
  return out + text.slice(done);
}

/** A copy, fit for JSON, of anything that a message brings along: without secrets, also where one is a number. */
export function redactedData(value: unknown, depth = 0): Json {
  switch (typeof value) {
    case 'string':
      return redacted(value);
    case 'boolean':
      return value;
    case 'number':
      return kept.has(String(value)) ? SHOWN : value;
    case 'bigint':
      return redacted(String(value));
    case 'object': {
      if (value === null) return null;
      if (value instanceof Error) return redacted(value.message);
      if (depth > DEEPEST) return '…';
      if (Array.isArray(value)) return value.map((item) => redactedData(item, depth + 1));
      const entries = Object.entries(value).filter(([, item]) => item !== undefined && typeof item !== 'function');
      return Object.fromEntries(entries.map(([key, item]) => [redacted(key), redactedData(item, depth + 1)]));
    }
    default:
      return null;
  }
}

function withoutCutSecret(word: string): string {
  for (const form of forms) {
    for (
      let from = word.indexOf(form.slice(0, SHORTEST_SECRET));
      from >= 0;
      from = word.indexOf(form.slice(0, SHORTEST_SECRET), from + 1)
    ) {
      if (form.startsWith(word.slice(from))) return word.slice(0, from) + SHOWN;
    }
  }
  return word;
}

function spellings(secret: string): string[] {
  const base64 = Buffer.from(secret).toString('base64');
  return [
    ...withinBase64(secret),
    secret,
    JSON.stringify(secret).slice(1, -1),
    secret
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&apos;'),
    // Not every text has this spelling: a lone surrogate has none.
    ...(secret.isWellFormed() ? [encodeURIComponent(secret)] : []),
    base64,
    Buffer.from(secret).toString('base64url'),
  ];
}

/** What of `user:password` in base64 the password alone decides, wherever it begins; too short a piece would be found everywhere. */
function withinBase64(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const piece = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return piece.length < 2 * SHORTEST_SECRET ? [] : [piece, piece.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
