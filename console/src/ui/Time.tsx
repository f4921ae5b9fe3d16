/** A moment, as people say it, with the exact time in it. */

import { useSyncExternalStore } from 'react';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** How often what is shown is brought up to date. */
const EVERY_MS = 15_000;

const ABSOLUTE = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

const LENGTHS = {
  second: lengths('second'),
  minute: lengths('minute'),
  hour: lengths('hour'),
  day: lengths('day'),
};

function lengths(unit: string): Intl.NumberFormat {
  return new Intl.NumberFormat('en', { style: 'unit', unit, unitDisplay: 'long', maximumFractionDigits: 0 });
}

interface Props {
  /** Seconds since the epoch, or RFC 3339. */
  readonly at: number | string | undefined;
  readonly form?: 'relative' | 'absolute';
}

export function Time({ at, form = 'absolute' }: Props) {
  const now_s = useNow();
  const at_s = seconds(at);
  if (at_s === undefined) {
    return '–';
  }
  const exact = ABSOLUTE.format(at_s * 1000);
  return (
    <time dateTime={new Date(at_s * 1000).toISOString()} title={exact}>
      {form === 'relative' ? relative(at_s, now_s) : exact}
    </time>
  );
}

/** `3 minutes ago`, `in 2 hours`. Both in seconds since the epoch. */
export function relative(at_s: number, now_s: number): string {
  const distance = at_s - now_s;
  const size = Math.abs(distance);
  if (size < MINUTE) {
    return RELATIVE.format(Math.round(distance), 'second');
  }
  if (size < HOUR) {
    return RELATIVE.format(Math.round(distance / MINUTE), 'minute');
  }
  return size < 2 * DAY ? RELATIVE.format(Math.round(distance / HOUR), 'hour') : RELATIVE.format(Math.round(distance / DAY), 'day');
}

interface LastingProps {
  /** Seconds since the epoch. */
  readonly since: number | undefined;
}

/** For how long something has been so: `3 minutes`. */
export function Lasting({ since }: LastingProps) {
  const now_s = useNow();
  if (since === undefined) {
    return '–';
  }
  return (
    <time dateTime={new Date(since * 1000).toISOString()} title={ABSOLUTE.format(since * 1000)}>
      {length(now_s - since)}
    </time>
  );
}

/** `1 second`, `3 minutes`, `2 hours`. */
export function length(length_s: number): string {
  const whole = Math.max(0, Math.round(length_s));
  if (whole < MINUTE) {
    return LENGTHS.second.format(whole);
  }
  if (whole < HOUR) {
    return LENGTHS.minute.format(Math.round(whole / MINUTE));
  }
  return whole < 2 * DAY ? LENGTHS.hour.format(Math.round(whole / HOUR)) : LENGTHS.day.format(Math.round(whole / DAY));
}

/** `1 h 5 min`, `12 s`. */
export function duration(length_s: number): string {
  const whole = Math.max(0, Math.round(length_s));
  const [hours, minutes, seconds] = [Math.floor(whole / HOUR), Math.floor((whole % HOUR) / MINUTE), whole % MINUTE];
  if (hours > 0) {
    return `${hours} h ${minutes} min`;
  }
  return minutes > 0 ? `${minutes} min ${seconds} s` : `${seconds} s`;
}

function seconds(at: Props['at']): number | undefined {
  const value = typeof at === 'string' ? Date.parse(at) / 1000 : at;
  return value !== undefined && Number.isFinite(value) && Math.abs(value) < 8.64e12 ? value : undefined;
}

const listeners = new Set<() => void>();
let timer: number | undefined;
let now_s = Math.floor(Date.now() / 1000);

/** The time in seconds since the epoch, by one clock for all that is shown; it moves every few seconds. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now_s);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    now_s = Math.floor(Date.now() / 1000);
    listeners.forEach((tell) => tell());
  }, EVERY_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      window.clearInterval(timer);
      timer = undefined;
    }
  };
}
