// Why a text cannot be read, beside the codes of failure.ts. TypeScript has the sentences (src/batch/function-kernel.ts).
export const TOO_MANY_FIELDS: u32 = 100;
export const ARENA_FULL: u32 = 101;
export const NO_KEY: u32 = 102;
export const OPEN_QUOTE: u32 = 103;
export const BEHIND_QUOTE: u32 = 104;
export const TOO_FEW_FIELDS: u32 = 105;
export const MORE_FIELDS: u32 = 106;
export const NO_PRIORITY: u32 = 107;
export const BAD_TIME: u32 = 108;
export const BAD_HEADER: u32 = 109;
export const BAD_STRUCTURED_DATA: u32 = 110;
export const NO_SEPARATOR: u32 = 111;
export const NO_MATCH: u32 = 112;
export const TOO_LONG: u32 = 113;
