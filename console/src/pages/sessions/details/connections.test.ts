import { expect, test } from 'vitest';

import { connectionsOf, lasted_s } from './connections.ts';

let count = 0;
const record = (EventName: string, connection: unknown, more: object = {}) => ({
  EventId: `event-${(count += 1)}`,
  EventName,
  EventTime: 1000,
  CloudTrailEvent: JSON.stringify({ serviceEventDetails: { sessionId: 's', connection }, ...more }),
});
const opened = { direction: 'local', protocol: 'tcp', host: 'db.internal', port: 5432, source: '127.0.0.1:4711', openedAt: '2026-11-27T10:00:00Z' };
const at_s = Date.parse(opened.openedAt) / 1000;

test('what was said of a connection is put together', () => {
  const records = [
    record('ConnectionClosed', { ...opened, id: 'c-1', address: '10.0.0.5:5432', closedAt: '2026-11-27T10:01:30Z', bytesIn: 3, bytesOut: 4, endReason: 'node' }),
    record('SessionConnected', { id: 'c-9' }),
    record('ConnectionOpened', { ...opened, id: 'c-1' }),
  ];
  const [connection, ...others] = connectionsOf(records);
  expect(others).toEqual([]);
  expect(connection).toEqual({
    id: 'c-1',
    status: 'closed',
    eventId: records[0]?.EventId,
    opened_s: at_s,
    closed_s: at_s + 90,
    source: '127.0.0.1:4711',
    destination: 'db.internal:5432',
    protocol: 'tcp',
    direction: 'local',
    address: '10.0.0.5:5432',
    bytesIn: 3,
    bytesOut: 4,
    endReason: 'node',
  });
  expect(connection && lasted_s(connection, 0)).toBe(90);
});

test('those opened last are first, and open ones last until now', () => {
  const later = { ...opened, openedAt: '2026-11-27T11:00:00Z' };
  const records = [record('ConnectionOpened', { ...opened, id: 1 }), record('ConnectionOpened', { ...later, id: 2 })];
  const connections = connectionsOf(records);
  expect(connections.map(({ id, status }) => [id, status])).toEqual([['2', 'open'], ['1', 'open']]);
  expect(connections.map((connection) => lasted_s(connection, at_s + 3605))).toEqual([5, 3605]);
});

test('records of one second come in any order', () => {
  const records = [record('ConnectionOpened', { ...opened, id: 1 }), record('ConnectionClosed', { ...opened, id: 1, bytesIn: 7 })];
  expect(connectionsOf(records)).toMatchObject([{ status: 'closed', bytesIn: 7, eventId: records[1]?.EventId }]);
});

test('what was open when the session ended was cut', () => {
  const records = [record('SessionEnded', undefined), record('ConnectionOpened', { ...opened, id: 1 })];
  const [connection] = connectionsOf(records);
  expect(connection?.status).toBe('cut');
  expect(connection && lasted_s(connection, at_s + 5)).toBeUndefined();
});

test.each([
  ['client', 'closed'],
  ['node-reset', 'closed'],
  ['refused:Unreachable', 'refused'],
  ['session-ended', 'cut'],
  [undefined, 'closed'],
])('one that ended by %s is %s', (endReason, status) => {
  expect(connectionsOf([record('ConnectionClosed', { ...opened, id: 1, endReason })])[0]?.status).toBe(status);
});

test('a denied one says what decided', () => {
  const decision = { result: 'EXPLICIT_DENY', layer: 'identity', policy: 'NoDatabases', statement: 1 };
  const more = { errorCode: 'AccessDenied', errorMessage: 'User: x is not authorized', additionalEventData: { decision } };
  const [connection] = connectionsOf([record('ConnectionDenied', { ...opened, id: 1 }, more)]);
  expect(connection).toMatchObject({ status: 'denied', decision, details: 'User: x is not authorized' });
  const refused = record('ConnectionClosed', { ...opened, id: 1, endReason: 'refused:Denied' });
  expect(connectionsOf([refused, record('ConnectionDenied', { ...opened, id: 1 }, more)])).toMatchObject([{ status: 'denied', decision }]);
});

test.each([
  [{ host: 'fd00::1', port: 53 }, '[fd00::1]:53'],
  [{ host: '10.0.0.1', port: 22 }, '10.0.0.1:22'],
  [{ path: '/run/x.sock' }, '/run/x.sock'],
  [{ host: '/run/x.sock', port: 0 }, '/run/x.sock'],
  [{}, ''],
])('%o is %s', (connection, destination) => {
  expect(connectionsOf([record('ConnectionOpened', { id: 'c', ...connection })])[0]?.destination).toBe(destination);
});

test('what cannot be read says nothing', () => {
  const nothing = [
    record('ConnectionOpened', undefined),
    record('ConnectionOpened', { id: {} }),
    record('ConnectionOpened', [1]),
    { ...record('ConnectionOpened', {}), CloudTrailEvent: '{' },
    { EventName: 'constructor' },
  ];
  expect(connectionsOf(nothing)).toEqual([]);
  const odd = { id: 'c', openedAt: 'x', host: 1, port: '1', bytesIn: '1', source: {}, decision: 'no' };
  expect(connectionsOf([record('ConnectionClosed', odd)])[0]).toMatchObject({ destination: '', status: 'closed', closed_s: 1000 });
});
