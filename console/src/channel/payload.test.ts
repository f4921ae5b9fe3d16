import { expect, test } from 'vitest';

import { answer } from './handshake.ts';
import { acknowledgedNumber, channelClosed, exitCodeFromText, Flag, flagToPayload, PayloadError } from './payload.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);

test.each([
  ['EXIT_CODE: 3', 3],
  ['EXIT_CODE: 255\n', 255],
  ['EXIT_CODE: -1', -1],
  ['EXIT_CODE: ', null],
  ['3', null],
])('exit code of %j', (text, exitCode) => {
  expect(exitCodeFromText(utf8(text))).toBe(exitCode);
});

test('flags are four bytes', () => {
  expect([...flagToPayload(Flag.TerminateSession)]).toEqual([0, 0, 0, 2]);
});

test.each(['', '{}', '[]', 'null', '{"AcknowledgedMessageSequenceNumber":"7"}', '{"AcknowledgedMessageSequenceNumber":1e99}'])(
  'no acknowledgement: %s',
  (json) => {
    expect(() => acknowledgedNumber(utf8(json))).toThrow(PayloadError);
  },
);

test.each(['', '3', '{"Output":3}', '{"Output":null}'])('a close that cannot be read is a close: %s', (json) => {
  expect(channelClosed(utf8(json))).toEqual({ output: '', exitCode: null });
});

function answerTo(actionType: string, actionParameters: unknown) {
  const request = { agentVersion: '3.3.0.0', requestedClientActions: [{ actionType, actionParameters }] };
  const { response, kind, errors } = answer(request, 'postern/0.1.0');
  const written = JSON.parse(new TextDecoder().decode(response)) as {
    ProcessedClientActions: { ActionStatus: number }[];
    Errors: string[] | null;
  };
  return { kind, errors, status: written.ProcessedClientActions[0]?.ActionStatus, written };
}

test.each([
  ['Standard_Stream', 'terminal', 1],
  ['InteractiveCommands', 'terminal', 1],
  ['NonInteractiveCommands', 'command', 1],
  ['Port', 'port', 1],
  ['Other', null, 2],
  ['constructor', null, 2],
])('session type %s', (SessionType, kind, status) => {
  expect(answerTo('SessionType', { SessionType, Properties: null })).toMatchObject({ kind, status });
});

test('encryption without a data key is refused with a reason', () => {
  const { status, errors, written } = answerTo('KMSEncryption', { KMSKeyId: 'key' });
  expect(status).toBe(2);
  expect(errors[0]).toContain('no data key was generated');
  expect(written.Errors).toEqual(errors);
});

test.each([['Foo', {}], ['SessionType', 3], ['SessionType', null]])('%s with %j is unsupported', (type, parameters) => {
  expect(answerTo(type, parameters)).toMatchObject({ kind: null, status: 3 });
});
