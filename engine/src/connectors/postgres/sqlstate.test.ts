import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultOf, type ServerError } from './sqlstate.ts';

test('a refusal is the fault of a row, of the moment or of the settings, by its SQLSTATE', () => {
  const of = (code: string): string => faultOf(Object.assign(new Error('no'), { code, severity: 'ERROR' }) as ServerError);
  const expected = {
    row: ['22001', '22P02', '23505', '23514', '21000', '54000', 'P0001'],
    passing: ['08006', '25006', '40001', '40P01', '53100', '53300', '55P03', '57014', '57P01', '57P03', '58030', 'XX000'],
    settings: ['28P01', '3D000', '42501', '42P01', '42703', '0A000'],
  };
  for (const [fault, codes] of Object.entries(expected)) for (const code of codes) assert.equal(of(code), fault, code);
});

test('a connection that is lost may come back', () => {
  assert.equal(faultOf(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })), 'passing');
  assert.equal(faultOf(new Error('Connection terminated unexpectedly')), 'passing');
});
