import { expect, test } from 'vitest';

import { OutputText } from './output.ts';

test('nothing reorders a line', () => {
  const printed = 'rm \u202etxt.\u2066live\u2069 \u200f–\u061c äöü 😀 עברית';
  const shown = 'rm txt.live – äöü 😀 עברית';
  expect(new OutputText().next(printed)).toBe(shown);
  const output = new OutputText();
  const pieces = Array.from(new TextEncoder().encode(printed), (byte) => output.next(Uint8Array.of(byte)));
  expect(pieces.join('')).toBe(shown);
});
