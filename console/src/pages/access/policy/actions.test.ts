// @vitest-environment node
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { ACTIONS, doubtOfAction } from './actions.ts';

/** Permissions that are no operations of a model. Source: crates/server/src/auth/action.rs and what the console asks. */
const BESIDE: Record<string, string[]> = {
  cloudtrail: [],
  ec2messages: [],
  iam: ['PassRole'],
  kms: ['ReEncryptFrom', 'ReEncryptTo'],
  logs: [],
  postern: ['EndSignIn', 'ListSignIns'],
  ssm: [],
  sts: ['SetSourceIdentity', 'TagSession'],
};

/**
 * Operations that are asked for by another permission: who may read a recording may know its commands; who encrypts anew
 * decrypts with one key and encrypts with another.
 */
const BY_ANOTHER = new Set(['GetSessionTimeline', 'ReEncrypt']);

function operations(...files: string[]): string[] {
  return files.flatMap((file) => {
    const path = new URL(`../../../../../crates/api/model/${file}.json`, import.meta.url);
    const model = JSON.parse(readFileSync(path, 'utf8')) as { operations: Record<string, unknown> };
    return Object.keys(model.operations).filter((name) => !BY_ANOTHER.has(name));
  });
}

describe('the known actions', () => {
  it.each(Object.keys(BESIDE))('of %s are its operations and what stands beside them', (service) => {
    const files = service === 'ssm' ? ['ssm', 'ssm-agent'] : [service];
    const expected = new Set([...operations(...files), ...(BESIDE[service] ?? [])]);
    expect([...(ACTIONS[service] ?? [])].sort()).toEqual([...expected].sort());
  });
});

describe('an action', () => {
  it.each(['ssm:StartSession', 'SSM:startsession', 'ssm:*', 'ssm:Start*', 'iam:*User', 's3:Get?bject', '*', 'no action'])(
    '%s raises no doubt',
    (action) => expect(doubtOfAction(action)).toBeUndefined(),
  );

  it('that nobody knows is told, with the one that was meant', () => {
    expect(doubtOfAction('ssm:StartSesion')).toContain('Did you mean ssm:StartSession?');
    expect(doubtOfAction('ssm:SendCommand')).toBe('Postern knows no action ssm:SendCommand: it has no effect here.');
    expect(doubtOfAction('ssm:Xyz*')).toContain('no action ssm:Xyz*');
    expect(doubtOfAction('ec2:DescribeInstances')).toContain('no service ec2');
  });

  it('with many wildcards is judged at once', () => {
    const before = performance.now();
    doubtOfAction(`iam:${'*a'.repeat(40)}*z`);
    expect(performance.now() - before).toBeLessThan(100);
  });
});
