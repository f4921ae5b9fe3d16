/** A time that there may not be. */

import { Time as Moment } from '../../../ui/Time.tsx';

interface Props {
  /** Seconds since the epoch, as the API has them. */
  readonly seconds: number | undefined;
  /** What stands there if there is none. */
  readonly absent: string;
}

export function Time({ seconds, absent }: Props) {
  return seconds === undefined ? absent : <Moment at={seconds} />;
}
