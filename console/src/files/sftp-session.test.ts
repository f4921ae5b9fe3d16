// A session with files over a scripted data channel.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { PayloadType } from '../channel/message.ts';
import { Agent, closed, FakeSocket, TICKET, utf8 } from '../channel/scripted.ts';
import { type Over, SessionOver, SftpSession } from './sftp-session.ts';

const REQUEST = '{"RequestedClientActions":[{"ActionType":"SessionType","ActionParameters":{"SessionType":"Port","Properties":{"type":"SFTP"}}}]}';
const VERSION = Uint8Array.of(0, 0, 0, 5, 2, 0, 0, 0, 3);
const HOME = Uint8Array.of(0, 0, 0, 32, 104, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 11, ...utf8('/home/alice'), 0, 0, 0, 0, 0, 0, 0, 0);
const NO_HOME = Uint8Array.of(0, 0, 0, 9, 101, 0, 0, 0, 1, 0, 0, 0, 2);

function started() {
  let socket: FakeSocket | undefined;
  const ends: Over[] = [];
  const reached: boolean[] = [];
  const network = {
    clientVersion: 'postern/0.1.0',
    resume: () => Promise.resolve(TICKET),
    openSocket: (url: string) => {
      socket = new FakeSocket(url);
      return socket as unknown as WebSocket;
    },
  };
  const session = new SftpSession(network, TICKET, { reached: (isReached) => reached.push(isReached), over: (why) => ends.push(why) });
  const agent = new Agent();
  const exchange = async () => {
    agent.exchange(socket as FakeSocket);
    await vi.advanceTimersByTimeAsync(0);
    agent.exchange(socket as FakeSocket);
  };
  socket?.open();
  agent.say(REQUEST, PayloadType.HandshakeRequest);
  agent.say('{}', PayloadType.HandshakeComplete);
  return { session, agent, exchange, ends, reached, socket: () => socket as FakeSocket };
}

async function opened() {
  const world = started();
  await world.exchange();
  world.agent.say(VERSION);
  await world.exchange();
  world.agent.say(HOME);
  await world.exchange();
  return { ...world, ...(await world.session.opened) };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('it greets when the agent is ready, and asks for the home directory', async () => {
  const { agent, home } = await opened();
  expect(home).toBe('/home/alice');
  expect(agent.received.filter(({ payloadType }) => payloadType === PayloadType.Output)).toHaveLength(2);
});

test('a user without a home directory begins at the root', async () => {
  const { session, agent, exchange } = started();
  await exchange();
  agent.say(VERSION);
  await exchange();
  agent.say(NO_HOME);
  await exchange();
  expect((await session.opened).home).toBe('/');
});

test('a lost connection is told, and nothing that waits for an answer is', async () => {
  const { client, agent, socket, reached, exchange, ends } = await opened();
  const waiting = client.stat('/');
  socket().drop();
  expect(reached.at(-1)).toBe(false);
  await vi.advanceTimersByTimeAsync(0);
  socket().open();
  agent.channel.handleConnected();
  agent.say(Uint8Array.of(0, 0, 0, 9, 105, 0, 0, 0, 2, 0, 0, 0, 0));
  await exchange();
  expect([reached.at(-1), await waiting, ends]).toEqual([true, {}, []]);
});

test('what ends the session is told once, and to all who wait', async () => {
  const { client, socket, ends } = await opened();
  const waiting = expect(client.stat('/')).rejects.toThrow('closed');
  socket().deliver(closed('maximum duration'));
  await waiting;
  expect(ends).toEqual([{ code: 'ended', reason: 'maximum duration' }]);
});

test('an agent that cannot serve files ends it before it is opened', async () => {
  const { session, exchange, socket } = started();
  await exchange();
  socket().deliver(closed('Unable to start the file server'));
  await expect(session.opened).rejects.toThrow(SessionOver);
});

test('a node that speaks something else is left, and told so', async () => {
  const { session, agent, exchange, ends } = started();
  await exchange();
  agent.say('bash: sftp-server: command not found\n');
  await exchange();
  expect(ends).toEqual([{ code: 'violation', what: expect.stringContaining('a packet of') as string }]);
  await expect(session.opened).rejects.toThrow(SessionOver);
  expect(agent.received.at(-1)?.payloadType).toBe(PayloadType.Flag);
});

test('it is ended when it is asked to, and says nothing more', async () => {
  const { session, client, agent, exchange, ends, socket } = await opened();
  const waiting = expect(client.stat('/')).rejects.toThrow('closed');
  expect(session.end()).toBe(true);
  await exchange();
  await waiting;
  expect(agent.received.at(-1)).toMatchObject({ payloadType: PayloadType.Flag, text: '\0\0\0\u0002' });
  socket().deliver(closed(''));
  expect(ends).toEqual([]);
});
