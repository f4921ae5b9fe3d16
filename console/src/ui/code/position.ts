/** Places in a text as the server counts them: lines and characters from one, a character being a Unicode scalar value. */
export interface Position {
  line: number;
  column: number;
}

export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: Array.from(before.slice(lineStart)).length + 1 };
}

/** Where a position is in the text, in UTF-16 units; the nearest place if the text has no such one. */
export function offsetOf(text: string, { line, column }: Position): number {
  let start = 0;
  for (let passed = 1; passed < line; passed += 1) {
    const end = text.indexOf('\n', start);
    if (end < 0) {
      return text.length;
    }
    start = end + 1;
  }
  const end = text.indexOf('\n', start);
  const characters = Array.from(text.slice(start, end < 0 ? text.length : end));
  return start + characters.slice(0, Math.max(0, column - 1)).join('').length;
}

/** A part of a text, in UTF-16 units. */
export interface Span {
  start: number;
  end: number;
}
