import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filterIssue, matches, NamedParts, parseFilter } from './topic-filter.ts';
import { TopicTemplate, templateIssue } from './topic-template.ts';

test('named parts of a filter become wildcards to the server and columns of the rows', () => {
  const filters = ['sensors/{site}/{device}/temp', 'alarms/{rest#}'].map(parseFilter);
  assert.deepEqual(
    filters.map(({ filter }) => filter),
    ['sensors/+/+/temp', 'alarms/#'],
  );
  const parts = new NamedParts(filters);
  assert.deepEqual(parts.columns, ['site', 'device', 'rest']);
  assert.deepEqual(parts.of('sensors/north/7/temp'), ['north', '7', undefined]);
  assert.deepEqual(parts.of('alarms/fire/hall/2'), [undefined, undefined, 'fire/hall/2']);
  assert.deepEqual(parts.of('else'), [undefined, undefined, undefined]);
});

test('a shared subscription keeps its group, which is no level of the topic', () => {
  const filter = parseFilter('$share/reef/a/{b}');
  assert.equal(filter.filter, '$share/reef/a/+');
  assert.ok(filter.shared);
  assert.deepEqual(new NamedParts([filter]).of('a/x'), ['x']);
});

test('filters match as the specification says', () => {
  const cases: [string, string, boolean][] = [
    ['a/+', 'a/b', true],
    ['a/+', 'a/b/c', false],
    ['a/+', 'a', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['+/+', '/a', true],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
    ['a', 'b', false],
  ];
  for (const [filter, topic, expected] of cases)
    assert.equal(matches(parseFilter(filter), topic.split('/')), expected, `${filter} and ${topic}`);
});

test('filters that no server would take are named', () => {
  for (const right of ['a', '/', 'a//b', '+', '#', 'a/#', '{x}/{y}/{z#}', '$share/g/#', 'a b/ü'])
    assert.equal(filterIssue(right), undefined, right);
  for (const wrong of [
    '',
    'a+',
    'a/#/b',
    'a#',
    '{x}/{x}',
    '{x#}/b',
    'a{x}',
    '{_ppf_id}',
    '$share/g',
    '$share//a',
    '$share/+/a',
    'a\0',
  ])
    assert.ok(filterIssue(wrong), JSON.stringify(wrong));
});

test('a topic is made of columns, and what they hold adds no wildcard, no empty level and no $ at the beginning', () => {
  const template = new TopicTemplate('devices/{id}/out');
  assert.deepEqual(template.columns, ['id']);
  assert.equal(template.topic(['7']).toString(), 'devices/7/out');
  assert.equal(template.topic(['a/b']).toString(), 'devices/a/b/out');
  for (const wrong of ['', '+', 'a#', '/a', 'a/', 'a//b', 'a\0b'])
    assert.match(String(template.topic([wrong])), /^the topic's column "id" is/, JSON.stringify(wrong));
  assert.match(String(template.topic(['x'.repeat(70_000)])), /more than 65,535/);
  const whole = new TopicTemplate('{site}{n}');
  assert.equal(whole.topic(['a', '$1']).toString(), 'a$1');
  assert.match(String(whole.topic(['$SYS', '1'])), /\$ belong to the server/);
});

test('templates that cannot be topics are named', () => {
  for (const right of ['a', 'a/{b}', '{a}{b}', '$vendor/x']) assert.equal(templateIssue(right), undefined, right);
  for (const wrong of ['', 'a/+', '#', 'a/{b', 'a}', '{}', '$share/g/a']) assert.ok(templateIssue(wrong), wrong);
});
