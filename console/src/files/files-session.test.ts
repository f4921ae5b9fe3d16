// When a session with files is started and ended, in virtual time. The server and the session itself are the test's.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { ApiError } from '../api/errors.ts';
import { FilesSession, IDLE_MS } from './files-session.ts';
import type { SftpClient } from './sftp/client.ts';
import { SftpError } from './sftp/failure.ts';
import { type Listener, type Opened, type Over, SessionOver } from './sftp-session.ts';

const calls = vi.hoisted(() => ({ start: vi.fn(), terminate: vi.fn(), last: vi.fn() }));
const sessions = vi.hoisted(() => [] as FakeSession[]);

vi.mock('../api/call.ts', () => ({
  call: (operation: { readonly name: string }, input: object) => (operation.name === 'StartSession' ? calls.start : calls.terminate)(input) as unknown,
  callLast: (_: object, input: object) => calls.last(input) as unknown,
}));

vi.mock('./sftp-session.ts', async (original) => ({
  ...(await original<object>()),
  SftpSession: function make(_network: unknown, _ticket: unknown, listener: Listener) {
    const session = fakeSession(listener);
    sessions.push(session);
    return session;
  },
}));

interface FakeSession {
  readonly opened: Promise<Opened>;
  readonly open: () => void;
  readonly over: (why: Over) => void;
  readonly reached: (isReached: boolean) => void;
  readonly end: ReturnType<typeof vi.fn<() => boolean>>;
}

function fakeSession(listener: Listener): FakeSession {
  let settle: { readonly resolve: (opened: Opened) => void; readonly reject: (error: unknown) => void } | undefined;
  const opened = new Promise<Opened>((resolve, reject) => {
    settle = { resolve, reject };
  });
  opened.catch(() => {});
  return {
    opened,
    open: () => settle?.resolve({ client: {} as SftpClient, home: '/home/alice' }),
    over: (why) => {
      settle?.reject(new SessionOver(why));
      listener.over(why);
    },
    reached: listener.reached,
    end: vi.fn(() => {
      settle?.reject(new SftpError({ kind: 'closed' }));
      return true;
    }),
  };
}

const WHERE = { target: 'mi-1', besideSessionId: 'alice-1', clientVersion: 'postern/1', publicUrl: 'https://server' };
const settled = () => vi.advanceTimersByTimeAsync(0);

/** One that is opened. */
async function inUse() {
  const files = new FilesSession(WHERE, () => {});
  const used = files.use((_, home) => Promise.resolve(home));
  await settled();
  sessions.at(-1)?.open();
  expect(await used).toBe('/home/alice');
  return files;
}

beforeEach(() => {
  vi.useFakeTimers();
  sessions.length = 0;
  calls.start.mockReset().mockResolvedValue({ SessionId: 'alice-2', StreamUrl: 'wss://server/x', TokenValue: 't' });
  calls.terminate.mockReset().mockResolvedValue({});
  calls.last.mockReset();
});

afterEach(() => {
  vi.useRealTimers();
});

test('nothing is started before it is used, and once for all who use it', async () => {
  const files = new FilesSession(WHERE, () => {});
  expect([files.state, calls.start.mock.calls.length]).toEqual([{ kind: 'idle', why: 'new' }, 0]);
  const uses = [files.use((_, home) => Promise.resolve(home)), files.use((_, home) => Promise.resolve(home))];
  expect(files.state.kind).toBe('starting');
  await settled();
  sessions[0]?.open();
  expect(await Promise.all(uses)).toEqual(['/home/alice', '/home/alice']);
  expect(calls.start.mock.calls).toEqual([[{ Target: 'mi-1', DocumentName: 'Postern-StartSFTPSession', Reason: 'Files beside the terminal of alice-1' }]]);
  expect(files.state).toEqual({ kind: 'open', sessionId: 'alice-2', home: '/home/alice', isReached: true });
});

test('unused for ten minutes it ends; used again it starts again', async () => {
  const files = await inUse();
  await vi.advanceTimersByTimeAsync(IDLE_MS - 1000);
  await files.use(() => Promise.resolve());
  await vi.advanceTimersByTimeAsync(IDLE_MS - 1000);
  expect(files.state.kind).toBe('open');
  await vi.advanceTimersByTimeAsync(1000);
  expect([files.state, sessions[0]?.end.mock.calls.length]).toEqual([{ kind: 'idle', why: 'unused' }, 1]);
  const used = files.use(() => Promise.resolve('again'));
  await settled();
  sessions[1]?.open();
  expect(await used).toBe('again');
});

test('what is going on keeps it', async () => {
  const files = await inUse();
  let end = () => {};
  const moving = files.use(() => new Promise<void>((resolve) => (end = resolve)));
  await vi.advanceTimersByTimeAsync(5 * IDLE_MS);
  expect(files.state.kind).toBe('open');
  end();
  await moving;
  await vi.advanceTimersByTimeAsync(IDLE_MS);
  expect(files.state.kind).toBe('idle');
});

test('a refusal is kept and thrown, and the next use asks again', async () => {
  const files = new FilesSession(WHERE, () => {});
  const refusal = new ApiError('AccessDeniedException', 'no', 400);
  calls.start.mockRejectedValueOnce(refusal);
  await expect(files.use(() => Promise.resolve())).rejects.toBe(refusal);
  expect(files.state).toEqual({ kind: 'refused', error: refusal });
  const used = files.use(() => Promise.resolve('now'));
  await settled();
  sessions[0]?.open();
  expect(await used).toBe('now');
});

test('an end that nobody here asked for is told, before it is opened and after', async () => {
  const files = new FilesSession(WHERE, () => {});
  const used = files.use(() => Promise.resolve());
  const caught = expect(used).rejects.toThrow(SessionOver);
  await settled();
  sessions[0]?.over({ code: 'ended', reason: 'no such user' });
  await caught;
  expect(files.state).toEqual({ kind: 'over', why: { code: 'ended', reason: 'no such user' } });
  const again = await inUse();
  sessions.at(-1)?.reached(false);
  expect(again.state).toMatchObject({ kind: 'open', isReached: false });
  sessions.at(-1)?.over({ code: 'unreachable' });
  expect(again.state).toEqual({ kind: 'over', why: { code: 'unreachable' } });
});

test('it ends with the terminal and with the page; the server is told what the node could not be', async () => {
  const files = await inUse();
  files.close();
  expect([files.state, sessions[0]?.end.mock.calls.length, calls.terminate.mock.calls.length]).toEqual([{ kind: 'idle', why: 'closed' }, 1, 0]);
  await expect(files.use(() => Promise.resolve())).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }) as Error);

  const other = await inUse();
  sessions.at(-1)?.end.mockReturnValue(false);
  other.close();
  expect([other.state.kind, calls.terminate.mock.calls]).toEqual(['idle', [[{ SessionId: 'alice-2' }]]]);

  const last = await inUse();
  window.dispatchEvent(new Event('pagehide'));
  expect(last.state.kind).toBe('idle');
  expect(calls.last).toHaveBeenCalledWith({ SessionId: 'alice-2' });
});

test('a terminal that is left while the session is started leaves none behind', async () => {
  const files = new FilesSession(WHERE, () => {});
  const used = expect(files.use(() => Promise.resolve())).rejects.toThrow('gone');
  files.close();
  await settled();
  await used;
  expect([sessions.length, calls.terminate.mock.calls]).toEqual([0, [[{ SessionId: 'alice-2' }]]]);
});
