import { afterEach, expect, test, vi } from 'vitest';

import { all, call } from './call.ts';
import { ApiError, ConnectionError } from './errors.ts';
import * as iam from './generated/iam.ts';
import * as ssm from './generated/ssm.ts';
import { setCsrf, setOnSignedOut } from './http.ts';

interface Sent {
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Answers requests in order and keeps what was sent. */
function server(...answers: (Response | Error)[]): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
    sent.push({ url, headers: init.headers as Record<string, string>, body: String(init.body) });
    const answer = answers.shift();
    return answer instanceof Response ? Promise.resolve(answer) : Promise.reject(answer ?? new Error('one request too many'));
  });
  return sent;
}

afterEach(() => {
  vi.unstubAllGlobals();
  setCsrf('');
  setOnSignedOut(() => {});
});

test('a JSON call names its target and carries the proof', async () => {
  const sent = server(new Response('{"SessionId":"alice-0123456789abcdef0"}'));
  setCsrf('proof');
  const output = await call(ssm.StartSession, { Target: 'mi-0123456789abcdef0', Reason: undefined });
  expect(output.SessionId).toBe('alice-0123456789abcdef0');
  expect(sent).toEqual([
    {
      url: '/',
      headers: {
        'Content-Type': 'application/x-amz-json-1.1',
        'X-Amz-Target': 'AmazonSSM.StartSession',
        'X-Postern-Csrf': 'proof',
      },
      body: '{"Target":"mi-0123456789abcdef0"}',
    },
  ]);
});

test('a Query call numbers lists and names its service', async () => {
  const sent = server(new Response('<TagUserResponse><ResponseMetadata/></TagUserResponse>'));
  const output = await call(iam.TagUser, { UserName: 'alice', Tags: [{ Key: 'a b', Value: '' }] });
  expect(output).toEqual({});
  expect(sent[0]?.headers['X-Postern-Service']).toBe('iam');
  expect(sent[0]?.body).toBe(
    'Action=TagUser&Version=2010-05-08&UserName=alice&Tags.member.1.Key=a+b&Tags.member.1.Value=',
  );
});

test('XML is read by shape', async () => {
  server(
    new Response(`<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><SimulatePrincipalPolicyResult>
      <IsTruncated>false</IsTruncated><EvaluationResults><member><EvalActionName>ssm:StartSession</EvalActionName>
      <EvalDecision>explicitDeny</EvalDecision><MatchedStatements><member><SourcePolicyId>p &lt;b&gt;</SourcePolicyId>
      <StartPosition><Line>3</Line><Column>7</Column></StartPosition></member></MatchedStatements>
      <EvalDecisionDetails><entry><key>a</key><value>allowed</value></entry></EvalDecisionDetails>
      </member></EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>`),
  );
  const output = await call(iam.SimulatePrincipalPolicy, { PolicySourceArn: 'arn:aws:iam::1:user/a', ActionNames: [] });
  expect(output.IsTruncated).toBe(false);
  expect(output.EvaluationResults).toEqual([
    {
      EvalActionName: 'ssm:StartSession',
      EvalDecision: 'explicitDeny',
      MatchedStatements: [{ SourcePolicyId: 'p <b>', StartPosition: { Line: 3, Column: 7 } }],
      MissingContextValues: [],
      ResourceSpecificResults: [],
      EvalDecisionDetails: { a: 'allowed' },
    },
  ]);
});

test('XML times are seconds since the epoch', async () => {
  server(
    new Response(
      '<GetUserResponse><GetUserResult><User><UserName>a</UserName><CreateDate>2026-11-27T10:00:00Z</CreateDate></User></GetUserResult></GetUserResponse>',
    ),
  );
  const output = await call(iam.GetUser, {});
  expect(output.User.CreateDate).toBe(1_795_773_600);
  expect(output.User.Tags).toEqual([]);
});

test.each([
  ['JSON', ssm.TerminateSession, '{"__type":"com.amazon#AccessDeniedException","Message":"no"}', 'AccessDeniedException'],
  [
    'XML',
    iam.DeleteUser,
    '<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>',
    'AccessDenied',
  ],
] as const)('a refusal in %s carries code and message', async (_, operation, body, code) => {
  server(new Response(body, { status: 403 }));
  const error: unknown = await call<object, unknown>(operation as never, {}).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ code, message: 'no', status: 403, isDenial: true });
});

test('an expired sign-in is told to who listens', async () => {
  server(new Response('{"__type":"ExpiredTokenException","message":"expired"}', { status: 403 }));
  const onSignedOut = vi.fn();
  setOnSignedOut(onSignedOut);
  await expect(call(ssm.DescribeSessions, { State: 'Active' })).rejects.toThrow('expired');
  expect(onSignedOut).toHaveBeenCalledOnce();
});

test('a read is tried again, a change never', async () => {
  const reads = server(new TypeError('no route'), new Response('{"Sessions":[]}'));
  await expect(call(ssm.DescribeSessions, { State: 'Active' })).resolves.toEqual({ Sessions: [] });
  expect(reads).toHaveLength(2);
  const changes = server(new TypeError('no route'), new Response('{}'));
  await expect(call(ssm.TerminateSession, { SessionId: 'a' })).rejects.toBeInstanceOf(ConnectionError);
  expect(changes).toHaveLength(1);
});

test('an answer that is not of the protocol is none', async () => {
  server(new Response('<html>', { status: 502 }));
  await expect(call(ssm.TerminateSession, { SessionId: 'a' })).rejects.toBeInstanceOf(ConnectionError);
});

test('pages are followed by token and by marker', async () => {
  const sent = server(
    new Response('{"Sessions":[{"SessionId":"a"}],"NextToken":"next"}'),
    new Response('{"Sessions":[{"SessionId":"b"}]}'),
  );
  const sessions = await all(ssm.DescribeSessions, { State: 'History' }, (page) => page.Sessions);
  expect(sessions.map((session) => session.SessionId)).toEqual(['a', 'b']);
  expect(sent[1]?.body).toBe('{"State":"History","NextToken":"next"}');

  const marked = server(
    new Response('<ListUsersResponse><ListUsersResult><IsTruncated>true</IsTruncated><Marker>m</Marker></ListUsersResult></ListUsersResponse>'),
    new Response('<ListUsersResponse><ListUsersResult><IsTruncated>false</IsTruncated></ListUsersResult></ListUsersResponse>'),
  );
  await all(iam.ListUsers, {}, (page) => page.Users);
  expect(marked[1]?.body).toContain('Marker=m');
});

test('an aborted call is nobody\'s error', async () => {
  server(new DOMException('gone', 'AbortError'));
  const signal = AbortSignal.abort();
  await expect(call(ssm.DescribeSessions, { State: 'Active' }, signal)).rejects.toMatchObject({ name: 'AbortError' });
});
