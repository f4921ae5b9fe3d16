/** A file's mode as `ls -l` writes it. */

const LETTERS = ['r', 'w', 'x'] as const;

/** `rwxr-x---`. */
export function modeText(mode: number): string {
  const shown: string[] = Array.from({ length: 9 }, (_, index) => ((mode >> (8 - index)) & 1 ? (LETTERS[index % 3] ?? '') : '-'));
  for (const [bit, at, letter] of [[0o4000, 2, 's'], [0o2000, 5, 's'], [0o1000, 8, 't']] as const) {
    if (mode & bit) {
      shown[at] = shown[at] === 'x' ? letter : letter.toUpperCase();
    }
  }
  return shown.join('');
}
