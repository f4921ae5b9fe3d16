/** What is looked up, as the address of the page has it, and as `LookupEvents` takes it. */

import type { DateRangePickerProps } from '@cloudscape-design/components/date-range-picker';

/** The attributes that CloudTrail looks up, one at a time. */
export const ATTRIBUTES = [
  'EventName',
  'Username',
  'ResourceName',
  'ResourceType',
  'EventSource',
  'EventId',
  'AccessKeyId',
  'ReadOnly',
] as const;

export type Attribute = (typeof ATTRIBUTES)[number];

export type Range = DateRangePickerProps.Value;

export interface Filters {
  readonly attribute?: { readonly key: Attribute; readonly value: string };
  readonly range?: Range;
}

/** Parameters of the address. */
const KEY = 'attribute';
const VALUE = 'value';
const SINCE = 'since';
const FROM = 'from';
const TO = 'to';

const UNITS = ['minute', 'hour', 'day', 'week', 'month'] as const;

/** Reads an address; what makes no sense in it is left out. */
export function filtersOf(query: URLSearchParams): Filters {
  const key = ATTRIBUTES.find((attribute) => attribute === query.get(KEY));
  const value = query.get(VALUE) ?? '';
  const range = rangeOf(query);
  return {
    ...(key !== undefined && value !== '' && { attribute: { key, value } }),
    ...(range && { range }),
  };
}

/** The address of these filters. */
export function queryOf({ attribute, range }: Filters): URLSearchParams {
  const query = new URLSearchParams();
  if (attribute) {
    query.set(KEY, attribute.key);
    query.set(VALUE, attribute.value);
  }
  if (range?.type === 'relative') {
    query.set(SINCE, `${range.amount}-${range.unit}`);
  }
  if (range?.type === 'absolute') {
    query.set(FROM, range.startDate);
    query.set(TO, range.endDate);
  }
  return query;
}

/** The part of time that is asked for, in milliseconds since 1970. */
export function timesOf(range: Range | undefined, now: number): { start?: number; end?: number } {
  if (range?.type === 'relative') {
    return { start: before(now, range.amount, range.unit) };
  }
  if (range?.type === 'absolute') {
    return { start: Date.parse(range.startDate), end: Date.parse(range.endDate) };
  }
  return {};
}

function rangeOf(query: URLSearchParams): Range | undefined {
  const [, amount, unitText] = /^([1-9]\d{0,4})-([a-z]+)$/.exec(query.get(SINCE) ?? '') ?? [];
  const unit = UNITS.find((candidate) => candidate === unitText);
  if (amount !== undefined && unit !== undefined) {
    return { type: 'relative', amount: Number(amount), unit };
  }
  const [startDate, endDate] = [query.get(FROM) ?? '', query.get(TO) ?? ''];
  const isRange = Date.parse(startDate) <= Date.parse(endDate);
  return isRange ? { type: 'absolute', startDate, endDate } : undefined;
}

function before(now: number, amount: number, unit: DateRangePickerProps.TimeUnit): number {
  const date = new Date(now);
  switch (unit) {
    case 'second':
      return now - amount * 1_000;
    case 'minute':
      return now - amount * 60_000;
    case 'hour':
      return now - amount * 3_600_000;
    case 'day':
      return date.setUTCDate(date.getUTCDate() - amount);
    case 'week':
      return date.setUTCDate(date.getUTCDate() - 7 * amount);
    case 'month':
      return date.setUTCMonth(date.getUTCMonth() - amount);
    case 'year':
      return date.setUTCFullYear(date.getUTCFullYear() - amount);
  }
}
