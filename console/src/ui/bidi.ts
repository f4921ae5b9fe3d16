/** Characters that reorder a line of text when a page draws it; a terminal shows nothing of them. */

/** Source: Unicode Standard Annex 9, table 4. */
const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text in the order in which it was written, for terminals whose lines are text of the page. */
export function withoutBidi(text: string): string {
  return text.replaceAll(BIDI_CONTROLS, '');
}
