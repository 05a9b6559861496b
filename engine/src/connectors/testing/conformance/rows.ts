/** The rows of the suite: `n` tells them apart, `text` is what may be spoilt on the way. */
export interface Row {
  readonly n: number;
  readonly text: string;
}

export function numberedRows(count: number, { from = 0, text = '' }: { from?: number; text?: string } = {}): Row[] {
  return Array.from({ length: count }, (_, index) => ({ n: from + index, text }));
}

/** What connectors are known to spoil. */
export function oddRows(longest = 1_000_000): Row[] {
  const controls = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('');
  const texts = [
    '',
    ' ',
    'plain',
    controls,
    `\u007f\u0080\u009f\u00a0\u00ad`,
    'line\nbreak\r\nand\ttab',
    'quote " backslash \\ slash / percent %41 $x <13> {"a":1}',
    'Ünïcödé — 日本語 — العربية — 👩‍👩‍👧 — \u{10ffff} \ufeff \u2028\u2029',
    'e\u0301 is not \u00e9',
    'x'.repeat(longest - 100),
    '\u{1f40b}'.repeat(5000),
  ];
  return texts.map((text, n) => ({ n, text }));
}

export function jsonLines(rows: readonly Row[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
}

/** Rows of complete lines: what a killed process left of one is no row. */
export function parseLines(text: string): Row[] {
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Row];
    } catch {
      return [];
    }
  });
}

export interface Expectation {
  /** Each came once only. Default false: at least once. */
  readonly once?: boolean;
  /** They came in the order of `n`, looking at the first time of each. Default false. */
  readonly ordered?: boolean;
}

/** Rows that have not arrived, and may still come. */
export function missingRows(expected: readonly Row[], arrived: readonly Row[]): number[] {
  const seen = new Set(arrived.map(({ n }) => n));
  return expected.filter(({ n }) => !seen.has(n)).map(({ n }) => n);
}

/** What is wrong with rows that arrived; `undefined`: nothing. */
export function difference(
  expected: readonly Row[],
  arrived: readonly Row[],
  { once, ordered }: Expectation = {},
): string | undefined {
  const first = new Map<number, Row>();
  let again = 0;
  let highest = -1;
  let early: number | undefined;
  for (const row of arrived) {
    if (first.has(row.n)) {
      again++;
      continue;
    }
    first.set(row.n, row);
    if (row.n < highest) early ??= row.n;
    highest = Math.max(highest, row.n);
  }
  const wanted = new Map(expected.map((row) => [row.n, row]));
  const lost = missingRows(expected, arrived);
  if (lost.length > 0) return `${lost.length} of ${expected.length} rows are lost: ${someOf(lost)}`;
  const spoilt = expected.filter(({ n, text }) => first.get(n)!.text !== text);
  if (spoilt.length > 0) {
    const { n, text } = spoilt[0]!;
    return `${spoilt.length} rows are spoilt: ${n} is ${shown(first.get(n)!.text)}, expected ${shown(text)}`;
  }
  const foreign = [...first.keys()].filter((n) => !wanted.has(n));
  if (foreign.length > 0) return `rows came that nobody sent: ${someOf(foreign)}`;
  if (once && again > 0) return `${again} rows came again, expected each once`;
  if (ordered && early !== undefined)
    return `row ${early} came behind row ${highest}, expected the order in which they were sent`;
  return undefined;
}

function someOf(numbers: readonly number[]): string {
  return `${numbers.slice(0, 10).join(', ')}${numbers.length > 10 ? ', …' : ''}`;
}

function shown(text: unknown): string {
  const json = JSON.stringify(text) ?? 'missing';
  return json.length > 80 ? `${json.slice(0, 80)}… (${json.length} characters)` : json;
}
