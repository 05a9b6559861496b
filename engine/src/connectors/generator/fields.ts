import type { Json } from '../../spec/plan.ts';
import { dateFormat } from './date-format.ts';
import { randomUnit } from './random.ts';

/** An entry of the setting `fields`. */
export interface FieldSettings {
  readonly name: string;
  readonly type: 'random' | 'list' | 'counter' | 'timestamp';
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly content: readonly Json[] | undefined;
  readonly format: string | undefined;
}

/** The value of a field in message number `message`. */
export type FieldValue = (message: number) => Json;

/** `index` makes two fields of one kind differ. */
export function compileField(field: FieldSettings, index: number): FieldValue {
  switch (field.type) {
    case 'random':
      return random(field.min ?? 0, field.max ?? 100, index);
    case 'list': {
      const content = field.content ?? [];
      return (message) => content[Math.floor(randomUnit(message, index) * content.length)] ?? null;
    }
    case 'counter':
      return counter(field.min ?? 0, field.max);
    case 'timestamp':
      return timestamp(field.format);
  }
}

/** What is wrong with a field, for people; `undefined` when it is right. */
export function fieldProblem(field: FieldSettings): string | undefined {
  const { type, min = 0, max, content, format } = field;
  if (type === 'list' && !content?.length) return 'a list needs "content" with at least one value';
  if ((type === 'random' || type === 'counter') && max !== undefined && max < min)
    return `max is ${max}, expected at least min (${min})`;
  if (type === 'timestamp' && format !== undefined && !(format in epochs)) {
    try {
      dateFormat(format);
    } catch (error) {
      return (error as Error).message;
    }
  }
  return undefined;
}

/** Whole numbers between whole bounds, both included; else any number between them. */
function random(min: number, max: number, index: number): FieldValue {
  if (Number.isInteger(min) && Number.isInteger(max)) {
    return (message) => min + Math.floor(randomUnit(message, index) * (max - min + 1));
  }
  return (message) => min + randomUnit(message, index) * (max - min);
}

function counter(min: number, max: number | undefined): FieldValue {
  if (max === undefined) return (message) => min + message;
  const steps = Math.floor(max - min) + 1;
  return (message) => min + (message % steps);
}

const epochs: Readonly<Record<string, () => number>> = {
  unix: () => Math.floor(Date.now() / 1000),
  unix_ms: () => Date.now(),
};

/** The present time. A date is written once per millisecond, not once per message. */
function timestamp(format: string | undefined): FieldValue {
  const epoch = format === undefined ? undefined : epochs[format];
  if (epoch !== undefined) return epoch;
  const write = format === undefined ? (date: Date) => date.toISOString() : dateFormat(format);
  let at = -1;
  let text = '';
  return () => {
    const now = Date.now();
    if (now !== at) {
      at = now;
      text = write(new Date(now));
    }
    return text;
  };
}
