export { type Measurement, type MeasureOptions, measureFunction } from './measure-function.ts';
