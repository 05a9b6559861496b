// Doubles of guests as JSON: any of them, and with a point or exponent, so that they stay floats.
import { dtoa_buffered } from 'util/number';
import { get16, put32, put8 } from './access';
import { writeFloat } from './convert-number';
import { tokenKind } from './text';

/** Writes at most 32 bytes (and may use 64); NaN and infinity are null. Returns the pointer behind it. */
export function writeDouble(value: f64, out: usize): usize {
  if (!isFinite(value)) {
    put32(out, 0x6c6c756e);
    return out + 4;
  }
  let end = writeFloat(value, out);
  if (end == out) {
    // The library writes two bytes for each character.
    const length = <usize>dtoa_buffered(out, value);
    for (let i: usize = 0; i < length; i++) put8(out + i, get16(out + (i << 1)));
    end = out + length;
  }
  if (tokenKind(out, end) == 3) return end;
  put8(end, 0x2e);
  put8(end + 1, 0x30);
  return end + 2;
}
