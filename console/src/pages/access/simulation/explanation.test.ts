import { describe, expect, it } from 'vitest';

import { parseExplanation } from './explanation.ts';

const USER = 'arn:aws:iam::111122223333:user/alice';
const NODE = 'arn:aws:ssm:us-east-1:111122223333:managed-instance/mi-0123456789abcdef0';

describe('an explanation', () => {
  it('of an allow names its statement and what would deny', () => {
    const explanation = parseExplanation(
      `ALLOWED: ${USER} may perform ssm:StartSession on ${NODE}.
Allowed by statement 2 (Web) of user_alice_shells, an identity-based policy.
Would deny:
- statement 1 of Limits, if not for:
    Resource does not list it: "arn:aws:ssm:*:*:session/*"
    Bool aws:SecureTransport: expected "false", the request has no such key
- and 2 more
`,
    );
    expect(explanation).toEqual({
      headline: `ALLOWED: ${USER} may perform ssm:StartSession on ${NODE}.`,
      layer: 'identity-based policy',
      decidedBy: { number: 2, sid: 'Web', policy: 'user_alice_shells' },
      conditions: [],
      notes: [],
      close: [
        {
          statement: { number: 1, policy: 'Limits' },
          reasons: [
            'Resource does not list it: "arn:aws:ssm:*:*:session/*"',
            'Bool aws:SecureTransport: expected "false", the request has no such key',
          ],
        },
      ],
      closeMore: 2,
    });
  });

  it('of silence names the layer', () => {
    const explanation = parseExplanation(
      `DENIED: ${USER} may not perform ssm:StartSession on ${NODE}, because no permissions boundary allows the ssm:StartSession action.
No statement that allows, of 1 policy there, is about this action.`,
    );
    expect(explanation).toMatchObject({
      layer: 'permissions boundary',
      notes: ['No statement that allows, of 1 policy there, is about this action.'],
      close: [],
    });
    expect(explanation.decidedBy).toBeUndefined();
  });

  it('of an explicit deny has the conditions that held', () => {
    const explanation = parseExplanation(
      `DENIED: ${USER} may not perform ssm:StartSession on *, with an explicit deny in a service control policy.
Denied by statement 1 (No) of account, a service control policy.
  StringEquals aws:username: expected "alice", found "alice"
`,
    );
    expect(explanation).toMatchObject({
      layer: 'service control policy',
      decidedBy: { number: 1, sid: 'No', policy: 'account' },
      conditions: ['StringEquals aws:username: expected "alice", found "alice"'],
    });
  });

  it('of another form is kept', () => {
    expect(parseExplanation('Something else.\nAnd more.')).toMatchObject({ headline: 'Something else.', notes: ['And more.'] });
  });
});
