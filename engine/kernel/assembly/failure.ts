// Why and where a row is bad. The skip functions return a pointer behind what they skipped, or 0 after calling `fail`.

/** The codes of `rowErrors` in src/batch/kernel-abi.ts. */
export const SYNTAX: u32 = 1;
export const OPEN_STRING: u32 = 2;
export const CONTROL: u32 = 3;
export const BAD_ESCAPE: u32 = 4;
export const BAD_UTF8: u32 = 5;
export const BAD_SCALAR: u32 = 6;
export const TOO_DEEP: u32 = 7;
export const TOO_SHORT: u32 = 8;
export const TRAILING: u32 = 9;
export const NOT_OBJECT: u32 = 64;

let code: u32 = 0;
let at: usize = 0;

export function fail(reason: u32, position: usize): usize {
  code = reason;
  at = position;
  return 0;
}

@inline export function failCode(): u32 {
  return code;
}

@inline export function failAt(): usize {
  return at;
}
