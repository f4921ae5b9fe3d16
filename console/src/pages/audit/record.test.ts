import { describe, expect, it } from 'vitest';

import { parseRecord } from './record.ts';

const BASE = {
  eventVersion: '1.08',
  eventID: '4b7a66fc-bffb-4179-be64-69bba2bf714c',
  eventTime: '2026-06-15T12:00:01Z',
  eventName: 'StartSession',
  eventSource: 'ssm.amazonaws.com',
  eventType: 'AwsApiCall',
  awsRegion: 'us-east-1',
  sourceIPAddress: '203.0.113.10',
};
const USER = { type: 'IAMUser', principalId: 'AIDAALICE', arn: 'arn:aws:iam::111122223333:user/alice', userName: 'alice' };
const SESSION = {
  type: 'AssumedRole',
  principalId: 'AROAOPS:bob',
  arn: 'arn:aws:sts::111122223333:assumed-role/Ops/bob',
  accessKeyId: 'ASIAEXAMPLE',
  sessionContext: {
    sessionIssuer: { type: 'Role', userName: 'Ops' },
    attributes: { mfaAuthenticated: 'true', creationDate: '2026-06-15T11:58:03Z' },
  },
};

function record(members: object) {
  return parseRecord(JSON.stringify({ ...BASE, ...members }));
}

describe('a record', () => {
  it('of a user has its name', () => {
    expect(record({ userIdentity: USER })?.who).toEqual({ type: 'IAMUser', name: 'alice', arn: USER.arn });
  });

  it('of a role session has role and session', () => {
    const who = record({ userIdentity: SESSION })?.who;
    expect(who).toEqual({ type: 'AssumedRole', name: 'Ops/bob', arn: SESSION.arn, accessKeyId: 'ASIAEXAMPLE', mfa: true });
  });

  it('of somebody unknown has what is known', () => {
    expect(record({ userIdentity: { type: 'Unknown', accessKeyId: 'AKIA?' } })?.who).toEqual({
      type: 'Unknown',
      name: 'Unknown',
      accessKeyId: 'AKIA?',
    });
  });

  it('leads to all that it is about, once', () => {
    const found = record({
      userIdentity: USER,
      requestParameters: { target: 'mi-0123456789abcdef0', documentName: 'AWS-StartSSHSession' },
      responseElements: { sessionId: 'alice-0123' },
      resources: [
        { ARN: 'arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0', type: 'AWS::SSM::ManagedInstance' },
        { ARN: 'arn:aws:ssm:us-east-1:111122223333:session/alice-0123', type: 'AWS::SSM::Session' },
        { ARN: 'arn:aws:ssm:us-east-1:111122223333:session/AIDAALICE:x-0123', type: 'AWS::SSM::Session' },
        { ARN: 'arn:aws:iam::111122223333:role/ops/Deploy', type: 'AWS::IAM::Role' },
        { ARN: 'arn:aws:iam::111122223333:mfa/alice', type: 'AWS::IAM::MFADevice' },
      ],
    });
    expect(found?.subjects).toEqual([
      { kind: 'user', id: 'alice' },
      { kind: 'node', id: 'mi-0123456789abcdef0' },
      { kind: 'document', id: 'AWS-StartSSHSession' },
      { kind: 'session', id: 'alice-0123' },
      { kind: 'role', id: 'Deploy' },
    ]);
  });

  it('of a denied call has what the policies said', () => {
    const decision = { result: 'EXPLICIT_DENY', layer: 'boundary', policy: 'Limits', statement: 0 };
    const found = record({ userIdentity: USER, errorCode: 'AccessDenied', additionalEventData: { decision } });
    expect(found).toMatchObject({ errorCode: 'AccessDenied', decision });
  });

  it.each([
    ['text', 'no'],
    ['a list', '[]'],
    ['null', 'null'],
    ['an object without an identifier', '{}'],
  ])('is not %s', (_, text) => {
    expect(parseRecord(text)).toBeUndefined();
  });

  it('with members of other types than they should be can still be shown', () => {
    const found = record({ userIdentity: 7, resources: 'x', requestParameters: [], additionalEventData: { decision: 'yes' } });
    expect(found).toMatchObject({ subjects: [], who: { name: 'Unknown' } });
    expect(found?.decision).toBeUndefined();
  });

  it('is not led astray by names of every object', () => {
    const found = record({ userIdentity: USER, resources: [{ ARN: 'arn:aws:ssm:r:a:constructor/x', type: 't' }] });
    expect(found?.subjects).toEqual([{ kind: 'user', id: 'alice' }]);
  });
});
