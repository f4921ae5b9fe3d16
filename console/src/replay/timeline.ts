/** The time of a recording, and the shorter time of a replay that leaves idle time out. */

import type { Event } from './cast.ts';

/** No pause of a replay that leaves idle time out is longer, in seconds. */
export const IDLE_MAX = 2;

export interface Timeline {
  /** The recording's events at the times of the replay. */
  readonly events: readonly Event[];
  readonly duration: number;
  /** A time of the recording in the replay. */
  readonly toReplay: (at: number) => number;
  /** A time of the replay in the recording. */
  readonly toRecording: (at: number) => number;
}

/** The timeline of a replay whose pauses are at most that long. */
export function timeline(events: readonly Event[], idleMax = Number.POSITIVE_INFINITY): Timeline {
  const played: Event[] = [];
  let before = 0;
  let at = 0;
  for (const event of events) {
    at += Math.min(event.at - before, idleMax);
    before = event.at;
    played.push({ ...event, at });
  }
  const convert = (from: readonly Event[], to: readonly Event[]) => (time: number) => {
    const index = lastNotAfter(from, time);
    const start = index < 0 ? 0 : (from[index]?.at ?? 0);
    const origin = index < 0 ? 0 : (to[index]?.at ?? 0);
    const limit = to[index + 1]?.at ?? origin;
    return Math.min(origin + Math.max(0, time - start), Math.max(origin, limit));
  };
  return { events: played, duration: at, toReplay: convert(events, played), toRecording: convert(played, events) };
}

/** Times come from sums, and go through milliseconds of a player: less apart than this, in seconds, is the same moment. */
const SAME = 0.0006;

/** The index of the last event that is not after that time, or -1. */
function lastNotAfter(events: readonly Event[], time: number): number {
  let low = 0;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((events[middle]?.at ?? 0) <= time + SAME) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}
