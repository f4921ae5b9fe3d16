import { describe, expect, test } from 'vitest';

import { parseRecord } from '../audit/record.ts';
import { madeVersion } from './document.ts';

const RECORD = {
  eventID: '1',
  eventName: 'UpdateDocument',
  requestParameters: { name: 'Shell' },
  responseElements: { documentDescription: { documentVersion: '2' } },
};

describe('the version that a call made', () => {
  test.each<[string, object, string | undefined]>([
    ['of an update', {}, '2'],
    ['of a creation', { eventName: 'CreateDocument' }, '2'],
    ['of another document', { requestParameters: { name: 'Other' } }, undefined],
    ['of a call that failed', { errorCode: 'InvalidDocumentContent', responseElements: null }, undefined],
    ['of a call that makes none', { eventName: 'UpdateDocumentDefaultVersion' }, undefined],
    ['that is no text', { responseElements: { documentDescription: { documentVersion: 2 } } }, undefined],
  ])('%s', (_, changed, expected) => {
    const record = parseRecord(JSON.stringify({ ...RECORD, ...changed }));
    expect(record && madeVersion(record, 'Shell')).toBe(expected);
  });
});
