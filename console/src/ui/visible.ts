/**
 * Text from outside, made harmless to look at.
 *
 * Names, reasons and error texts come from nodes and from other people. React keeps them from becoming HTML; this keeps them from
 * reordering, hiding or imitating what stands around them.
 */

/**
 * Controls but tab and line feed become pictures or escapes; so do characters that reorder, join or take no room. The two
 * selectors between a sign's black and coloured forms stay: they change no meaning, and people put such signs into names.
 */
const DECEPTIVE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb]|[\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|[\ud800-\udfff]/gu;

/** Below this, Unicode has a picture for each control (U+2400 to U+2421). */
const PICTURES = 0x2400;
const SPACE = 0x20;
const DELETE = 0x7f;

/** The text with everything invisible or deceptive shown by its name. */
export function visible(text: string): string {
  return text.replaceAll(DECEPTIVE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code < SPACE) {
      return String.fromCodePoint(PICTURES + code);
    }
    return code === DELETE ? '\u2421' : `\u2329U+${code.toString(16).toUpperCase().padStart(4, '0')}\u232a`;
  });
}

/** The same on one line: line feeds and tabs become pictures as well. */
export function visibleLine(text: string): string {
  return visible(text).replaceAll('\n', '\u240a').replaceAll('\t', '\u2409');
}
