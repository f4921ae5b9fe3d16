import { describe, expect, it } from 'vitest';

import { parseDenial, policySourceOf } from './denial.ts';

const ALICE = 'arn:aws:iam::000000000000:user/alice';
const BOB = 'arn:aws:sts::000000000000:assumed-role/Ops/bob';

describe('a denial', () => {
  it.each(['because no identity-based policy allows the iam:ListUsers action', 'with an explicit deny in a permissions boundary'])(
    'says who may not do what, %s',
    (reason) => {
      const message = `User: ${ALICE} is not authorized to perform: iam:ListUsers on resource: arn:aws:iam::000000000000:user/ ${reason}`;
      expect(parseDenial(message)).toEqual({
        principal: ALICE,
        action: 'iam:ListUsers',
        resource: 'arn:aws:iam::000000000000:user/',
        reason,
      });
    },
  );

  it('is not in other messages', () => {
    expect(parseDenial('The sign-in is missing.')).toBeUndefined();
  });
});

it('a session is decided by the policies of its role', () => {
  expect(policySourceOf(BOB)).toBe('arn:aws:iam::000000000000:role/Ops');
  expect(policySourceOf(ALICE)).toBe(ALICE);
  expect(policySourceOf('arn:aws:iam::000000000000:root')).toBeUndefined();
});
