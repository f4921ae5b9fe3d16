// The cipher against messages of AWS's programs, the same ones that crates/cipher is held to.

import { expect, test } from 'vitest';

import { askedKey, CipherError, encryptionContext, fromBase64, SessionCipher } from './encryption.ts';
import { handshakeRequest } from './handshake.ts';
import { PayloadType } from './message.ts';
import { Fields } from './payload.ts';
import { text, utf8 } from './scripted.ts';

const DATA_KEY = Uint8Array.from({ length: 64 }, (_, index) => index);
const hex = (digits: string) => Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
const OF_AGENT = hex('a0a1a2a3a4a5a6a7a8a9aaab8e7d10412ab469edeb6fa84bae4731a07dbf70c564');
const REQUEST = hex(
  'a0a1a2a3a4a5a6a7a8a9aaab19e681d1be31fb4795937227f488312e9f42b4fc795dab847be8c3629c4994e10da89a2374f88ae5884ad11cdaa8522988d58b84a91ad3b68698ce9a67b2447024533f7a158f9395297e5b589ca7e02f',
);
/** The agent's end is the client's with the halves of the key exchanged. */
const agent = new SessionCipher(Uint8Array.of(...DATA_KEY.slice(32), ...DATA_KEY.slice(0, 32)));
const client = new SessionCipher(DATA_KEY);

test("what AWS's agent encrypts opens", () => {
  expect(text(client.open(PayloadType.Output, OF_AGENT))).toBe('hello');
});

test("the challenge of AWS's agent is answered with the client's half of the key", () => {
  const asked = utf8(JSON.stringify({ Challenge: btoa(String.fromCharCode(...REQUEST)) }));
  const answer = fromBase64(Fields.parse(client.answer(asked)).text('Challenge'));
  expect(agent.open(PayloadType.Output, answer)).toEqual(Uint8Array.from({ length: 64 }, (_, index) => 0xff - index));
});

test('only what carries content is encrypted', () => {
  for (const payloadType of [PayloadType.Size, PayloadType.HandshakeResponse, PayloadType.Flag]) {
    expect(client.seal(payloadType, utf8('clear'))).toEqual(utf8('clear'));
    expect(client.open(payloadType, utf8('clear'))).toEqual(utf8('clear'));
  }
  for (const payloadType of [PayloadType.Output, PayloadType.StdErr, PayloadType.ExitCode]) {
    expect(() => client.open(payloadType, utf8('clear that is long enough to be something'))).toThrow(CipherError);
  }
});

test('each message has a nonce of its own, and opens only as it was', () => {
  const [first, second] = [client.seal(PayloadType.Output, utf8('ls\r')), client.seal(PayloadType.Output, utf8('ls\r'))];
  expect(first).not.toEqual(second);
  expect(text(agent.open(PayloadType.Output, first))).toBe('ls\r');
  for (let at = 0; at < first.length; at += 1) {
    const changed = first.slice();
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => agent.open(PayloadType.Output, changed)).toThrow(CipherError);
    expect(() => agent.open(PayloadType.Output, first.subarray(0, at))).toThrow(CipherError);
  }
  expect(() => client.open(PayloadType.Output, first), 'it is its own').toThrow(CipherError);
  expect(() => new SessionCipher(DATA_KEY.slice(1))).toThrow(CipherError);
});

test('a key is asked for with or without a challenge', () => {
  const asked = (parameters: object) => askedKey(handshakeRequest(utf8(JSON.stringify({ RequestedClientActions: [{ ActionType: 'KMSEncryption', ActionParameters: parameters }] }))));
  expect(asked({ KMSKeyId: 'alias/a' })).toEqual({ keyId: 'alias/a', challenge: null });
  expect(asked({ kmsKeyId: 'alias/a', challenge: 'AAEC' })).toEqual({ keyId: 'alias/a', challenge: 'AAEC' });
  expect(askedKey(handshakeRequest(utf8('{"RequestedClientActions":[]}')))).toBeNull();
  expect(encryptionContext('alice-1', 'mi-1', null)).toEqual({ 'aws:ssm:SessionId': 'alice-1', 'aws:ssm:TargetId': 'mi-1' });
  expect(encryptionContext('alice-1', 'mi-1', 'AAEC')).toMatchObject({ 'aws:ssm:RandomChallenge': 'AAEC' });
});
