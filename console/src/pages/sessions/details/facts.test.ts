import { expect, test } from 'vitest';

import { factsOf } from './facts.ts';

const record = (EventName: string, content: object | string) => ({ EventName, CloudTrailEvent: typeof content === 'string' ? content : JSON.stringify(content) });

test('facts are put together from the records of a session', () => {
  const records = [
    record('SessionEnded', { serviceEventDetails: { bytesIn: 10, bytesOut: 2000, exitCode: 3 } }),
    record('SessionConnected', { serviceEventDetails: { side: 'client', clientVersion: '1.2.814.0' } }),
    record('SessionConnected', { serviceEventDetails: { side: 'client', clientVersion: 'postern/0.1.0' } }),
    record('SessionConnected', { serviceEventDetails: { side: 'client', clientVersion: 'postern/0.1.0' } }),
    record('SessionConnected', { serviceEventDetails: { side: 'node' } }),
    record('StartSession', { sourceIPAddress: '192.0.2.7', requestParameters: { parameters: { host: ['db.internal'], portNumber: ['5432'] } } }),
  ];
  expect(factsOf(records)).toEqual({
    address: '192.0.2.7',
    clients: ['postern/0.1.0', '1.2.814.0'],
    forwardedTo: 'db.internal:5432',
    bytesIn: 10,
    bytesOut: 2000,
    exitCode: 3,
  });
});

test('what cannot be read says nothing', () => {
  const records = [
    record('StartSession', '{'),
    record('StartSession', { requestParameters: { parameters: { portNumber: [7] } }, sourceIPAddress: 1 }),
    record('SessionEnded', { serviceEventDetails: { bytesIn: '1' } }),
    record('SessionConnected', { serviceEventDetails: [] }),
    record('Other', { serviceEventDetails: { exitCode: 1 } }),
  ];
  expect(factsOf(records)).toEqual({ clients: [] });
  expect(factsOf([record('StartSession', { requestParameters: { parameters: { portNumber: ['80'] } } })])).toEqual({ forwardedTo: '80', clients: [] });
});
