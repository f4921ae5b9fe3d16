import { expect, test } from 'vitest';

import { filesTexts } from '../texts/files.ts';
import { modeText } from './mode.ts';

test.each([
  [0o100_644, 'rw-r--r--'],
  [0o040_755, 'rwxr-xr-x'],
  [0o104_755, 'rwsr-xr-x'],
  [0o106_600, 'rwS--S---'],
  [0o041_777, 'rwxrwxrwt'],
  [0, '---------'],
])('%o', (mode, text) => {
  expect(modeText(mode)).toBe(text);
});

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [20_000_000, '19.1 MiB'],
  [500 * 1024 ** 3, '500 GiB'],
  [2 ** 64, '16.0 EiB'],
])('%d bytes', (count, text) => {
  expect(filesTexts.bytes(count)).toBe(text);
});
