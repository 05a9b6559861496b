/**
 * The types that a column may be declared with in `out[].columns`.
 *
 * The left side is Reef's own name; {@link columnTypeAliases} maps what Punch's files and users write.
 * `any` keeps whatever JSON value stands there; `json` is any value, kept as its JSON text.
 */
export type ColumnType =
  | 'any'
  | 'string'
  | 'integer'
  | 'float'
  | 'boolean'
  | 'bytes'
  | 'json'
  | 'list_string'
  | 'list_integer'
  | 'list_float';

export const columnTypeAliases: Readonly<Record<string, ColumnType>> = {
  any: 'any',
  string: 'string',
  integer: 'integer',
  int: 'integer',
  long: 'integer',
  float: 'float',
  double: 'float',
  boolean: 'boolean',
  bool: 'boolean',
  bytes: 'bytes',
  vecU8: 'bytes',
  json: 'json',
  vecString: 'list_string',
  list_string: 'list_string',
  vecInteger: 'list_integer',
  list_integer: 'list_integer',
  vecFloat: 'list_float',
  list_float: 'list_float',
};

/** One entry of `out[].columns`. */
export interface ColumnDeclaration {
  readonly name: string;
  readonly type: ColumnType;
}
