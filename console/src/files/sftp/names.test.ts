import { assert, property, uint8Array } from 'fast-check';
import { expect, test } from 'vitest';

import { nameFromBytes, nameToBytes } from './names.ts';

test.each([
  ['plain', [0x61], 'a'],
  ['UTF-8', [0xc3, 0xbc, 0xf0, 0x9f, 0x98, 0x80], 'ü😀'],
  ['Latin-1', [0x67, 0x72, 0xfc, 0x6e], 'gr\udcfcn'],
  ['a character that is cut', [0xf0, 0x9f, 0x98], '\udcf0\udc9f\udc98'],
  ['an overlong slash', [0xc0, 0xaf], '\udcc0\udcaf'],
  ['a surrogate', [0xed, 0xb2, 0x80], '\udced\udcb2\udc80'],
  ['a byte order mark', [0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
])('%s', (_, bytes, name) => {
  expect(nameFromBytes(Uint8Array.from(bytes))).toBe(name);
  expect([...nameToBytes(name)]).toEqual(bytes);
});

test('every name comes back as the bytes that it was', () => {
  assert(
    property(uint8Array({ maxLength: 64 }), (bytes) => {
      expect(nameToBytes(nameFromBytes(bytes))).toEqual(bytes);
    }),
  );
});
