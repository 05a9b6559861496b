// Adds `depth_class` to an earthquake: shallow above 70 km, deep below 300 km, else intermediate.
import { answerString, FLOAT, fail, find, INTEGER, readRow } from './rline';

export function depth_class(): void {
  readRow();
  const column = find('depth');
  if (column == 0) return fail('column depth is missing');
  const tag = load<u32>(column);
  if (tag != FLOAT && tag != INTEGER) return fail('column depth is no number');
  const depth = tag == FLOAT ? load<f64>(column + 4) : <f64>load<i64>(column + 4);
  answerString('depth_class', depth < 70 ? 'shallow' : depth <= 300 ? 'intermediate' : 'deep');
}
