import type { Field, Fields } from './fields.ts';
import type { Json } from './plan.ts';
import { limitsText } from './setting-text.ts';

/** One line of a settings table. */
export interface SettingRow {
  /** Path with dots; `[]` for the elements of a list, `.*` for the values of a map. */
  readonly name: string;
  /** `text`, `secret`, `list of integer`, `json | line`. */
  readonly type: string;
  readonly required: boolean;
  readonly default?: Json;
  readonly unit?: string;
  /** `from 1 to 100`, `of at least 1 entry`. */
  readonly range?: string;
  /** A password, key or token: only a reference to it may stand in a punchline. */
  readonly secret?: true;
  readonly doc: string;
}

/** The settings as a table, groups followed by what they hold. */
export function describe(fields: Fields, prefix = ''): SettingRow[] {
  return Object.entries(fields).flatMap(([key, field]) => {
    const name = prefix + key;
    const row: SettingRow = {
      name,
      type: typeText(field),
      required: isRequired(field),
      ...(field.default === undefined ? {} : { default: field.default as Json }),
      ...(field.limits.unit === undefined ? {} : { unit: field.limits.unit }),
      ...(limitsText(field) === '' ? {} : { range: limitsText(field) }),
      ...(field.limits.secret ? { secret: true } : {}),
      doc: field.doc,
    };
    return [row, ...describeWithin(field, name)];
  });
}

/** Whether leaving it out is an error. A group is required when one of its fields is. */
export function isRequired(field: Field<unknown>): boolean {
  if (field.optional || field.default !== undefined) return false;
  return field.kind === 'group' ? Object.values(field.limits.fields!).some(isRequired) : true;
}

function describeWithin(field: Field<unknown>, name: string): SettingRow[] {
  const { fields, element } = field.limits;
  if (fields) return describe(fields, `${name}.`);
  if (!element) return [];
  return describeWithin(element, field.kind === 'map' ? `${name}.*` : `${name}[]`);
}

function typeText(field: Field<unknown>): string {
  const { choices, element } = field.limits;
  switch (field.kind) {
    case 'text':
      return field.limits.secret ? 'secret' : 'text';
    case 'choice':
      return choices!.join(' | ');
    case 'list':
      return `list of ${typeText(element!)}`;
    case 'map':
      return `map of ${typeText(element!)}`;
    case 'json':
      return 'any value';
    default:
      return field.kind;
  }
}
