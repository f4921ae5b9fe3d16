import { expect, test } from 'vitest';

import { piecesOf } from './marks.ts';
import { filtersOf, queryOf, wantedOf } from './query.ts';

const shown = (line: string, marks: { Start?: number; End?: number }[]) =>
  piecesOf(line, marks)
    .map(({ text, isMarked }) => (isMarked ? `[${text}]` : text))
    .join('');

test.each([
  ['nothing found', 'a line', [], 'a line'],
  ['two', 'rm -rf /', [{ Start: 0, End: 2 }, { Start: 3, End: 6 }], '[rm] [-rf] /'],
  ['characters of two units', '😀😀 x 世界', [{ Start: 3, End: 4 }], '😀😀 [x] 世界'],
  ['marks beyond the line', 'abc', [{ Start: 1, End: 99 }], 'a[bc]'],
  ['marks that make no sense', 'abc', [{ Start: 2, End: 1 }, { Start: -5, End: 1 }, {}], 'abc'],
  ['marks out of order', 'abcdef', [{ Start: 3, End: 5 }, { Start: 0, End: 4 }], 'abc[de]f'],
  ['markup', '<b>&amp;', [{ Start: 0, End: 3 }], '[<b>]&amp;'],
])('%s', (_, line, marks, expected) => {
  expect(shown(line, marks)).toBe(expected);
});

test('a long line is shown around what was found', () => {
  const pieces = shown(`${'a'.repeat(500)}X${'b'.repeat(5000)}`, [{ Start: 500, End: 501 }]);
  expect(pieces).toBe(`…${'a'.repeat(60)}[X]${'b'.repeat(339)}…`);
});

test('the address says what is looked for', () => {
  const wanted = { words: ' a b ', node: 'mi-1', owner: '', within: '24' };
  expect(queryOf(wanted).toString()).toBe('q=a+b&node=mi-1&within=24');
  expect(wantedOf(queryOf(wanted))).toEqual({ ...wanted, words: 'a b' });
  expect(wantedOf(new URLSearchParams('within=1e9'))).toEqual({ words: '', node: '', owner: '', within: '' });
  expect(filtersOf(wanted, Date.UTC(2026, 10, 27))).toEqual([
    { Key: 'Node', Value: 'mi-1' },
    { Key: 'StartedAfter', Value: '2026-11-26T00:00:00.000Z' },
  ]);
  expect(filtersOf({ words: 'x', node: ' ', owner: '', within: '' }, 0)).toEqual([]);
});
