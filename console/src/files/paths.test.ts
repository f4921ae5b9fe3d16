import { expect, test } from 'vitest';

import { baseOf, join, otherNames, parentOf, soundSteps, stepsTo, typedDirectory } from './paths.ts';

test('paths are put together and taken apart', () => {
  expect([join('/', 'a'), join('/a', 'b')]).toEqual(['/a', '/a/b']);
  expect([parentOf('/a/b'), parentOf('/a'), parentOf('/')]).toEqual(['/a', '/', '/']);
  expect([baseOf('/a/b'), baseOf('b')]).toEqual(['b', 'b']);
  expect(stepsTo('/a/b')).toEqual([{ name: 'a', path: '/a' }, { name: 'b', path: '/a/b' }]);
  expect(stepsTo('/')).toEqual([]);
});

test.each([
  ['/var/log', '/var/log'],
  ['/var/log//', '/var/log'],
  ['/', '/'],
  ['logs', '/home/a/logs'],
  ['~', '/home/a'],
  ['~/logs/', '/home/a/logs'],
  ['', '/home/a'],
  ['a\0b', undefined],
  ['x'.repeat(5000), undefined],
])('%j is typed', (text, directory) => {
  expect(typedDirectory(text, '/home/a')).toBe(directory);
});

test('another name keeps the extension', () => {
  expect(otherNames('report.txt').next().value).toBe('report (1).txt');
  expect(otherNames('.bashrc').next().value).toBe('.bashrc (1)');
  expect(otherNames('backup.tar.gz').next().value).toBe('backup (1).tar.gz');
  expect(otherNames('a.b.').next().value).toBe('a.b. (1)');
  expect([...otherNames('a')].length).toBe(999);
});

test.each([
  ['a/b.txt', ['a', 'b.txt']],
  ['b.txt', ['b.txt']],
  ['a/../../etc/passwd', undefined],
  ['/etc/passwd', undefined],
  ['a//b', undefined],
])('%j is dropped', (path, steps) => {
  expect(soundSteps(path)).toEqual(steps);
});
