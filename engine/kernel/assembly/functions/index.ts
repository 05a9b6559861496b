// The exports of the functions' module: what native functions do per byte. It works in the arena of the kernel instance beside it
// (src/batch/function-kernel.ts says how).
import { declareInput } from '../access';

export { alloc, release, reset } from '../arena';
export { addField, fieldCount, fieldEntries, openFields } from './fields';
export { parseCsv } from './parse-csv';
export { parseJson } from './parse-json';
export { parsePairs, setPairs } from './parse-pairs';
export { parseSyslog, setSyslog } from './parse-syslog';
export { readTimes } from './read-time';
export { takeTexts } from './texts';
export { timesEnd, writeTimes } from './write-time';
export { matchTexts } from './regex';
export { maskEnds, maskPatterns } from './mask';
export { readAddresses, shortenAddresses } from './addresses';
export { joinTexts } from './join';
export { flattenObjects, nestColumns } from './objects';
export { hashTexts, sha256Block, sha256Texts, xxh64Texts } from './digest';

/** Says where the rows of the batch stand. */
export function useInput(from: usize, to: usize): void {
  declareInput(from, to);
}
