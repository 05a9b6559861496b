export { type Inspection, inspectModule } from './inspect-module.ts';
export { type ImportAccess, importAccess } from './wasi-access.ts';
