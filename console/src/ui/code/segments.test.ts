import { describe, expect, it } from 'vitest';

import { segmentsOf, wordAt } from './segments.ts';

describe('segments', () => {
  it('are the text when put together', () => {
    const text = 'abcdefghij';
    const marks = [
      { start: 2, end: 6, kind: 'matched' },
      { start: 4, end: 8, kind: 'error' },
    ] as const;
    const segments = segmentsOf(text, marks);
    expect(segments).toMatchObject([
      { start: 0, text: 'ab' },
      { start: 2, text: 'cd', kind: 'matched' },
      { start: 4, text: 'ef', kind: 'error' },
      { start: 6, text: 'gh', kind: 'error' },
      { start: 8, text: 'ij' },
    ]);
  });

  it.each([
    ['beyond the end', { start: 1, end: 99, kind: 'error' } as const, [{ text: 'a' }, { text: 'bc', kind: 'error' }]],
    ['of nothing', { start: 1, end: 1, kind: 'error' } as const, [{ text: 'a' }, { text: 'bc' }]],
  ])('stand a mark %s', (_, mark, expected) => {
    expect(segmentsOf('abc', [mark])).toMatchObject(expected);
  });

  it('of an empty text are none', () => {
    expect(segmentsOf('', [])).toEqual([]);
  });
});

describe('the word at a place', () => {
  const text = '{"Effect": "Al low", "x": tru}';
  it.each([
    [0, '{'],
    [1, '"Effect"'],
    [11, '"Al low"'],
    [26, 'tru'],
    [999, '}'],
  ])('%i is %s', (offset, word) => {
    const { start, end } = wordAt(text, offset);
    expect(text.slice(start, end)).toBe(word);
  });

  it('is nothing in an empty text', () => {
    expect(wordAt('', 0)).toEqual({ start: 0, end: 0 });
  });
});
