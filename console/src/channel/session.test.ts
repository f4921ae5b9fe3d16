// A session against a scripted server, in virtual time.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { encodeMessage, MessageType, PayloadType } from './message.ts';
import { Places, type Place } from './place.ts';
import { Agent, closed, FakeSocket, inputPlace, notice, stamp, text, TICKET, utf8 } from './scripted.ts';
import { SessionCipher } from './encryption.ts';
import { Session, TYPED_BYTES_MAX } from './session.ts';
import { Refused, type State, type Surroundings, type Ticket } from './state.ts';

function surroundings() {
  const sockets: FakeSocket[] = [];
  const shown: string[] = [];
  const held: (() => void)[] = [];
  const states: State[] = [];
  const messages: string[] = [];
  const warnings: string[] = [];
  const reserved: Pick<Place, 'clientId' | 'acknowledgedBefore' | 'unusedFrom' | 'sealedKey'>[] = [];
  const outside = {
    clientVersion: 'postern/0.1.0',
    resume: vi.fn<() => Promise<Ticket | null>>(() => Promise.resolve({ ...TICKET, tokenValue: 'token-2' })),
    openSocket: (url: string) => {
      const socket = new FakeSocket(url);
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    size: () => ({ cols: 80, rows: 24 }),
    write: vi.fn((output: Uint8Array, written: () => void) => {
      shown.push(text(output));
      written();
    }),
    changed: (state: State) => states.push(state),
    message: (text: string) => messages.push(text),
    warned: (text: string) => warnings.push(text),
    reserve: (place: (typeof reserved)[number]) => reserved.push(place),
    generateKey: vi.fn<Surroundings['generateKey']>(() => Promise.reject(new Error('no key was expected'))),
    decryptKey: vi.fn<Surroundings['decryptKey']>(() => Promise.reject(new Error('no key was expected'))),
  } satisfies Surroundings;
  const last = () => {
    const socket = sockets.at(-1);
    if (!socket) {
      throw new Error('no socket was opened');
    }
    return socket;
  };
  return { outside, sockets, last, shown, held, states, messages, warnings, reserved };
}

/** A shell that has printed its prompt. */
function started() {
  const world = surroundings();
  const session = new Session(world.outside, TICKET);
  const agent = new Agent();
  world.last().open();
  agent.say('$ ');
  agent.exchange(world.last());
  return { ...world, session, agent };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('the token goes first, with who we are and how large the terminal is', () => {
  const { outside, last } = surroundings();
  void new Session(outside, TICKET);
  expect(last().url).toBe(TICKET.streamUrl);
  last().open();
  const open = JSON.parse(String(last().sent[0])) as Record<string, unknown>;
  expect(open).toMatchObject({ TokenValue: 'token-1', ClientVersion: 'postern/0.1.0', Size: { cols: 80, rows: 24 } });
});

test('a shell without a handshake begins with its first output', () => {
  const { session, agent, last, shown, states } = started();
  expect(shown).toEqual(['$ ']);
  expect(agent.sizes).toEqual(['{"cols":80,"rows":24}']);
  expect(states.at(-1)).toEqual({ kind: 'connected', isStarted: true, isNodeAway: false });
  session.type(utf8('ls\r'));
  agent.exchange(last());
  expect(agent.typed).toBe('ls\r');
  expect(session.rttMs).toBe(0);
});

test('what is typed before the agent is ready waits', () => {
  const { outside, last } = surroundings();
  const session = new Session(outside, TICKET);
  const agent = new Agent();
  last().open();
  session.type(utf8('early'));
  agent.say('{"AgentVersion":"3.3.0.0","RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Standard_Stream"}}]}', PayloadType.HandshakeRequest);
  agent.exchange(last());
  expect(agent.typed).toBe('');
  expect(agent.received[0]?.text).toContain('"ActionStatus":1');
  agent.say('{"CustomerMessage":"hello"}', PayloadType.HandshakeComplete);
  agent.exchange(last());
  expect([agent.typed, agent.sizes.length]).toEqual(['early', 1]);
});

test('an agent that says nothing gets what is typed after a while', () => {
  const { outside, last } = surroundings();
  const session = new Session(outside, TICKET);
  const agent = new Agent();
  last().open();
  session.type(utf8('x'));
  vi.advanceTimersByTime(4900);
  agent.exchange(last());
  expect(agent.typed).toBe('');
  vi.advanceTimersByTime(200);
  agent.exchange(last());
  expect(agent.typed).toBe('x');
});

test('port forwarding ends here', () => {
  const world = surroundings();
  const session = new Session(world.outside, TICKET);
  const agent = new Agent();
  world.last().open();
  agent.say('{"RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Port"}}]}', PayloadType.HandshakeRequest);
  agent.say('{}', PayloadType.HandshakeComplete);
  agent.exchange(world.last());
  expect(session.state).toEqual({ kind: 'failed', why: { code: 'port-session' } });
  expect(world.last().isClosed).toBe(true);
});

test('output is acknowledged when it is shown, and the end comes after it', () => {
  const { outside, session, agent, last } = started();
  let written = () => {};
  outside.write.mockImplementation((_, callback) => {
    written = callback;
  });
  agent.say('slow');
  agent.exchange(last());
  last().deliver(closed('because'));
  expect([agent.channel.isDrained(), session.state.kind]).toEqual([false, 'connected']);
  written();
  expect(session.state).toEqual({ kind: 'ended', reason: 'because', exitCode: null });
});

test('a word of the server is none of the output, and nothing is acknowledged for it', () => {
  const { session, agent, last, shown, warnings } = started();
  const sent = last().sent.length;
  last().deliver(notice('The session ends in 1 minute.'));
  expect([warnings, shown, last().sent.length]).toEqual([['The session ends in 1 minute.'], ['$ '], sent]);
  agent.say('more');
  agent.exchange(last());
  expect([shown, session.state.kind]).toEqual([['$ ', 'more'], 'connected']);
});

test('a lost connection is made again with a new token, and nothing is lost', async () => {
  const { session, agent, last, states, shown, outside } = started();
  session.type(utf8('in the '));
  last().drop();
  session.type(utf8('dark'));
  agent.say('meanwhile');
  expect(states.at(-1)?.kind).toBe('reconnecting');
  await vi.advanceTimersByTimeAsync(0);
  expect(outside.resume).toHaveBeenCalledOnce();
  last().open();
  expect(JSON.parse(String(last().sent[0]))).toMatchObject({ TokenValue: 'token-2' });
  agent.channel.handleConnected();
  agent.exchange(last());
  expect([agent.typed, shown.join('')]).toEqual(['in the dark', '$ meanwhile']);
  expect(states.at(-1)?.kind).toBe('connected');
});

test('attempts come with growing pauses, and end when the server refuses', async () => {
  const { session, last, outside } = started();
  outside.resume.mockRejectedValue(new Error('no route'));
  last().drop();
  await vi.advanceTimersByTimeAsync(60_000);
  const attempts = outside.resume.mock.calls.length;
  expect(attempts).toBeGreaterThan(8);
  expect(attempts).toBeLessThan(40);
  outside.resume.mockRejectedValue(new Refused('denied'));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(session.state).toEqual({ kind: 'failed', why: { code: 'refused', error: 'denied' } });
});

test('a session that is over is over', async () => {
  const { session, last, outside } = started();
  outside.resume.mockResolvedValue(null);
  last().drop();
  await vi.advanceTimersByTimeAsync(0);
  expect(session.state).toEqual({ kind: 'ended', reason: '', exitCode: null });
});

test('after a quarter of an hour it gives up', async () => {
  const { session, last, outside } = started();
  outside.resume.mockRejectedValue(new Error('no route'));
  last().drop();
  await vi.advanceTimersByTimeAsync(16 * 60_000);
  expect(session.state).toEqual({ kind: 'failed', why: { code: 'unreachable' } });
});

/** Waits for the next attempt, opens it, lets the server say something and drops it after `duration_ms`. */
async function round({ sockets, last, agent }: ReturnType<typeof started>, duration_ms: number): Promise<number> {
  const before = sockets.length;
  const lostAt = performance.now();
  while (sockets.length === before && performance.now() < lostAt + 10_000) {
    await vi.advanceTimersByTimeAsync(10);
  }
  const waited = performance.now() - lostAt;
  last().open();
  agent.channel.handleConnected();
  agent.say('hello');
  agent.exchange(last());
  await vi.advanceTimersByTimeAsync(duration_ms);
  last().drop();
  agent.channel.handleDisconnected();
  return waited;
}

test('a server that lets us in and throws us out is not asked without pauses, nor for ever', async () => {
  const world = started();
  world.last().drop();
  const waits: number[] = [];
  for (let count = 0; count < 10; count += 1) {
    waits.push(await round(world, 0));
  }
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(10_000);
  await round(world, 6000);
  expect(await round(world, 0)).toBeLessThan(50);
  for (let count = 0; count < 1000 && world.session.state.kind !== 'failed'; count += 1) {
    await round(world, 0);
  }
  expect(world.session.state).toEqual({ kind: 'failed', why: { code: 'unreachable' } });
});

test('a connection that is being opened is not given up for a new one', async () => {
  const { session, last, sockets, outside } = started();
  last().drop();
  await vi.advanceTimersByTimeAsync(0);
  session.hurry();
  session.hurry();
  await vi.advanceTimersByTimeAsync(0);
  expect([sockets.length, last().isClosed, outside.resume.mock.calls.length]).toEqual([2, false, 1]);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(sockets[1]?.isClosed).toBe(true);
});

test('somebody who looks at the page does not wait for the next attempt', async () => {
  const { session, last, outside } = started();
  outside.resume.mockRejectedValue(new Error('no route'));
  last().drop();
  await vi.advanceTimersByTimeAsync(30_000);
  const attempts = outside.resume.mock.calls.length;
  session.hurry();
  await vi.advanceTimersByTimeAsync(0);
  expect(outside.resume.mock.calls.length).toBeGreaterThan(attempts);
});

test('a server that answers to nothing is noticed, one that answers is kept', () => {
  const { agent, last, states, sockets } = started();
  vi.advanceTimersByTime(20_000);
  expect(last().sent).toHaveLength(1);
  last().deliver(encodeMessage({ messageType: MessageType.Acknowledge, sequenceNumber: 0n, flags: 3n, payloadType: 0, payload: utf8('{"AcknowledgedMessageSequenceNumber":0}'), ...stamp() }));
  vi.advanceTimersByTime(44_000);
  expect([states.at(-1)?.kind, sockets.length, agent.received.length]).toEqual(['connected', 1, 1]);
  vi.advanceTimersByTime(2000);
  expect(states.at(-1)?.kind).toBe('reconnecting');
});

test('too much at once is refused as a whole, a long paste goes in parts', () => {
  const { session, agent, last } = started();
  expect(session.type(new Uint8Array(TYPED_BYTES_MAX + 1))).toBe(false);
  expect(session.type(utf8('x'.repeat(3_000_000)))).toBe(true);
  agent.exchange(last());
  expect(agent.typed).toHaveLength(3_000_000);
  expect(Math.max(...agent.received.map(({ text }) => text.length))).toBe(32 * 1024);
});

test('another page goes on where the first one stopped', async () => {
  const first = started();
  first.session.type(utf8('one'));
  first.agent.exchange(first.last());
  first.session.leave();
  expect(first.session.state).toEqual({ kind: 'failed', why: { code: 'left' } });
  first.agent.say('while nobody looks');
  first.agent.channel.handleDisconnected();

  const place = { ...first.reserved.at(-1), principalArn: 'a', target: 'mi-1', documentName: null, savedAt: 0 } as Place;
  const second = surroundings();
  const session = new Session(second.outside, place);
  await vi.advanceTimersByTimeAsync(0);
  second.last().open();
  session.type(utf8(' two'));
  first.agent.channel.handleConnected();
  first.agent.exchange(second.last());
  expect(second.shown).toEqual(['while nobody looks']);
  expect(first.agent.typed).toBe('one two');
  const sizes = first.agent.sizes;
  expect(sizes.at(-1)).toBe('{"cols":80,"rows":24}');
  expect(sizes).toContain('{"cols":80,"rows":23}');
  session.type(utf8(' three'));
  first.agent.exchange(second.last());
  expect(first.agent.typed).toBe('one two three');
  expect(session.state.kind).toBe('connected');
});

test('a number is written down before it is used', () => {
  const { session, agent, last, reserved } = started();
  for (let count = 0; count < 200; count += 1) {
    session.type(utf8('x'));
    agent.exchange(last());
  }
  expect(reserved.map(({ unusedFrom }) => unusedFrom)).toEqual([64, 128, 192, 256]);
  expect(reserved.map(({ acknowledgedBefore }) => acknowledgedBefore)).toEqual([0, 64, 128, 192]);
});

test('places are kept, checked and forgotten', () => {
  const places = new Places(window.localStorage);
  const place: Place = { clientId: 'c', acknowledgedBefore: 3, unusedFrom: 64, sealedKey: null, principalArn: 'arn:alice', target: 'mi-1', documentName: null, savedAt: 1000 };
  places.write('alice-1', place);
  expect(places.read('alice-1', 'arn:alice')).toEqual(place);
  expect(places.read('alice-1', 'arn:bob')).toBeNull();
  for (const bad of ['', '{}', 'null', JSON.stringify({ ...place, unusedFrom: 1 }), JSON.stringify({ ...place, principalArn: undefined }), JSON.stringify({ ...place, unusedFrom: 1e9 })]) {
    window.localStorage.setItem('postern.place.alice-2', bad);
    expect(places.read('alice-2', 'arn:alice'), bad).toBeNull();
  }
  window.localStorage.setItem('something.else', 'stays');
  places.forgetOld(1000 + 24 * 3600 * 1000 + 1);
  expect([places.read('alice-1', 'arn:alice'), window.localStorage.length]).toEqual([null, 1]);
});

/** The terminal of another client that is asked for. */
function takingOver() {
  const world = surroundings();
  const session = new Session(world.outside, { ...TICKET, takesOver: true });
  world.last().open();
  return { ...world, session };
}

/** An agent that has had so much input from the former client. */
function usedAgent(inputs: number): Agent {
  const agent = new Agent();
  const former = surroundings();
  const session = new Session(former.outside, TICKET);
  former.last().open();
  agent.say('$ ');
  agent.exchange(former.last());
  // The first is the size.
  for (let count = 1; count < inputs; count += 1) {
    session.type(utf8('.'));
    agent.exchange(former.last());
  }
  agent.received.splice(0);
  return agent;
}

test('a session of another client goes on where its input stands', () => {
  const { session, last, sockets, reserved } = takingOver();
  const agent = usedAgent(40);
  expect(JSON.parse(String(last().sent[0]))).toMatchObject({ TakesOver: true });
  session.type(utf8('ls\r'));
  vi.advanceTimersByTime(20_000);
  agent.exchange(last());
  expect(agent.received, 'nothing has a number yet').toEqual([]);
  last().deliver(inputPlace({ Taken: { First: 37, Next: 40 } }));
  agent.exchange(last());
  expect(agent.typed).toBe('ls\r');
  expect(agent.sizes).toEqual(['{"cols":80,"rows":24}']);
  expect(reserved[0]).toMatchObject({ acknowledgedBefore: 37, unusedFrom: 40 + 3 + 64 - 3 });
  // From here on it is as any other.
  last().drop();
  return vi.advanceTimersByTimeAsync(2000).then(() => {
    expect(sockets).toHaveLength(2);
    last().open();
    expect(JSON.parse(String(last().sent[0]))).not.toHaveProperty('TakesOver');
  });
});

test('numbers that the former client never used are filled in', () => {
  const { session, last } = takingOver();
  const agent = usedAgent(10);
  last().deliver(inputPlace({ Taken: { First: 10, Next: 13 } }));
  session.type(utf8('x'));
  agent.exchange(last());
  expect([agent.typed, agent.sizes.length]).toEqual(['x', 4]);
});

test('a session that is not to be had stays where it is', () => {
  const { session, last, outside } = takingOver();
  last().deliver(inputPlace({ Refused: 'This session cannot be taken over: it has no terminal.' }));
  expect(session.state).toEqual({ kind: 'failed', why: { code: 'not-taken', reason: 'This session cannot be taken over: it has no terminal.' } });
  expect(last().isClosed).toBe(true);
  vi.advanceTimersByTime(60_000);
  expect(outside.resume).not.toHaveBeenCalled();
});

test.each([{ Taken: { First: -1, Next: 3 } }, { Taken: { First: 4, Next: 3 } }, { Taken: { First: 1 } }, { Taken: 1 }])('a place that is none changes nothing: %j', (place) => {
  const { session, last } = takingOver();
  last().deliver(inputPlace(place));
  session.type(utf8('x'));
  expect(session.state.kind).toBe('connected');
  expect(last().sent).toHaveLength(1);
});

test('whoever did not ask is told no place', () => {
  const { session, agent, last } = started();
  last().deliver(inputPlace({ Taken: { First: 700, Next: 700 } }));
  session.type(utf8('x'));
  agent.exchange(last());
  expect(agent.typed).toBe('x');
});

test('a session that another client has taken is left', () => {
  const { session, last } = started();
  last().deliver(closed('The session was resumed by another client.'));
  expect(session.state).toEqual({ kind: 'failed', why: { code: 'taken' } });
});

const DATA_KEY = Uint8Array.from({ length: 64 }, (_, index) => index);
/** The agent's end is the client's with the halves of the key exchanged. */
const agentsCipher = new SessionCipher(Uint8Array.of(...DATA_KEY.slice(32), ...DATA_KEY.slice(0, 32)));
const sealed = (said: string) => agentsCipher.seal(PayloadType.Output, utf8(said));
const KEY_REQUEST = JSON.stringify({
  AgentVersion: '3.3.4001.0',
  RequestedClientActions: [
    { ActionType: 'SessionType', ActionParameters: { SessionType: 'Standard_Stream' } },
    { ActionType: 'KMSEncryption', ActionParameters: { KMSKeyId: 'alias/a', Challenge: 'AAEC' } },
  ],
});

test('a session is encrypted with a key that is generated for it', async () => {
  const { outside, last, shown, reserved } = surroundings();
  outside.generateKey.mockResolvedValue({ plain: DATA_KEY, ciphertext: 'AQID' });
  const session = new Session(outside, TICKET);
  const agent = new Agent();
  last().open();
  session.type(utf8('early'));
  agent.say(KEY_REQUEST, PayloadType.HandshakeRequest);
  agent.exchange(last());
  await vi.advanceTimersByTimeAsync(20_000);
  agent.exchange(last());
  expect(outside.generateKey).toHaveBeenCalledWith({ keyId: 'alias/a', challenge: 'AAEC' });
  const answered = JSON.parse(agent.received[0]?.text ?? '') as { ProcessedClientActions: unknown[] };
  expect(answered.ProcessedClientActions[1]).toEqual({
    ActionType: 'KMSEncryption',
    ActionStatus: 1,
    ActionResult: { KMSCipherTextKey: 'AQID', KMSCipherTextHash: null, ChallengeAcknowledgement: true },
    Error: '',
  });
  expect(agent.received, 'nothing is typed before the agent is ready').toHaveLength(1);
  agent.say(JSON.stringify({ Challenge: btoa(String.fromCharCode(...sealed('challenge'))) }), PayloadType.EncChallengeRequest);
  agent.say('{}', PayloadType.HandshakeComplete);
  agent.say(sealed('secret'));
  agent.exchange(last());
  expect(agent.received[1]?.payloadType).toBe(PayloadType.EncChallengeResponse);
  expect([shown.join(''), session.isEncrypted]).toEqual(['secret', true]);
  expect(agent.sizes).toEqual(['{"cols":80,"rows":24}']);
  expect(agent.typed).not.toContain('early');
  expect(agent.inputs.map((input) => text(agentsCipher.open(PayloadType.Output, input)))).toEqual(['early']);
  expect(reserved[0]?.sealedKey).toEqual({ ciphertext: 'AQID', challenge: 'AAEC' });
  agent.say('not encrypted, and long enough to be so');
  agent.exchange(last());
  expect([session.state, shown.join('')]).toEqual([{ kind: 'failed', why: { code: 'undecipherable' } }, 'secret']);
});

test('without a key nothing goes in clear instead', async () => {
  const { outside, last, messages } = surroundings();
  outside.generateKey.mockRejectedValue(new Error('not authorized to perform: kms:GenerateDataKey'));
  const session = new Session(outside, TICKET);
  const agent = new Agent();
  last().open();
  agent.say(KEY_REQUEST, PayloadType.HandshakeRequest);
  agent.exchange(last());
  await vi.advanceTimersByTimeAsync(1);
  session.type(utf8('secret'));
  agent.say('{}', PayloadType.HandshakeComplete);
  agent.exchange(last());
  await vi.advanceTimersByTimeAsync(20_000);
  agent.exchange(last());
  expect(messages.join()).toContain('kms:GenerateDataKey');
  expect(agent.received.map(({ payloadType }) => payloadType)).toEqual([PayloadType.HandshakeResponse]);
  expect(agent.received[0]?.text).toContain('"ActionStatus":2');
});

test('another page goes on with an encrypted session if it gets the key again', async () => {
  const { outside, sockets, last, shown } = surroundings();
  outside.decryptKey.mockResolvedValue(DATA_KEY);
  const sealedKey = { ciphertext: 'AQID', challenge: null };
  const place: Place = { clientId: 'c', acknowledgedBefore: 0, unusedFrom: 1, sealedKey, principalArn: 'arn:alice', target: 'mi-1', documentName: null, savedAt: 1 };
  const session = new Session(outside, place);
  expect(sockets).toEqual([]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(outside.decryptKey).toHaveBeenCalledWith(sealedKey);
  const agent = new Agent();
  last().open();
  session.type(utf8('x'));
  agent.say(sealed('secret'));
  agent.exchange(last());
  expect(shown.join('')).toBe('secret');
  expect(agent.inputs.map((input) => text(agentsCipher.open(PayloadType.Output, input)))).toEqual(['x']);
});

test('another page that does not get the key does not go on', async () => {
  const { outside, sockets } = surroundings();
  const error = new Error('not authorized to perform: kms:Decrypt');
  outside.decryptKey.mockRejectedValue(error);
  const sealedKey = { ciphertext: 'AQID', challenge: null };
  const place: Place = { clientId: 'c', acknowledgedBefore: 0, unusedFrom: 1, sealedKey, principalArn: 'arn:alice', target: 'mi-1', documentName: null, savedAt: 1 };
  const session = new Session(outside, place);
  await vi.advanceTimersByTimeAsync(1000);
  expect([session.state, sockets]).toEqual([{ kind: 'failed', why: { code: 'no-key', error } }, []]);
});
