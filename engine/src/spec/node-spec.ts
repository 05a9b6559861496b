import type { FunctionSpec } from './function.ts';
import type { SinkSpec } from './sink.ts';
import type { SourceSpec } from './source.ts';

export type NodeSpec = SourceSpec | FunctionSpec | SinkSpec;
