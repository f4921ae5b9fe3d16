// A stream of bytes against a scripted server, in virtual time.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { PayloadType } from './message.ts';
import { PortStream, type StreamSurroundings } from './port-stream.ts';
import { Agent, closed, FakeSocket, text, TICKET, utf8 } from './scripted.ts';
import type { State, Ticket } from './state.ts';

const REQUEST = '{"RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Port","Properties":{"type":"Sftp"}}}]}';

function opened() {
  const sockets: FakeSocket[] = [];
  const states: State[] = [];
  const received: string[] = [];
  const outside = {
    clientVersion: 'postern/0.1.0',
    resume: vi.fn<() => Promise<Ticket | null>>(() => Promise.resolve({ ...TICKET, tokenValue: 'token-2' })),
    openSocket: (url: string) => {
      const socket = new FakeSocket(url);
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    received: (bytes: Uint8Array) => received.push(text(bytes)),
    changed: (state: State) => states.push(state),
  } satisfies StreamSurroundings;
  const stream = new PortStream(outside, TICKET);
  const agent = new Agent();
  const socket = () => sockets.at(-1) as FakeSocket;
  socket().open();
  return { stream, agent, socket, sockets, states, received, outside };
}

function started() {
  const world = opened();
  world.agent.say(REQUEST, PayloadType.HandshakeRequest);
  world.agent.say('{}', PayloadType.HandshakeComplete);
  world.agent.exchange(world.socket());
  return world;
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('bytes go both ways once the agent is ready, and no size with them', () => {
  const { stream, agent, socket, states, received } = opened();
  expect(JSON.parse(String(socket().sent[0]))).not.toHaveProperty('Size');
  stream.send(utf8('early '));
  agent.exchange(socket());
  expect(agent.typed).toBe('');
  agent.say(REQUEST, PayloadType.HandshakeRequest);
  agent.say('{}', PayloadType.HandshakeComplete);
  agent.say('first');
  agent.exchange(socket());
  stream.send(utf8('x'.repeat(70_000)));
  agent.exchange(socket());
  expect(agent.typed).toBe(`early ${'x'.repeat(70_000)}`);
  expect(received).toEqual(['first']);
  expect(states.at(-1)).toEqual({ kind: 'connected', isStarted: true, isNodeAway: false });
  expect(agent.sizes).toEqual([]);
});

test('a lost connection loses no byte', async () => {
  const { stream, agent, socket, received, states } = started();
  stream.send(utf8('in the '));
  socket().drop();
  stream.send(utf8('dark'));
  agent.say('meanwhile');
  expect(states.at(-1)?.kind).toBe('reconnecting');
  await vi.advanceTimersByTimeAsync(0);
  socket().open();
  agent.channel.handleConnected();
  agent.exchange(socket());
  expect([agent.typed, received.join('')]).toEqual(['in the dark', 'meanwhile']);
});

test('the end is asked for, and waited for', () => {
  const { stream, agent, socket, states } = started();
  expect(stream.end()).toBe(true);
  stream.send(utf8('too late'));
  agent.exchange(socket());
  expect(agent.received.at(-1)).toMatchObject({ payloadType: PayloadType.Flag, text: '\0\0\0\u0002' });
  expect(states.at(-1)?.kind).toBe('connected');
  socket().deliver(closed(''));
  expect(states.at(-1)).toEqual({ kind: 'ended', reason: '', exitCode: null });
  expect(socket().isClosed).toBe(true);
});

test('an agent that does not end is left after a while', () => {
  const { stream, states } = started();
  stream.end();
  vi.advanceTimersByTime(4900);
  expect(states.at(-1)?.kind).toBe('connected');
  vi.advanceTimersByTime(200);
  expect(states.at(-1)).toEqual({ kind: 'failed', why: { code: 'left' } });
});

test('without a connection nobody can be told', () => {
  const { stream, socket } = started();
  socket().drop();
  expect(stream.end()).toBe(false);
});

test('a session of another kind is left', () => {
  const { agent, socket, states } = opened();
  agent.say(REQUEST.replace('"Port"', '"Standard_Stream"'), PayloadType.HandshakeRequest);
  agent.say('{}', PayloadType.HandshakeComplete);
  agent.exchange(socket());
  expect(states.at(-1)).toEqual({ kind: 'failed', why: { code: 'unsupported', errors: [] } });
});

test('what the agent wants and we cannot is said when it ends the session', () => {
  const { agent, socket, states } = opened();
  agent.say(REQUEST.replace('}}}]', '}}},{"ActionType":"KMSEncryption","ActionParameters":{"KMSKeyId":"k"}}]'), PayloadType.HandshakeRequest);
  agent.exchange(socket());
  expect(agent.received[0]?.text).toContain('KMS');
  socket().deliver(closed('the client cannot'));
  expect(states.at(-1)).toMatchObject({ kind: 'failed', why: { code: 'unsupported' } });
});

test('why a session ended is told', () => {
  const { socket, states } = started();
  socket().deliver(closed('no such user'));
  expect(states.at(-1)).toEqual({ kind: 'ended', reason: 'no such user', exitCode: null });
});
