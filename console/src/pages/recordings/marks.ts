/** A line with what was found in it. */

import type { MatchMark } from '../../api/generated/postern.ts';

export interface Piece {
  readonly text: string;
  readonly isMarked: boolean;
}

/** Characters before the first mark, and in all, that a line shows. */
const BEFORE = 60;
const SHOWN = 400;

/** The line in pieces. Marks count characters as Unicode does, not as strings of JavaScript. */
export function piecesOf(line: string, marks: readonly MatchMark[]): Piece[] {
  const characters = Array.from(line);
  const first = Math.max(0, (marks[0]?.Start ?? 0) - BEFORE);
  const last = Math.min(characters.length, first + SHOWN);
  const pieces: Piece[] = [];
  const push = (from: number, to: number, isMarked: boolean) => {
    const text = characters.slice(Math.max(first, from), Math.min(last, to)).join('');
    if (text !== '') {
      pieces.push({ text, isMarked });
    }
  };
  let at = 0;
  for (const { Start = 0, End = 0 } of marks) {
    if (Start >= at && End > Start) {
      push(at, Start, false);
      push(Start, End, true);
      at = End;
    }
  }
  push(at, characters.length, false);
  const cut: Piece = { text: '…', isMarked: false };
  return [...(first > 0 ? [cut] : []), ...pieces, ...(last < characters.length ? [cut] : [])];
}
