import { describe, expect, it } from 'vitest';

import { diagnose, inOrder, serverDiagnostic } from './diagnostics.ts';

describe('diagnose', () => {
  it.each([
    ['a member without a value', '{\n  "Version": }', 2, 14, 'expected a JSON value, found "}"'],
    ['a comma too many', '{"a": [1, ]}', 1, 11, 'expected a JSON value, found "]"'],
    ['an open object', '{"a": 1', 1, 8, 'expected `,` or `}`, found the end of the document'],
    ['a second document', '{} {}', 1, 4, 'expected the end of the document, found "{"'],
    ['a name that occurs twice', '{"a": 1, "a": 2}', 1, 10, 'the name "a" occurs twice'],
    ['an open string', '{"a": "b', 1, 9, 'expected the closing quote of a string, found the end of the document'],
    ['a line feed in a string', '{"a": "b\n"}', 1, 9, 'expected no control character in a string, found "\\n"'],
    ['a number with a zero before it', '{"a": 01}', 1, 7, 'expected a number as JSON writes it, found "0"'],
    ['a comment', '// no\n{}', 1, 1, 'expected a JSON value, found "/"'],
    ['characters beyond the first plane, which count once', '{"😀": x}', 1, 7, 'expected a JSON value, found "x"'],
  ])('finds %s', (_, text, line, column, message) => {
    expect(diagnose(text)).toMatchObject([{ severity: 'error', line, column, message }]);
  });

  it('finds nesting that no policy has', () => {
    expect(diagnose('['.repeat(17))[0]?.message).toBe('more than 16 levels of nesting');
  });

  it('has nothing to say of what is not there yet', () => {
    expect(diagnose(' \n')).toEqual([]);
  });

  it('warns of what cannot be seen', () => {
    const text = '{"Statement": [],\n "Id": "a\u202eb"}';
    expect(diagnose(text)).toMatchObject([{ severity: 'warning', line: 2, column: 10 }]);
    expect(diagnose(text)[0]?.message).toContain('U+202E');
    expect(diagnose('{}\r\n')).toEqual([]);
  });

  it('warns of actions that nobody knows, where they stand', () => {
    const text = '{"Statement": [\n  {"Action": ["ssm:*",\n    "ssm:Nothing"]},\n  {"NotAction": "ec2:RunInstances"}]}';
    expect(diagnose(text)).toMatchObject([
      { severity: 'warning', line: 3, column: 5 },
      { severity: 'warning', line: 4, column: 17 },
    ]);
  });
});

describe('what the server says', () => {
  const text = '{"Version": "2012-10-17",\n "Statement": [{"Effect": "allow"}]}';

  it.each([
    ['on storing', 'Syntax errors in policy: expected "Allow" or "Deny", found "allow", at /Statement/0/Effect, line 2 column 27.'],
    ['on simulating', 'PolicyInputList.1 is not valid: expected "Allow" or "Deny", found "allow", at /Statement/0/Effect, line 2 column 27.'],
  ])('%s is mapped to its place', (_, message) => {
    expect(serverDiagnostic(text, message)).toEqual({
      severity: 'error',
      message: 'expected "Allow" or "Deny", found "allow"',
      line: 2,
      column: 27,
      offset: text.indexOf('"allow"'),
    });
  });

  it('without a place stands at the beginning', () => {
    const message = 'Invalid principal in policy: "AWS":"arn:aws:iam::000000000000:user/eve"';
    expect(serverDiagnostic(text, message)).toMatchObject({ message, line: 1, column: 1, offset: 0 });
  });
});

it('errors come before warnings, and what is said twice comes once', () => {
  const warning = { severity: 'warning', message: 'w', line: 1, column: 1, offset: 0 } as const;
  const error = { severity: 'error', message: 'e', line: 2, column: 1, offset: 9 } as const;
  expect(inOrder([warning, error, error])).toEqual([error, warning]);
});
