import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Acknowledgements } from './acknowledgements.ts';

/** `[type of packet, number]` of each packet. */
function packets(bytes: Buffer | undefined): [number, number][] {
  const found: [number, number][] = [];
  for (let at = 0; bytes && at < bytes.length; at += 4) found.push([bytes[at]! >> 4, bytes.readUInt16BE(at + 2)]);
  return found;
}

const PUBACK = 4;
const PUBREC = 5;

test('messages are acknowledged in the order in which they came, whatever their quality of service, once all before are delivered', () => {
  const acks = new Acknowledgements();
  acks.add(7, 1, 100);
  acks.add(3, 2, 200);
  acks.add(9, 1, 300);
  assert.equal(acks.take(), undefined);
  acks.delivered(250);
  assert.deepEqual(packets(acks.take()), [
    [PUBACK, 7],
    [PUBREC, 3],
  ]);
  assert.equal(acks.waiting, 1);
  acks.delivered(300);
  assert.deepEqual(packets(acks.take()), [[PUBACK, 9]]);
});

test('a message that the server sends again with its session is not fed again, and acknowledged in its new place', () => {
  const acks = new Acknowledgements();
  acks.add(1, 1, 100);
  acks.add(2, 1, 200);
  acks.reconnected(true);
  assert.equal(acks.take(), undefined);
  acks.delivered(200);
  assert.equal(acks.take(), undefined, 'nothing is acknowledged over a connection that it did not come over');
  assert.equal(acks.again(2, 1), true);
  assert.equal(acks.again(1, 1), true);
  assert.equal(acks.again(3, 1), false);
  assert.deepEqual(packets(acks.take()), [
    [PUBACK, 2],
    [PUBACK, 1],
  ]);
});

test('without the session numbers mean other messages', () => {
  const acks = new Acknowledgements();
  acks.add(1, 1, 100);
  acks.reconnected(false);
  assert.equal(acks.again(1, 1), false);
});

test('with QoS 2 a message that the server was told to be here is not fed again until it is released', () => {
  const acks = new Acknowledgements();
  acks.add(5, 2, 100);
  acks.delivered(100);
  assert.deepEqual(packets(acks.take()), [[PUBREC, 5]]);
  acks.reconnected(true);
  assert.equal(acks.again(5, 2), true);
  assert.deepEqual(packets(acks.take()), [[PUBREC, 5]]);
  assert.deepEqual([...acks.released(5)], [0x70, 2, 0, 5]);
  assert.equal(acks.again(5, 2), false);
});

test('numbers from 1 to 65,535 are written as they are', () => {
  const acks = new Acknowledgements();
  for (const id of [1, 255, 256, 65_535]) acks.add(id, 1, 1);
  acks.delivered(1);
  assert.deepEqual(
    packets(acks.take()).map(([, id]) => id),
    [1, 255, 256, 65_535],
  );
});
