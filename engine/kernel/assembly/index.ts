// The exports of the kernel; src/batch/kernel-abi.ts says what they do.
export { reset, alloc, release, used } from './arena';
export { setKeys } from './keys';
export { cutCsv, firstCsvRow, scanCsv } from './scan-csv';
export { scanJson } from './scan-json';
export { scanLines } from './scan-lines';
export { findRecords, recordColumn, recordPositions, scanCsvRecords, scanRecords } from './scan-records';
export { splitJson } from './split-json';
export * from './columns';
export * from './encode';
export * from './rline';
