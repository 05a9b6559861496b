// Rows to bytes for a sink, see encode-rows.ts.
export { encodeRows } from './encode-rows';
export { encodeCsv } from './encode-csv';
