/**
 * Names of files, which are bytes, as text. Almost all are UTF-8. A byte that is not becomes a lone surrogate, as Python does
 * it (PEP 383), so that every name comes back as the bytes that it was; where names are shown, `visible` names the byte.
 */

/** U+DC80 to U+DCFF stand for the bytes 80 to FF. No UTF-8 text has them. */
const ESCAPE = 0xdc00;
const ESCAPED = /[\udc80-\udcff]/u;
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

export function nameFromBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return pieceByPiece(bytes);
  }
}

export function nameToBytes(name: string): Uint8Array {
  if (!ESCAPED.test(name)) {
    return encoder.encode(name);
  }
  const bytes = Array.from(name, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return ESCAPED.test(character) ? [code - ESCAPE] : [...encoder.encode(character)];
  });
  return Uint8Array.from(bytes.flat());
}

/** Takes the longest character that can be read at each place, or a byte. */
function pieceByPiece(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((length) => isCharacter(bytes.subarray(at, at + length), length));
    const taken = bytes.subarray(at, at + (length ?? 1));
    text += length === undefined ? String.fromCharCode(ESCAPE + (taken[0] ?? 0)) : strict.decode(taken);
    at += taken.length;
  }
  return text;
}

function isCharacter(bytes: Uint8Array, length: number): boolean {
  if (bytes.length < length) {
    return false;
  }
  try {
    return strict.decode(bytes).length > 0;
  } catch {
    return false;
  }
}
