import { describe, expect, it } from 'vitest';

import { filtersOf, queryOf, timesOf, type Filters } from './filters.ts';

describe('an address', () => {
  const cases: [string, Filters, string][] = [
    ['nothing', {}, ''],
    [
      'an attribute',
      { attribute: { key: 'Username', value: 'a&b=c' } },
      'attribute=Username&value=a%26b%3Dc',
    ],
    ['a time until now', { range: { type: 'relative', amount: 3, unit: 'hour' } }, 'since=3-hour'],
    [
      'a time from and to',
      { range: { type: 'absolute', startDate: '2026-06-01T00:00:00+02:00', endDate: '2026-06-02T00:00:00+02:00' } },
      'from=2026-06-01T00%3A00%3A00%2B02%3A00&to=2026-06-02T00%3A00%3A00%2B02%3A00',
    ],
  ];
  it.each(cases)('has %s, both ways', (_, filters, query) => {
    expect(queryOf(filters).toString()).toBe(query);
    expect(filtersOf(new URLSearchParams(query))).toEqual(filters);
  });

  it.each(['attribute=Password&value=x', 'attribute=Username', 'since=0-hour', 'since=1-aeon', 'from=a&to=b', 'from=2026-02-01&to=2026-01-01'])(
    'that makes no sense asks for everything: %s',
    (query) => expect(filtersOf(new URLSearchParams(query))).toEqual({}),
  );
});

describe('times', () => {
  const now = Date.parse('2026-03-31T12:00:00Z');
  it('count back from now', () => {
    expect(timesOf({ type: 'relative', amount: 90, unit: 'minute' }, now)).toEqual({ start: now - 90 * 60_000 });
    expect(timesOf({ type: 'relative', amount: 2, unit: 'week' }, now)).toEqual({ start: Date.parse('2026-03-17T12:00:00Z') });
  });
  it('are as they were given', () => {
    const range = { type: 'absolute', startDate: '2026-03-01T00:00:00+01:00', endDate: '2026-03-02T00:00:00Z' } as const;
    expect(timesOf(range, now)).toEqual({ start: Date.parse('2026-02-28T23:00:00Z'), end: Date.parse('2026-03-02T00:00:00Z') });
  });
});
