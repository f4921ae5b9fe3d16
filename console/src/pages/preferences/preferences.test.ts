import { describe, expect, test } from 'vitest';

import { DEFAULTS, fieldAt, problemsOf, readPreferences, writtenPreferences, type Preferences } from './preferences.ts';

const shell = (inputs: object) => JSON.stringify({ schemaVersion: '1.0', sessionType: 'Standard_Stream', inputs });

describe('a document', () => {
  test('is read with what it does not say', () => {
    const inputs = { runAsEnabled: 'true', idleSessionTimeout: '', kmsKeyId: null, shellProfile: { linux: 'date' } };
    const { preferences } = readPreferences(shell(inputs)) ?? {};
    expect(preferences).toEqual({ ...DEFAULTS, runAsEnabled: true, linuxProfile: 'date' });
  });

  test('keeps what the form does not know', () => {
    const read = readPreferences(shell({ newer: 'kept', idleSessionTimeout: '5', shellProfile: { windows: 'dir' } }));
    const written = JSON.parse(writtenPreferences(read?.document ?? {}, { ...DEFAULTS, idleSessionTimeout: '15' })) as object;
    expect(written).toMatchObject({
      schemaVersion: '1.0',
      sessionType: 'Standard_Stream',
      inputs: { newer: 'kept', idleSessionTimeout: '15', shellProfile: { linux: '', windows: '' } },
    });
  });

  test('names the recording only where it is not as it would be anyway', () => {
    const inputsOf = (recording: string) =>
      JSON.parse(writtenPreferences({ inputs: { recording: 'off' } }, { ...DEFAULTS, recording })) as { inputs: { recording?: string } };
    expect(inputsOf('required').inputs.recording).toBe('required');
    expect(inputsOf('allowed').inputs).not.toHaveProperty('recording');
  });

  test.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['a reference', shell({ runAsDefaultUser: '{{ user }}' })],
    ['a reference for a switch', shell({ runAsEnabled: '{{ on }}' })],
    ['another type', shell({ idleSessionTimeout: 20 })],
  ])('with %s is not for the form', (_, content) => {
    expect(readPreferences(content)).toBeUndefined();
  });
});

describe('a preference', () => {
  test.each<[keyof Preferences, Partial<Preferences>, boolean]>([
    ['s3BucketName', { s3BucketName: 'logs' }, true],
    ['s3BucketName', { s3BucketName: 'Logs' }, false],
    ['s3BucketName', { s3BucketName: '10.0.0.1' }, false],
    ['s3KeyPrefix', { s3BucketName: 'logs', s3KeyPrefix: 'a/b' }, true],
    ['s3KeyPrefix', { s3BucketName: 'logs', s3KeyPrefix: '/a' }, false],
    ['s3KeyPrefix', { s3KeyPrefix: 'a' }, false],
    ['cloudWatchLogGroupName', { cloudWatchLogGroupName: '/ssm/a' }, true],
    ['cloudWatchLogGroupName', { cloudWatchLogGroupName: 'a b' }, false],
    ['kmsKeyId', { kmsKeyId: 'alias/a' }, true],
    ['kmsKeyId', { kmsKeyId: 'arn:aws:s3:::a' }, false],
    ['runAsDefaultUser', { runAsEnabled: true, runAsDefaultUser: 'alice' }, true],
    ['runAsDefaultUser', { runAsDefaultUser: 'alice' }, false],
    ['runAsDefaultUser', { runAsEnabled: true, runAsDefaultUser: 'a b' }, false],
    ['idleSessionTimeout', { idleSessionTimeout: '60' }, true],
    ['idleSessionTimeout', { idleSessionTimeout: '' }, false],
    ['idleSessionTimeout', { idleSessionTimeout: '-1' }, false],
    ['maxSessionDuration', { maxSessionDuration: '' }, true],
    ['maxSessionDuration', { maxSessionDuration: '1.5' }, false],
    ['recording', { recording: 'off' }, true],
    ['recording', { recording: 'maybe' }, false],
    ['linuxProfile', { linuxProfile: 'x'.repeat(513) }, false],
  ])('%s of %j is right: %s', (field, given, isRight) => {
    expect(problemsOf({ ...DEFAULTS, ...given })[field] === undefined).toBe(isRight);
  });

  test('is found by its path', () => {
    expect(fieldAt('inputs.idleSessionTimeout')).toBe('idleSessionTimeout');
    expect(fieldAt('inputs.shellProfile.windows')).toBe('windowsProfile');
    expect(fieldAt('properties.portNumber')).toBeUndefined();
  });
});
