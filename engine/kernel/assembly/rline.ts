// Rows and answers of rline guests, see rline-encode.ts and rline-decode.ts.
export { decodeRline } from './rline-decode';
export { encodeRline, rlineRoom } from './rline-encode';
