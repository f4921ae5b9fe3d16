// Uploads of several files as a terminal does them: with directories, questions, a bound, and sessions that are lost.

import { beforeEach, expect, test, vi } from 'vitest';

import type { Dropped } from '../dropped.ts';
import { Questions } from '../questions.ts';
import type { SftpClient } from '../sftp/client.ts';
import { FakeServer } from '../sftp/fake-server.ts';
import { Batch } from './batch.ts';
import { TransferError } from './failure.ts';
import { type Job, Transfers } from './transfers.ts';

const HOME = '/home/alice';
const file = (path: string, text = path): Dropped['files'][number] => ({ steps: path.split('/'), file: new File([text], path) });

let server: FakeServer;
let transfers: Transfers;
let questions: Questions;
let sessions = 0;
let opened: Promise<SftpClient> | undefined;

async function use<T>(work: (client: SftpClient, home: string) => Promise<T>): Promise<T> {
  if (!opened) {
    sessions += 1;
    opened = server.connect();
  }
  const mine = opened;
  try {
    return await work(await mine, HOME);
  } catch (error) {
    if (String(error).includes('closed')) {
      opened = opened === mine ? undefined : opened;
    }
    throw error;
  }
}

function upload(...files: Dropped['files']): Batch {
  const batch = new Batch(HOME, { files, directories: [], isCut: false }, use, questions);
  files.forEach((found) => transfers.add(batch.job(found)));
  return batch;
}

const states = () => transfers.all.map(({ state }) => state.kind);
const text = (path: string) => new TextDecoder().decode(server.files.get(path)?.bytes);
const settled = () => vi.waitFor(() => expect(states().every((state) => ['done', 'failed', 'skipped', 'cancelled'].includes(state)) && states().length > 0).toBe(true), { timeout: 5000 });
const asked = (path: string) => vi.waitFor(() => expect(questions.first?.path).toBe(path));

beforeEach(() => {
  server = new FakeServer();
  transfers = new Transfers(() => {}, () => {});
  questions = new Questions(() => {});
  opened = undefined;
  sessions = 0;
});

test('files and the directories above them are made, each once', async () => {
  const batch = upload(file('a.txt'), file('x/b.txt'), file('x/y/c.txt'), file('x/y/d.txt'));
  await batch.makeDirectories([['x'], ['x', 'y'], ['empty']]);
  await settled();
  expect(states()).toEqual(['done', 'done', 'done', 'done']);
  expect([text(`${HOME}/x/y/d.txt`), server.files.has(`${HOME}/empty`)]).toEqual(['x/y/d.txt', true]);
  expect(server.requests.filter(({ type, path }) => type === 14 && path === `${HOME}/x`)).toHaveLength(1);
  expect(sessions).toBe(1);
});

test('a directory that is there is used, a file in its place is an error', async () => {
  server.files.set(`${HOME}/x`, { bytes: new Uint8Array(), mode: 0o040_700 });
  server.put(`${HOME}/y`, new Uint8Array());
  upload(file('x/a'), file('y/b'));
  await settled();
  expect(states()).toEqual(['done', 'failed']);
});

test('a name in use is asked about: replace, keep both, skip', async () => {
  for (const name of ['a.txt', 'b.txt', 'c.txt']) {
    server.put(`${HOME}/${name}`, new TextEncoder().encode('former'));
  }
  server.put(`${HOME}/b (1).txt`, new Uint8Array());
  upload(file('a.txt'), file('b.txt'), file('c.txt'));
  await asked(`${HOME}/a.txt`);
  await vi.waitFor(() => expect(states()).toEqual(['asking', 'asking', 'asking']));
  questions.first?.answer('replace', false);
  await asked(`${HOME}/b.txt`);
  questions.first?.answer('both', false);
  await asked(`${HOME}/c.txt`);
  questions.first?.answer('skip', false);
  await settled();
  expect(states()).toEqual(['done', 'done', 'skipped']);
  expect([text(`${HOME}/a.txt`), text(`${HOME}/b.txt`), text(`${HOME}/b (2).txt`), text(`${HOME}/c.txt`)]).toEqual(['a.txt', 'former', 'b.txt', 'former']);
});

