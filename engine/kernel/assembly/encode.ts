// Rows to bytes for a sink, see encode-rows.ts.
export { encodeRows, findNewlines, locate } from './encode-rows';
