/** Rows of cells as lines, every column but the last as wide as its widest cell, which may wrap at `width`. */
export function alignColumns(rows: readonly (readonly string[])[], width = Number.POSITIVE_INFINITY): string[] {
  const last = Math.max(...rows.map((row) => row.length)) - 1;
  const widths = Array.from({ length: last }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const indent = widths.reduce((sum, cell) => sum + cell + GAP, 0);
  return rows.flatMap((row) => {
    const start = widths.map((cell, column) => (row[column] ?? '').padEnd(cell + GAP)).join('');
    const [first = '', ...more] = wrap(row[last] ?? '', Math.max(width - indent, 20));
    return [(start + first).trimEnd(), ...more.map((line) => ' '.repeat(indent) + line)];
  });
}

const GAP = 2;

/** Cuts a text between words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
