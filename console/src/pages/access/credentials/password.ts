/** Passwords that nobody can guess. */

/** By kind, without letters and digits that look alike. */
const KINDS = ['ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnpqrstuvwxyz', '23456789', '!#%+-=?@'];
const LENGTH = 20;

/** A password of 20 characters with some of each kind, some 115 bits of chance. */
export function randomPassword(): string {
  const all = KINDS.join('');
  for (;;) {
    const password = Array.from({ length: LENGTH }, () => all[randomBelow(all.length)]).join('');
    if (KINDS.every((kind) => [...kind].some((character) => password.includes(character)))) {
      return password;
    }
  }
}

/** Every number is as likely as any other: what would make the first ones likelier is thrown away. */
function randomBelow(bound: number): number {
  const limit = 2 ** 32 - (2 ** 32 % bound);
  const draw = new Uint32Array(1);
  do {
    crypto.getRandomValues(draw);
  } while ((draw[0] ?? 0) >= limit);
  return (draw[0] ?? 0) % bound;
}
