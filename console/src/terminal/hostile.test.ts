// What programs on nodes try. The screen itself is tried in tests/test_console_terminal.py.

import { expect, test } from 'vitest';

import { linkAddress, pastedLines, pasteText, remarkText, titleText, workingDirectory } from './hostile.ts';

test.each([
  ['http://example.com/a b', 'http://example.com/a%20b'],
  ['https://example.com', 'https://example.com/'],
  ['https://exаmple.com/', 'https://xn--exmple-4nf.com/'],
  ['javascript:alert(1)', undefined],
  ['JaVaScRiPt:alert(1)', undefined],
  [' javascript:alert(1)', undefined],
  ['java\nscript:alert(1)', undefined],
  ['data:text/html,<script>alert(1)</script>', undefined],
  ['vbscript:x', undefined],
  ['file:///etc/passwd', undefined],
  ['blob:https://server/1', undefined],
  ['ssh://host', undefined],
  ['https://bank.example@evil.example/', undefined],
  ['https://user:password@evil.example/', undefined],
  ['//evil.example', undefined],
  ['/console/api/sign-out', undefined],
  [`https://example.com/${'a'.repeat(3000)}`, undefined],
  ['', undefined],
])('the link %j', (text, address) => {
  expect(linkAddress(text)).toBe(address);
});

test.each([
  ['root@web-1: ~', 'root@web-1: ~'],
  ['\u202egpj.exe', '\u2329U+202E\u232agpj.exe'],
  ['a\u0007b\nc\u001b[31m', 'a␇b␊c␛[31m'],
  ['zero\u200bwidth', 'zero\u2329U+200B\u232awidth'],
  ['<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
  ['x'.repeat(200), `${'x'.repeat(80)}…`],
  ['😀'.repeat(80), '😀'.repeat(80)],
  ['😀'.repeat(81), `${'😀'.repeat(80)}…`],
])('the title %j', (title, shown) => {
  expect(titleText(title)).toBe(shown);
});

test('a title of millions of characters is not read to its end', () => {
  const title = '\u202e'.repeat(10_000_000);
  const begun = performance.now();
  for (let count = 0; count < 1000; count += 1) {
    titleText(title);
  }
  expect(performance.now() - begun).toBeLessThan(5000);
});

test('what a node says is cut', () => {
  expect(remarkText('a\u0007\nb')).toBe('a␇\nb');
  expect(remarkText('x'.repeat(3000))).toBe(`${'x'.repeat(2000)}…`);
});

test.each([
  ['ls', 'ls', 1],
  ['ls\n', 'ls\n', 2],
  ['a\r\nb', 'a\nb', 2],
  ['a\rb', 'a\rb', 2],
  ['tab\there', 'tab\there', 1],
  // The end of a bracketed paste, hidden in the text.
  ['harmless\u001b[201~; rm -rf ~', 'harmless[201~; rm -rf ~', 1],
  ['harmless\u009b201~; rm -rf ~', 'harmless201~; rm -rf ~', 1],
  ['\u0003\u0004\u0016x', 'x', 1],
])('the paste %j', (text, pasted, lines) => {
  expect(pasteText(text)).toBe(pasted);
  expect(pastedLines(pasteText(text))).toBe(lines);
});

test.each([
  ['file://web-1/var/log', '/var/log'],
  ['file:///home/alice/gr%C3%BC%C3%9Fe%20x', '/home/alice/grüße x'],
  ['file://web-1/', '/'],
  ['file://web-1', undefined],
  ['/var/log', undefined],
  ['https://evil.example/etc', undefined],
  ['javascript:alert(1)', undefined],
  ['file:///a%00b', undefined],
  ['file:///a%0Ab', undefined],
  ['file:///a%1B[31m', undefined],
  ['file:///%ff', undefined],
  [`file:///${'a'.repeat(5000)}`, undefined],
  [`file:///${'a'.repeat(10_000_000)}`, undefined],
  ['', undefined],
])('the working directory %.60j', (address, directory) => {
  expect(workingDirectory(address)).toBe(directory);
});
