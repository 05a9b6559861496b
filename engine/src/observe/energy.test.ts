import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../testing/reef-process.ts';
import { EnergyMeter } from './energy.ts';

function writeCounter(root: string, name: string, microjoules: number): void {
  mkdirSync(join(root, name), { recursive: true });
  writeFileSync(join(root, name, 'energy_uj'), `${microjoules}\n`);
  writeFileSync(join(root, name, 'max_energy_range_uj'), '10000000\n');
}

test('packages are added up, their parts are not counted twice, and a counter may wrap', (t) => {
  const root = temporaryFolder(t);
  writeCounter(root, 'intel-rapl:0', 9_000_000);
  writeCounter(root, 'intel-rapl:1', 0);
  writeCounter(root, 'intel-rapl:0:0', 0);
  const meter = EnergyMeter.open(root)!;
  writeCounter(root, 'intel-rapl:0', 1_000_000);
  writeCounter(root, 'intel-rapl:1', 3_000_000);
  writeCounter(root, 'intel-rapl:0:0', 7_000_000);
  assert.equal(meter.joules(), 5);
});

test('without readable counters there is no meter', (t) => {
  assert.equal(EnergyMeter.open(join(temporaryFolder(t), 'none')), undefined);
});
