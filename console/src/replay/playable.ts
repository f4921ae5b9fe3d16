/** What the player gets of a recording: the player trusts it, and whoever was recorded has written it. */

import { withoutBidi } from '../ui/bidi.ts';
import { type Event, sizeOf } from './cast.ts';

/** The events that the player understands. A screen of any size would take all memory that the player has. */
export function playable(events: readonly Event[]): readonly Event[] {
  return events.flatMap((event): Event[] => {
    switch (event.code) {
      case 'o':
      case 'm':
        return [{ ...event, data: withoutBidi(event.data) }];
      case 'r': {
        const size = sizeOf(event.data);
        return size ? [{ ...event, data: `${size.cols}x${size.rows}` }] : [];
      }
      default:
        return [];
    }
  });
}
