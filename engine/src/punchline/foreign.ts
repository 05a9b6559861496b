/**
 * Words of Punch's files that mean something there and cannot mean anything here. They are errors like other unknown words, but the
 * message says what they are instead of guessing at a misspelling.
 */

const javaEngine = "Punch's Java engine has it, Reef has not";

const later = 'REEF has it, this version of Reef has not';

/** Node types by name, without suffix. One that Reef has by now is found before anybody looks here. */
const foreignTypes: Readonly<Record<string, string>> = {
  archive: javaEngine,
  elasticsearch: javaEngine,
  kafka: later,
  lumberjack: javaEngine,
  parser: `${javaEngine}: the function parse cuts texts into columns, a WebAssembly function (wasm) can do more`,
  punchlet: `${javaEngine}: a WebAssembly function (wasm) can do the same`,
  s3: javaEngine,
  sigma_rule: `${javaEngine}: rules that were converted to WebAssembly run as wasm`,
  tflite: later,
};

/** Why there is no such node type here; `undefined` when nothing is known of it. */
export function foreignType(type: string): string | undefined {
  const stem = type.replace(/_(source|function|sink)$/, '');
  if (Object.hasOwn(foreignTypes, stem)) return foreignTypes[stem];
  return /^[a-z]\w*(\.\w+)*\.[A-Z]\w*$/.test(type) ? 'it looks like a Java class, which Reef does not load' : undefined;
}

const elsewhere = 'another engine of Punch runs it';

/** Kinds of documents. */
export const foreignKinds: Readonly<Record<string, string>> = {
  BatchApplication: 'it is a container with a program of its own',
  Diagram: 'it is a drawing',
  Flinkline: elsewhere,
  Plan: "Punch's scheduler makes punchlines from it",
  SparkPunchline: elsewhere,
  Sparkline: elsewhere,
  StreamApplication: 'it is a container with a program of its own',
};
