// Columns: reading, comparing, writing, converting.
export { anyKind, compareNumbers, compareTexts, matchTexts, plainKinds, readBooleans, readFloats, readIntegers } from './columns-read';
export {
  convertColumn, countDoubtful, fillBooleans, fillFloats, fillIds, fillIndexed, fillIntegers, fillLines, fillListed,
  fillPositionIds, mergeColumns, roomToConvert, written,
} from './columns-write';
export { findNewlines, locate } from './columns-find';
export { matchAddresses } from './columns-address';
export { useScratch } from './convert';
