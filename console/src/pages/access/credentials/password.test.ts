import { expect, it } from 'vitest';

import { randomPassword } from './password.ts';

it('a password has some of each kind, and is another one each time', () => {
  const passwords = Array.from({ length: 200 }, randomPassword);
  for (const password of passwords) {
    expect(password).toHaveLength(20);
    for (const kind of [/[A-Z]/, /[a-z]/, /[0-9]/, /[^A-Za-z0-9]/]) {
      expect(password).toMatch(kind);
    }
    expect(password).not.toMatch(/[0O1Il]/);
  }
  expect(new Set(passwords).size).toBe(passwords.length);
});
