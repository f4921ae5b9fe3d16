/**
 * Recordings as asciicast v3 has them: a header, then `[interval, code, data]` a line.
 *
 * Source: <https://docs.asciinema.org/manual/asciicast/v3/>. Intervals are seconds since the event before.
 */

export interface Event {
  /** Seconds since the beginning. */
  readonly at: number;
  /** `o` output, `r` resize, `m` marker, `x` exit; others are of no use here. */
  readonly code: string;
  readonly data: string;
}

export interface Cast {
  readonly cols: number;
  readonly rows: number;
  readonly events: readonly Event[];
  /** Seconds. */
  readonly duration: number;
}

/** Why something is not a recording. */
export class CastError extends Error {
  override readonly name = 'CastError';
}

/** No terminal is larger; what a header says decides how much memory a screen takes. */
const SIDE_MAX = 1000;

/** Reads lines one by one, from their beginning. */
export class CastReader {
  #header: { readonly cols: number; readonly rows: number } | undefined;
  #at = 0;

  get size(): { readonly cols: number; readonly rows: number } | undefined {
    return this.#header;
  }

  /** The event of a line; none for the header, comments, empty lines and what is no event. */
  read(line: string): Event | undefined {
    if (line.trim() === '' || line.startsWith('#')) {
      return undefined;
    }
    const value = parse(line);
    if (!this.#header) {
      this.#header = header(value);
      return undefined;
    }
    if (!Array.isArray(value)) {
      return undefined;
    }
    const [interval, code, data] = value as unknown[];
    if (typeof interval !== 'number' || !Number.isFinite(interval) || typeof code !== 'string' || typeof data !== 'string') {
      return undefined;
    }
    this.#at += Math.max(0, interval);
    return { at: this.#at, code, data };
  }
}

/** Reads a recording. A last line that is not complete is left out: the session may be running. */
export function readCast(text: string): Cast {
  const reader = new CastReader();
  const events: Event[] = [];
  for (const line of text.split('\n')) {
    const event = reader.read(line);
    if (event) {
      events.push(event);
    }
  }
  if (!reader.size) {
    throw new CastError('the recording has no header');
  }
  return { ...reader.size, events, duration: events.at(-1)?.at ?? 0 };
}

/** `{cols, rows}` of a resize's `80x24`. */
export function sizeOf(data: string): { readonly cols: number; readonly rows: number } | undefined {
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(data);
  return match ? { cols: side(Number(match[1]), 80), rows: side(Number(match[2]), 24) } : undefined;
}

function header(value: unknown): { readonly cols: number; readonly rows: number } {
  const { version, term } = (value ?? {}) as { version?: unknown; term?: { cols?: unknown; rows?: unknown } | null };
  if (version !== 3) {
    throw new CastError('the recording is not of asciicast version 3');
  }
  return { cols: side(term?.cols, 80), rows: side(term?.rows, 24) };
}

function side(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 ? Math.min(value, SIDE_MAX) : otherwise;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
