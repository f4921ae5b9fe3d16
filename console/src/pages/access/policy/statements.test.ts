import { expect, it } from 'vitest';

import { formatted } from './examples.ts';
import { statementAt, statementSpans } from './statements.ts';

const TEXT = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow"},\n {"Effect": "Deny"}]}';

function textOf(text: string, number: number): string {
  const span = statementSpans(text)[number - 1];
  return span ? text.slice(span.start, span.end) : '';
}

it('a statement keeps its number in another form', () => {
  const number = statementAt(TEXT, { line: 2, column: 2 });
  expect(number).toBe(2);
  expect(textOf(TEXT, 2)).toBe('{"Effect": "Deny"}');
  expect(JSON.parse(textOf(formatted(TEXT) ?? '', 2))).toEqual({ Effect: 'Deny' });
});

it('one that stands alone is the first', () => {
  const alone = '{"Statement": {"Effect": "Allow"}}';
  expect(textOf(alone, 1)).toBe('{"Effect": "Allow"}');
});

it('of what is no policy there are none', () => {
  expect(statementSpans('{')).toEqual([]);
  expect(statementSpans('{}')).toEqual([]);
  expect(statementAt(TEXT, { line: 1, column: 1 })).toBeUndefined();
});
