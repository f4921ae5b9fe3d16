/** Output as plain text: without escape sequences, with what each piece was printed at. */

import type { Cast } from './cast.ts';

export interface Line {
  /** Seconds since the beginning, of the line's first character. */
  readonly at: number;
  readonly text: string;
}

export interface Match {
  /** The line, counted from 0. */
  readonly line: number;
  readonly at: number;
  readonly text: string;
}

/** What an escape sequence is in. Sequences may be cut anywhere between two events. */
type Place = 'text' | 'escape' | 'control' | 'string' | 'string-escape' | 'charset';

/** A line of this length is cut: nobody reads it, and programs that redraw never end theirs. */
const LINE_LENGTH_MAX = 4000;
export const MATCHES_MAX = 500;

/**
 * The lines that were printed, in the order in which they were. This is not the screen: what a program draws over is kept,
 * and a carriage return begins the line again.
 */
export function linesOf({ events }: Pick<Cast, 'events'>): Line[] {
  const lines: Line[] = [];
  let place: Place = 'text';
  let text = '';
  let isOverwritten = false;
  let startedAt = 0;
  const end = () => {
    if (text !== '') {
      lines.push({ at: startedAt, text });
    }
    text = '';
    isOverwritten = false;
  };
  for (const { at, code, data } of events) {
    if (code !== 'o') {
      continue;
    }
    for (const character of data) {
      const before: Place = place;
      place = next(place, character);
      if (before !== 'text' || place !== 'text') {
        continue;
      }
      if (character === '\n') {
        end();
      } else if (character === '\r') {
        isOverwritten = true;
      } else if (character === '\b') {
        text = text.slice(0, -1);
      } else if (character === '\t' || character >= ' ') {
        if (isOverwritten) {
          text = '';
          isOverwritten = false;
        }
        if (text === '') {
          startedAt = at;
        }
        if (text.length < LINE_LENGTH_MAX && character !== '\u007f') {
          text += character;
        }
      }
    }
  }
  end();
  return lines;
}

/** Where a text was printed, whatever its case. */
export function search(lines: readonly Line[], wanted: string): Match[] {
  const needle = wanted.toLowerCase();
  const matches: Match[] = [];
  for (const [line, { at, text }] of lines.entries()) {
    if (needle !== '' && text.toLowerCase().includes(needle)) {
      matches.push({ line, at, text });
      if (matches.length === MATCHES_MAX) {
        break;
      }
    }
  }
  return matches;
}

/** The file that is downloaded as text. */
export function textOf(lines: readonly Line[]): string {
  return lines.map(({ text }) => `${text}\n`).join('');
}

/** ECMA-48: where a sequence goes on with that character. */
function next(place: Place, character: string): Place {
  const code = character.codePointAt(0) ?? 0;
  // CAN and SUB end every sequence; ESC begins another one, or ends a string.
  if (code === 0x18 || code === 0x1a) {
    return 'text';
  }
  if (code === 0x1b) {
    return place === 'string' ? 'string-escape' : 'escape';
  }
  switch (place) {
    case 'text':
      return code === 0x9b ? 'control' : isString(code) ? 'string' : 'text';
    case 'escape':
    case 'string-escape':
      if (character === '[') {
        return 'control';
      }
      if (']P_^X'.includes(character)) {
        return 'string';
      }
      return code >= 0x20 && code < 0x30 ? 'charset' : 'text';
    case 'control':
      return code >= 0x40 && code <= 0x7e ? 'text' : 'control';
    case 'charset':
      return code >= 0x20 && code < 0x30 ? 'charset' : 'text';
    case 'string':
      return code === 0x07 || code === 0x9c ? 'text' : 'string';
  }
}

/** OSC, DCS, APC, PM and SOS in one character. */
function isString(code: number): boolean {
  return code === 0x9d || code === 0x90 || code === 0x9f || code === 0x9e || code === 0x98;
}
