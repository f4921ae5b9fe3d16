/** A text in pieces, each with the marks that lie on it. */

import type { Span } from './position.ts';

/** How a part of a text stands out. */
export type MarkKind = 'error' | 'warning' | 'matched';

export interface Mark extends Span {
  readonly kind: MarkKind;
}

export interface Segment {
  /** Where it begins in the text. */
  readonly start: number;
  readonly text: string;
  /** The gravest of the marks on it. */
  readonly kind: MarkKind | undefined;
}

const GRAVITY: readonly MarkKind[] = ['error', 'warning', 'matched'];

export function segmentsOf(text: string, marks: readonly Mark[]): Segment[] {
  const inText = marks.map((mark) => ({ ...mark, start: clamp(mark.start, text), end: clamp(mark.end, text) }));
  const borders = new Set([0, text.length, ...inText.flatMap(({ start, end }) => [start, end])]);
  const sorted = [...borders].sort((a, b) => a - b);
  return sorted.slice(0, -1).map((start, index) => {
    const end = sorted[index + 1] ?? text.length;
    const on = inText.filter((mark) => mark.start <= start && mark.end >= end && mark.start < mark.end);
    const kind = GRAVITY.find((candidate) => on.some((mark) => mark.kind === candidate));
    return { start, text: text.slice(start, end), kind };
  });
}

/** The word that a fault lies on: up to the next white space, comma or bracket, a string as a whole; at least one character. */
export function wordAt(text: string, offset: number): Span {
  const start = Math.min(offset, Math.max(0, text.length - 1));
  const word = /^(?:"(?:[^"\\\n]|\\.)*"?|[^\s,[\]{}":]+|\S)/.exec(text.slice(start));
  return { start, end: Math.min(text.length, start + (word?.[0].length ?? 1)) };
}

function clamp(offset: number, text: string): number {
  return Math.min(Math.max(0, offset), text.length);
}