test('one answer can be for all, but no directory is replaced without being asked about', async () => {
  server.put(`${HOME}/a`, new Uint8Array());
  server.put(`${HOME}/b`, new Uint8Array());
  server.files.set(`${HOME}/c`, { bytes: new Uint8Array(), mode: 0o040_755 });
  upload(file('a'), file('b'), file('c'));
  await asked(`${HOME}/a`);
  questions.first?.answer('replace', true);
  await asked(`${HOME}/c`);
  expect(questions.first?.isDirectory).toBe(true);
  questions.first?.answer('replace', false);
  await settled();
  expect([text(`${HOME}/a`), text(`${HOME}/b`), states()[2]]).toEqual(['a', 'b', 'failed']);
  expect(transfers.all[2]?.state).toEqual({ kind: 'failed', error: new TransferError('is-directory') });
});

test('somebody who is faster is asked about, not overwritten', async () => {
  server.mischief = (type) => {
    if (type === 6 && !server.files.has(`${HOME}/a`)) {
      server.put(`${HOME}/a`, new TextEncoder().encode('theirs'));
    }
    return undefined;
  };
  upload(file('a'));
  await asked(`${HOME}/a`);
  expect(text(`${HOME}/a`)).toBe('theirs');
  questions.first?.answer('both', false);
  await settled();
  expect([text(`${HOME}/a`), text(`${HOME}/a (1)`)]).toEqual(['theirs', 'a']);
  expect([...server.files.keys()].some((path) => path.endsWith('.part'))).toBe(false);
  expect(transfers.all[0]?.path).toBe(`${HOME}/a (1)`);
});

test('a lost session is opened again, and the upload goes on', async () => {
  let writes = 0;
  server.mischief = (type) => (type === 6 && (writes += 1) === 20 ? 'vanish' : undefined);
  upload(file('a', 'x'.repeat(2_000_000)), file('b', 'y'.repeat(2_000_000)));
  await settled();
  expect([states(), sessions]).toEqual([['done', 'done'], 2]);
  expect(text(`${HOME}/a`)).toBe('x'.repeat(2_000_000));
  expect(text(`${HOME}/b`)).toBe('y'.repeat(2_000_000));
});

test('sessions that are lost again and again are given up', async () => {
  vi.useFakeTimers();
  server.mischief = (type) => (type === 3 ? 'vanish' : undefined);
  upload(file('a'));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(states()).toEqual(['failed']);
  expect(sessions).toBe(5);
  server.mischief = () => undefined;
  transfers.retry(1);
  await vi.advanceTimersByTimeAsync(1000);
  expect(states()).toEqual(['done']);
  vi.useRealTimers();
});

test('a few run at once, the others wait; what is cancelled leaves nothing', async () => {
  let running = 0;
  let most = 0;
  const ends: (() => void)[] = [];
  const job = (path: string): Job => ({
    direction: 'up',
    path,
    size: 1,
    run: async (_, signal) => {
      most = Math.max(most, (running += 1));
      await new Promise<void>((resolve, reject) => {
        ends.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }).finally(() => (running -= 1));
      return 'checked';
    },
    undo: vi.fn(() => Promise.resolve()),
  });
  const jobs = Array.from({ length: 6 }, (_, index) => job(`/${index}`));
  jobs.forEach((job) => transfers.add(job));
  await vi.waitFor(() => expect(states()).toEqual(['moving', 'moving', 'moving', 'waiting', 'waiting', 'waiting']));
  transfers.cancel(2);
  transfers.cancel(5);
  await vi.waitFor(() => expect(states()).toEqual(['moving', 'cancelled', 'moving', 'moving', 'cancelled', 'waiting']));
  expect(jobs[1]?.undo).toHaveBeenCalledOnce();
  ends.forEach((end) => end());
  await vi.waitFor(() => expect(states()[5]).toBe('moving'));
  ends.forEach((end) => end());
  await Promise.all([settled(), transfers.settled()]);
  await transfers.settled();
  expect(most).toBe(3);
  transfers.clear();
  expect(transfers.all).toEqual([]);
});

test('a cancelled question is not asked any more', async () => {
  server.put(`${HOME}/a`, new Uint8Array());
  server.put(`${HOME}/b`, new Uint8Array());
  upload(file('a'), file('b'));
  await asked(`${HOME}/a`);
  transfers.cancel(1);
  await asked(`${HOME}/b`);
  questions.first?.answer('skip', false);
  await settled();
  expect(states()).toEqual(['cancelled', 'skipped']);
});
