import { expect, test } from 'vitest';

import { visible, visibleLine } from './visible.ts';

test.each([
  ['plain', 'web-1 (Zürich) 日本 😀', 'web-1 (Zürich) 日本 😀'],
  ['an escape sequence', '\u001b]52;c;aGk=\u0007', '␛]52;c;aGk=␇'],
  ['eight-bit controls', 'a\u009bm', 'a〈U+009B〉m'],
  ['delete', 'a\u007f', 'a␡'],
  ['a bidi override', 'evil\u202Egpj.exe', 'evil〈U+202E〉gpj.exe'],
  ['bidi isolates', '\u2066x\u2069', '〈U+2066〉x〈U+2069〉'],
  ['nothing to see', 'pay\u200bpal\ufeff', 'pay〈U+200B〉pal〈U+FEFF〉'],
  ['tags', 'a\u{e0041}', 'a〈U+E0041〉'],
  ['half a character', 'a\ud800b', 'a〈U+D800〉b'],
  ['markup', '<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
])('%s', (_, text, shown) => {
  expect(visible(text)).toBe(shown.replaceAll('〈', '\u2329').replaceAll('〉', '\u232a'));
});

test('lines stay lines, unless there is one line only', () => {
  expect(visible('a\tb\r\nc')).toBe('a\tb␍\nc');
  expect(visibleLine('a\tb\nc')).toBe('a␉b␊c');
});
