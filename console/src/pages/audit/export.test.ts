import { expect, it } from 'vitest';

import { recordsAsCsv, recordsAsJson } from './export.ts';
import { parseRecord, type AuditRecord } from './record.ts';

function record(members: object): AuditRecord {
  const text = JSON.stringify({ eventID: 'e1', eventTime: '2026-06-15T12:00:01Z', userIdentity: {}, ...members });
  const parsed = parseRecord(text);
  if (!parsed) {
    throw new Error('a record');
  }
  return parsed;
}

it('a table quotes what needs it', () => {
  const csv = recordsAsCsv([record({ eventName: 'A,B', errorMessage: 'say "no"\nor not' })]);
  const [head, row] = csv.split('\r\n');
  expect(head?.split(',')[1]).toBe('eventName');
  expect(row).toContain(',"A,B",');
  expect(row).toContain('"say ""no""\nor not"');
  expect(csv.endsWith('\r\n')).toBe(true);
});

it.each(['=HYPERLINK("http://evil.example")', '+1', '-1', '@SUM(A1)', '\tx', '＝1', '＋1', '－1', '＠SUM(A1)'])('a table holds no formula: %s', (userAgent) => {
  const row = recordsAsCsv([record({ userAgent })]).split('\r\n')[1] ?? '';
  expect(row).toContain(`'${userAgent.replaceAll('"', '""')}`);
});

it('no line of a cell is a formula', () => {
  const row = recordsAsCsv([record({ errorMessage: 'harmless\n=1\r\n=2\r=3 = 4' })]);
  expect(row).toContain('"harmless\n\'=1\r\n\'=2\r\'=3 = 4"');
});

it('a file of records is one of CloudTrail', () => {
  const found = record({ eventName: 'X' });
  expect(JSON.parse(recordsAsJson([found]))).toEqual({ Records: [found.raw] });
});
