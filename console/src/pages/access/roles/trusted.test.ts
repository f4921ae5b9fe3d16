import { expect, it } from 'vitest';

import { trustedBy } from './trusted.ts';

function document(...principals: unknown[]): string {
  return JSON.stringify({ Statement: principals.map((Principal) => ({ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' })) });
}

it.each([
  ['a service', document({ Service: 'ssm.amazonaws.com' }), ['ssm.amazonaws.com']],
  ['an account', document({ AWS: 'arn:aws:iam::111122223333:root' }), ['111122223333']],
  [
    'users and roles, each once',
    document({ AWS: ['arn:aws:iam::1:user/alice', 'arn:aws:iam::1:role/x/Ops'] }, { AWS: 'arn:aws:iam::1:user/alice' }),
    ['user/alice', 'role/x/Ops'],
  ],
  ['everybody', document('*'), ['*']],
  ['one statement that stands alone', '{"Statement": {"Effect": "Allow", "Principal": {"AWS": "AIDAX"}}}', ['AIDAX']],
  ['nobody that is denied', '{"Statement": [{"Effect": "Deny", "Principal": "*"}]}', []],
  ['nobody, if it is no policy', 'x', []],
])('a trust policy names %s', (_, text, expected) => {
  expect(trustedBy(text)).toEqual(expected);
});
