// Whether a value that a guest gave back is what it was given: then the row keeps the bytes that came in.
import { get32, get64 } from './access';
import { TAG_FLOAT, TAG_INTEGER, TAG_STRING, TAG_VEC_INTEGER, TAG_VEC_STRING } from './rline-encode';
import { sameBytes } from './text';

/** Pointer behind a value that we encoded ourselves; `p` is its tag. */
function skipSent(p: usize): usize {
  const tag = get32(p);
  p += 4;
  if (tag == TAG_INTEGER || tag == TAG_FLOAT) return p + 8;
  let count = <usize>get64(p);
  p += 8;
  if (tag == TAG_STRING || tag > 5) return p + count;
  if (tag != TAG_VEC_STRING) return p + count * 8;
  for (; count > 0; count--) p += 8 + <usize>get64(p);
  return p;
}

/**
 * Compares the value [p, end), tag included, with that of the same name in the bincode row at `sent`. Integers are equal when their low
 * 32 bits are: a guest keeps no more of them. Of a doubled name the last counts.
 */
export function sameAsSent(sent: usize, sentEnd: usize, name: usize, length: usize, p: usize, end: usize): bool {
  if (sentEnd - sent < 8) return false;
  const columns = <usize>get64(sent);
  sent += 8;
  let value: usize = 0;
  let valueEnd: usize = 0;
  for (let i: usize = 0; i < columns; i++) {
    const nameLength = <usize>get64(sent);
    const found = nameLength == length && sameBytes(sent + 8, name, length);
    sent += 8 + nameLength;
    const behind = skipSent(sent);
    if (found) {
      value = sent;
      valueEnd = behind;
    }
    sent = behind;
  }
  if (!value || end - p != valueEnd - value) return false;
  const tag = get32(p);
  if (tag != TAG_INTEGER && tag != TAG_VEC_INTEGER) return sameBytes(value, p, end - p);
  if (get32(value) != tag) return false;
  let at: usize = 4;
  if (tag == TAG_VEC_INTEGER) {
    if (get64(value + 4) != get64(p + 4)) return false;
    at = 12;
  }
  for (; at < end - p; at += 8) if (get32(value + at) != get32(p + at)) return false;
  return true;
}
