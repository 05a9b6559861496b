/**
 * The layout that the kernel (engine/kernel, AssemblyScript) and its TypeScript side share. All numbers little-endian, all
 * pointers u32 byte offsets into the one shared memory. Change both sides in one commit.
 *
 * A kernel instance owns an *arena*: a range of the shared memory that no other instance touches. `reset(start, end)` empties
 * it, `alloc(bytes)` takes a 16-aligned piece (0: full). Functions that need scratch allocate there. An input slot is never
 * written. 64 bytes behind every input range are readable (not meaningful).
 *
 * What must outlive a `reset` (the key names, the table that `setKeys` takes) is allocated first; later resets begin behind it,
 * at `start + used()`, with the same `end`.
 *
 * ## Row table (made by scanJson, scanLines, scanCsv)
 * | offset | what |
 * | 0  | u32 count: rows found; blank lines are not rows |
 * | 4  | u32 consumed: pointer behind the last byte that belongs to a found row or blank line |
 * | 8  | u32 malformed: rows with error SYNTAX… (codes below NOT_OBJECT) |
 * | 12 | u32 notObject |
 * | 16 | u32 blank |
 * | 20 | u32 cap: rows that the table has room for |
 * | 24 | u32 keys: number of key columns |
 * | 28 | u32 reserved |
 * | 32 | u32 start[cap]: pointer to the row's `{` (a bad row or line: to its first byte) |
 * |    | u32 end[cap]: pointer behind the row's `}` (a bad row or line: behind its last byte, without \n and without a \r before it) |
 * |    | u32 error[cap]: 0 or an error code |
 * |    | u32 errorAt[cap]: pointer to the byte where the error was seen |
 * |    | then per key, in order: u32 start[cap], u32 end[cap] (the value's bytes, white space around it left out; a string with its quotes), u8 kind[cap] (ValueKind, | 0x80 when the key stands there more than once: the range is the last one) |
 * `cap` is a multiple of 16.
 */
export const ROW_TABLE_HEADER = 32;
export const KIND_DUPLICATE = 0x80;
export const KIND_MASK = 0x0f;

export function rowTableBytes(cap: number, keys: number): number {
  return ROW_TABLE_HEADER + cap * 16 + keys * cap * 9;
}

/** Codes in `error[]`, with the sentence that people read. */
export const rowErrors: Readonly<Record<number, string>> = {
  1: 'is not valid JSON',
  2: 'is not valid JSON: a string is not closed',
  3: 'is not valid JSON: a control character stands in a string',
  4: 'is not valid JSON: a bad escape in a string',
  5: 'is not valid UTF-8',
  6: 'is not valid JSON: a bad number or literal',
  7: 'is not valid JSON: nested too deep (more than 1024 levels)',
  8: 'is not valid JSON: the row ends too early',
  9: 'is not valid JSON: something follows the value',
  32: 'has a quote inside of a field that does not begin with one, expected the whole field in quotes and such a quote doubled',
  33: 'has something between the closing quote of a field and the next separator, expected a quote inside of a field doubled',
  34: 'has a quote that is never closed',
  64: 'is valid JSON but no object',
};
export const ROW_NOT_OBJECT = 64;
/** A row of CSV with another number of fields than there are columns: `errorAt` is that number. */
export const ROW_FIELDS = 35;

/** How the payloads of records are scanned: as JSON rows, as lines, each as one line whatever it holds, or as lines behind their counts. */
export const recordModes = { json: 0, lines: 1, whole: 2, counted: 3 } as const;

/** What a kernel instance exports for scanning; the column and encoding exports are typed beside their users. */
export interface ScanExports {
  reset(start: number, end: number): void;
  alloc(bytes: number): number;
  /** Bytes of the arena in use since the last `reset`. */
  used(): number;
  /**
   * Takes the names (UTF-8, unescaped) of the key columns: `table` points to `count` pairs (u32 pointer, u32 length).
   * Names, pairs and the 2 KiB that it takes from the arena must stay in place. At most 256. Returns 0, or -1: the arena is
   * full, or too many.
   */
  setKeys(table: number, count: number): number;
  /**
   * Scans NDJSON in `[from, to)` into the row table at `table` (its `cap` is set by the caller).
   * `last` = 0: bytes behind the last newline are left (not consumed); 1: they are a row.
   * Stops when `cap` rows are found. Returns count, or -1 when the arena is full: a scan takes some 34 KiB for its time, and
   * a last row without newline is scanned in a copy.
   */
  scanJson(from: number, to: number, table: number, last: number): number;
  /** The same for lines; every line is a row, blank ones too; a \r before the \n is left out; error 5 where not UTF-8. Sets no key columns. */
  scanLines(from: number, to: number, table: number, last: number): number;
  /**
   * The same for whole records (src/spec/records.ts) in `[begin, to)`, from the row at `from` on. `mode`: what payloads are, see
   * {@link recordModes}. A row of JSON may have \r where its source had newlines.
   */
  scanRecords(begin: number, from: number, to: number, table: number, mode: number): number;
  /** The same for records whose payloads are whole rows of CSV; `separator` and `fields` as `scanCsv` has them. */
  scanCsvRecords(begin: number, from: number, to: number, table: number, separator: number, fields: number): number;
  /**
   * The same for CSV, up to the end of the input: the table's keys are the `fields` columns. What breaks the rules costs the line
   * on which its row begins. An empty field is absent, the others are raw strings.
   */
  scanCsv(from: number, to: number, table: number, separator: number, fields: number): number;
  /** Pointer behind the last row of CSV that ends in `[from, to)`, where a row begins at `from`; `from` when none does. */
  cutCsv(from: number, to: number, separator: number): number;
  /** Pointer behind the first one; 0: it does not end before `to`. */
  firstCsvRow(from: number, to: number, separator: number): number;
}
