import { afterEach, expect, test, vi } from 'vitest';

import { setCsrf } from '../../api/http.ts';
import { readRecords, RECORDS_MAX } from './session.ts';

const PAGE = 50;
const event = (number: number) => ({ EventId: `e${number}`, EventName: 'ConnectionOpened' });
/** From `to` down to `from`. */
const events = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => event(to - at));

/** A trail; says how many pages of it were asked for. */
function trail(records: readonly object[]): { asked: number } {
  const told = { asked: 0 };
  vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
    told.asked += 1;
    const { NextToken = '0' } = JSON.parse(String(init.body)) as { NextToken?: string };
    const end = Number(NextToken) + PAGE;
    const more = end < records.length ? { NextToken: String(end) } : {};
    return Promise.resolve(new Response(JSON.stringify({ Events: records.slice(end - PAGE, end), ...more })));
  });
  setCsrf('proof');
  return told;
}

const { signal } = new AbortController();

afterEach(() => {
  vi.unstubAllGlobals();
  setCsrf('');
});

test('records are read once, and those that are new in front of them', async () => {
  const first = trail(events(1, 400));
  const known = await readRecords('s', [], signal);
  expect([known.length, first.asked]).toEqual([400, 8]);
  const second = trail(events(1, 430));
  const now = await readRecords('s', known, signal);
  expect(now).toEqual(events(1, 430));
  expect(second.asked, 'one with new ones, one that shows that nothing is missing').toBe(2);
});

test('a record that took long is found behind newer ones', async () => {
  const late = { EventId: 'late', EventName: 'ConnectionClosed' };
  trail([...events(90, 100), late, ...events(1, 89)]);
  expect((await readRecords('s', events(1, 100), signal)).map(({ EventId }) => EventId).indexOf('late')).toBe(11);
});

test('a session without records is asked about once', async () => {
  const told = trail([]);
  expect([await readRecords('s', [], signal), told.asked]).toEqual([[], 1]);
});

test('there is an end to it', async () => {
  const told = trail(events(1, RECORDS_MAX + 500));
  expect((await readRecords('s', [], signal)).length).toBe(RECORDS_MAX);
  expect(told.asked).toBe(RECORDS_MAX / PAGE);
});
