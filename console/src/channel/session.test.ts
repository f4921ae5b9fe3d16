// A session against a scripted server, in virtual time.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { encodeMessage, MessageType, PayloadType } from './message.ts';
import { Places, type Place } from './place.ts';
import { Agent, closed, FakeSocket, notice, stamp, text, TICKET, utf8 } from './scripted.ts';
import { Session, TYPED_BYTES_MAX } from './session.ts';
import { Refused, type State, type Surroundings, type Ticket } from './state.ts';

function surroundings() {
  const sockets: FakeSocket[] = [];
  const shown: string[] = [];
  const held: (() => void)[] = [];
  const states: State[] = [];
  const messages: string[] = [];
  const warnings: string[] = [];
  const reserved: Pick<Place, 'clientId' | 'acknowledgedBefore' | 'unusedFrom'>[] = [];
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

test('encryption is refused with a text, and port forwarding ends here', () => {
  const world = surroundings();
  const session = new Session(world.outside, TICKET);
  const agent = new Agent();
  world.last().open();
  agent.say('{"RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Port"}},{"ActionType":"KMSEncryption","ActionParameters":{"KMSKeyId":"k"}}]}', PayloadType.HandshakeRequest);
  agent.say('{}', PayloadType.HandshakeComplete);
  agent.exchange(world.last());
  expect(world.messages[0]).toContain('KMS');
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
  const place: Place = { clientId: 'c', acknowledgedBefore: 3, unusedFrom: 64, principalArn: 'arn:alice', target: 'mi-1', documentName: null, savedAt: 1000 };
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
