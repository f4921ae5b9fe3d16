// Several pages of one browser, as one sees the others.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { signIns } from '../api/console.ts';
import { notify, shownNotifications } from '../app/notifications.ts';
import { remember, takeUnopened } from '../terminal/open.ts';
import { askSignIn, signOut, startOver } from './state.ts';

const ALICE = { principalArn: 'arn:aws:iam::000000000000:user/alice', signedInAt: '2026-06-15T12:00:00Z', csrf: 'proof' };
const other = new BroadcastChannel('postern.sign-in');
const heard: unknown[] = [];
const reload = vi.spyOn(window.location, 'reload').mockImplementation(() => {});
const assign = vi.spyOn(window.location, 'assign').mockImplementation(() => {});

other.addEventListener('message', ({ data }) => heard.push(data));
startOver();

function answer(body: object, status = 200): void {
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response(JSON.stringify(body), { status }))));
}

function say(who: string | null): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is of windows; a channel is of one origin
  other.postMessage(who);
}

/** Time for messages to arrive. */
async function settled(): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, 50);
  });
}

beforeEach(async () => {
  answer(ALICE);
  await askSignIn();
  await settled();
  heard.length = 0;
  vi.clearAllMocks();
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test('a sign-in is told to the other pages, without its proof', async () => {
  await askSignIn();
  await settled();
  expect(heard).toEqual([`${ALICE.principalArn} ${ALICE.signedInAt}`]);
});

test('the page of somebody else is loaded anew, that of the same one stays', async () => {
  say(`${ALICE.principalArn} ${ALICE.signedInAt}`);
  await settled();
  expect(reload).not.toHaveBeenCalled();
  say('arn:aws:iam::000000000000:user/bob 2026-06-15T12:00:00Z');
  await settled();
  expect(reload).toHaveBeenCalledOnce();
});

test('signing out leaves every page', async () => {
  say(null);
  await settled();
  expect(assign.mock.calls).toEqual([['/console/sign-in']]);
  await signOut();
  await settled();
  expect(assign).toHaveBeenCalledTimes(2);
  expect(heard).toEqual([null]);
});

test('who is signed out already is not disturbed by it', async () => {
  answer({ code: 'SignedOut', message: 'signed out' }, 401);
  await askSignIn();
  say(null);
  await settled();
  expect([assign.mock.calls, reload.mock.calls]).toEqual([[], []]);
  say('arn:aws:iam::000000000000:user/bob 2026-06-15T12:00:00Z');
  await settled();
  expect(reload).toHaveBeenCalledOnce();
});

test('an expired sign-in leaves nothing to the next user of the page', async () => {
  notify({ type: 'info', header: 'of alice' });
  remember({ SessionId: 'alice-1', StreamUrl: 'wss://server/', TokenValue: 'secret', target: 'mi-1' });
  answer({ code: 'SignedOut', message: 'signed out' }, 403);
  await expect(signIns('own')).rejects.toThrow('signed out');
  await signIns('own').catch(() => {});
  const headers = vi.mocked(fetch).mock.calls.map(([, init]) => init?.headers);
  expect(headers).toEqual([{ 'X-Postern-Csrf': 'proof' }, {}]);
  expect([shownNotifications(), takeUnopened('alice-1')]).toEqual([[], undefined]);
});

test('a role that is over is left before anything else is done', async () => {
  const answers = [{ ...ALICE, roleExpired: true }, { next: 'done' }, { ...ALICE, roleExpired: false }];
  vi.stubGlobal('fetch', vi.fn(() => Promise.resolve(new Response(JSON.stringify(answers.shift())))));
  await askSignIn();
  const calls = vi.mocked(fetch).mock.calls.map(([url, init]) => `${init?.method ?? 'GET'} ${String(url)}`);
  expect(calls).toEqual(['GET /console/api/session', 'POST /console/api/switch-back', 'GET /console/api/session']);
});

test('who acts as a role is asked for again when that may be over', async () => {
  answer({ ...ALICE, role: { arn: 'arn:aws:iam::000000000000:role/Night', sessionName: 'alice' } });
  await askSignIn();
  answer({ code: 'ExpiredTokenException', message: 'it is over' }, 403);
  await expect(signIns('own')).rejects.toThrow('it is over');
  expect(reload).toHaveBeenCalledOnce();
});
