/** What is wrong with a punchline, and where. */
export interface Problem {
  readonly file: string;
  /** Counts from 1; 0: the file as a whole (it cannot be read). */
  readonly line: number;
  /** Counts from 1, in UTF-16 units. */
  readonly column: number;
  readonly severity: 'error' | 'warning';
  /** What is; what would be right. */
  readonly message: string;
  /** The word that was probably meant. */
  readonly suggestion?: string;
}

/** A file's text, for turning offsets into lines. */
export class SourceText {
  readonly file: string;
  readonly text: string;
  readonly #starts: number[] = [0];

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1);
  }

  position(offset: number): { readonly line: number; readonly column: number } {
    const at = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - this.#starts[low]! + 1 };
  }

  /** A line without its line break; empty when there is no such line. */
  line(number: number): string {
    const start = this.#starts[number - 1];
    if (start === undefined) return '';
    return this.text.slice(start, this.#starts[number]).replace(/\r?\n$/, '');
  }
}

/** Gathers problems of one file. */
export class ProblemList {
  readonly source: SourceText;
  readonly #problems: Problem[] = [];
  /** An anchor's mistake shows at each of its aliases. */
  readonly #seen = new Set<string>();

  #errors = 0;

  constructor(source: SourceText) {
    this.source = source;
  }

  error(at: number, message: string, suggestion?: string): void {
    this.#add('error', at, message, suggestion);
  }

  warning(at: number, message: string, suggestion?: string): void {
    this.#add('warning', at, message, suggestion);
  }

  get errors(): number {
    return this.#errors;
  }

  /** By position; of equal ones in the order found. */
  sorted(): Problem[] {
    return this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  }

  #add(severity: Problem['severity'], at: number, message: string, suggestion: string | undefined): void {
    const place = this.source.position(at);
    const text = printable(message);
    const key = `${at} ${text}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (severity === 'error') this.#errors++;
    const hint = suggestion === undefined ? {} : { suggestion };
    this.#problems.push({ file: this.source.file, ...place, severity, message: text, ...hint });
  }
}

/** `bird.yaml:3:7: error: unknown key "sepc" (did you mean "spec"?)`; with `source` also the line and a caret below it. */
export function renderProblem(problem: Problem, source?: SourceText): string {
  const { file, line, column, severity, message, suggestion } = problem;
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
  const text = `${printable(place)}: ${severity}: ${message}${hint}`;
  if (!source || line === 0) return text;
  return `${text}\n${excerpt(source.line(line), column)}`;
}

const EXCERPT_WIDTH = 110;

function excerpt(line: string, column: number): string {
  const from = column > EXCERPT_WIDTH - 10 ? column - 40 : 0;
  const shown = printable(line.replaceAll('\t', ' ').slice(from, from + EXCERPT_WIDTH));
  return `    ${shown}\n    ${' '.repeat(column - 1 - from)}^`;
}

/** A file must not be able to send escape sequences to the terminal. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\u00b7');
}
