/** What a program prints, as it may be drawn. */

import { withoutBidi } from '../ui/bidi.ts';

/**
 * Decodes the output of one program. Without WebGL, for a screen reader and when one copies, lines of a screen are text of the page;
 * what would reorder them is left out.
 */
export class OutputText {
  readonly #decoder = new TextDecoder();

  /** The next piece; a character may be cut between two. */
  next(output: Uint8Array | string): string {
    return withoutBidi(typeof output === 'string' ? output : this.#decoder.decode(output, { stream: true }));
  }
}
