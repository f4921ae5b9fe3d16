// Uploads and downloads against a server in memory, whole and interrupted.

import { expect, test } from 'vitest';

import { SftpError } from '../sftp/failure.ts';
import { FakeServer } from '../sftp/fake-server.ts';
import { Download } from './download.ts';
import { TransferError, type TransferFailure } from './failure.ts';
import { DEPTH } from './pieces.ts';
import { Rate } from './rate.ts';
import type { Sink } from './sink.ts';
import { Upload, type Watcher } from './upload.ts';

const PATH = '/home/alice/data.bin';
const WRITE = 6;
const RENAME = 18;

/** Bytes that are the same nowhere, so that a piece in a wrong place is noticed. */
function content(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => (index * 2654435761) >>> 13);
}

const BYTES = content(3_000_001);

function watched() {
  const moved: number[] = [];
  let checks = 0;
  const watcher: Watcher = { moved: (bytes) => moved.push(bytes), checking: () => (checks += 1) };
  return { watcher, moved, checks: () => checks };
}

function held() {
  const pieces: Uint8Array[] = [];
  const events: string[] = [];
  const sink: Sink = {
    write: async (bytes) => void pieces.push(bytes.slice()),
    finish: async () => void events.push('finished'),
    abort: async () => void events.push('aborted'),
  };
  return { sink, events, bytes: () => new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer().then((buffer) => new Uint8Array(buffer)) };
}

const never = () => new AbortController().signal;
const failing = (failure: TransferFailure) => expect.objectContaining({ name: 'TransferError', failure }) as TransferError;
const partsOf = (server: FakeServer) => [...server.files.keys()].filter((path) => path.endsWith('.part'));
const same = (a: Uint8Array | undefined, b: Uint8Array) => Buffer.compare(a ?? new Uint8Array(), b) === 0;

test('an upload is there when it is whole and checked, and no sooner', async () => {
  const server = new FakeServer();
  const client = await server.connect();
  server.mischief = (type) => {
    expect(server.files.has(PATH) && type === WRITE).toBe(false);
    return undefined;
  };
  const { watcher, moved, checks } = watched();
  expect(await new Upload(new Blob([BYTES]), PATH, 'nothing').run(client, watcher, never())).toBe('checked');
  expect(same(server.files.get(PATH)?.bytes, BYTES)).toBe(true);
  expect(partsOf(server)).toEqual([]);
  expect([moved[0], moved.at(-1), checks()]).toEqual([0, BYTES.length, 1]);
  expect(server.waitingMax).toBeGreaterThan(DEPTH / 2);
  expect(server.waitingMax).toBeLessThanOrEqual(DEPTH + 1);
});

test('an empty file is a file', async () => {
  const server = new FakeServer();
  expect(await new Upload(new Blob([]), PATH, 'nothing').run(await server.connect(), watched().watcher, never())).toBe('checked');
  expect(server.files.get(PATH)?.bytes.length).toBe(0);
});

test('what has the name stays, unless it is to be replaced', async () => {
  const server = new FakeServer();
  server.put(PATH, content(5), 0o104_640);
  const client = await server.connect();
  const upload = new Upload(new Blob([BYTES]), PATH, 'nothing');
  await expect(upload.run(client, watched().watcher, never())).rejects.toThrow(failing('exists'));
  await upload.undo(client);
  expect([server.files.get(PATH)?.bytes.length, partsOf(server)]).toEqual([5, []]);
  await new Upload(new Blob([BYTES]), PATH, 'file').run(client, watched().watcher, never());
  expect(same(server.files.get(PATH)?.bytes, BYTES)).toBe(true);
  expect(server.files.get(PATH)?.mode.toString(8), 'the permissions of the former file, without its set-user-id bit').toBe('100640');
});

test('an upload goes on where a lost session left it', async () => {
  const server = new FakeServer();
  const upload = new Upload(new Blob([BYTES]), PATH, 'nothing');
  let writes = 0;
  server.mischief = (type) => (type === WRITE && (writes += 1) === 30 ? 'vanish' : undefined);
  await expect(upload.run(await server.connect(), watched().watcher, never())).rejects.toThrow(SftpError);
  expect(partsOf(server)).toHaveLength(1);
  const { watcher, moved } = watched();
  expect(await upload.run(await server.connect(), watcher, never())).toBe('checked');
  expect(moved[0]).toBe(29 * 64 * 1024);
  expect(same(server.files.get(PATH)?.bytes, BYTES)).toBe(true);
});

test('what somebody changed meanwhile is written again', async () => {
  const server = new FakeServer();
  const upload = new Upload(new Blob([BYTES]), PATH, 'nothing');
  let writes = 0;
  server.mischief = (type) => (type === WRITE && (writes += 1) === 30 ? 'vanish' : undefined);
  await expect(upload.run(await server.connect(), watched().watcher, never())).rejects.toThrow(SftpError);
  const [part = ''] = partsOf(server);
  const file = server.files.get(part);
  file?.bytes.fill(7, 1000, 1010);
  const { watcher, moved } = watched();
  await upload.run(await server.connect(), watcher, never());
  expect(moved[0]).toBe(0);
  expect(same(server.files.get(PATH)?.bytes, BYTES)).toBe(true);
});

test('a move whose answer was lost is found to be done', async () => {
  const server = new FakeServer();
  const upload = new Upload(new Blob([BYTES]), PATH, 'nothing');
  server.mischief = (type, path) => {
    if (type !== RENAME) {
      return undefined;
    }
    const file = server.files.get(path);
    server.files.delete(path);
    server.put(PATH, file?.bytes ?? new Uint8Array());
    return 'vanish';
  };
  await expect(upload.run(await server.connect(), watched().watcher, never())).rejects.toThrow(SftpError);
  server.mischief = () => undefined;
  expect(await upload.run(await server.connect(), watched().watcher, never())).toBe('checked');
  expect(partsOf(server)).toEqual([]);
});

test('other bytes at the node are noticed', async () => {
  const server = new FakeServer();
  const client = await server.connect();
  server.mischief = (type, path) => {
    const file = server.files.get(path);
    if (type === 200 && file === undefined && path === 'fsync@openssh.com') {
      server.files.get(partsOf(server)[0] ?? '')?.bytes.fill(0, 5, 6);
    }
    return undefined;
  };
  const upload = new Upload(new Blob([BYTES]), PATH, 'nothing');
  await expect(upload.run(client, watched().watcher, never())).rejects.toThrow(failing('digest'));
  expect(server.files.has(PATH)).toBe(false);
});

test('a refusal in the middle ends it, and nothing is left', async () => {
  const server = new FakeServer();
  const client = await server.connect();
  let writes = 0;
  server.mischief = (type) => (type === WRITE && (writes += 1) === 3 ? 4 : undefined);
  const upload = new Upload(new Blob([BYTES]), PATH, 'nothing');
  await expect(upload.run(client, watched().watcher, never())).rejects.toThrow('status 4');
  await upload.undo(client);
  expect(partsOf(server)).toEqual([]);
});

test('a cancelled upload stops', async () => {
  const server = new FakeServer();
  const client = await server.connect();
  const stop = new AbortController();
  const upload = new Upload(new Blob([BYTES]), PATH, 'nothing');
  const watcher: Watcher = { moved: (bytes) => bytes > 500_000 && stop.abort(), checking: () => {} };
  await expect(upload.run(client, watcher, stop.signal)).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }) as Error);
  await upload.undo(client);
  expect([...server.files.keys()].length).toBe(3);
});

test('a download is checked before it is given to anybody', async () => {
  const server = new FakeServer();
  server.put(PATH, BYTES);
  server.readMax = 50_000;
  const { sink, events, bytes } = held();
  const { watcher, moved } = watched();
  const sizes: number[] = [];
  expect(await new Download(PATH, sink).run(await server.connect(), watcher, (size) => sizes.push(size), never())).toBe('checked');
  expect(same(await bytes(), BYTES)).toBe(true);
  expect([events, sizes, moved.at(-1)]).toEqual([['finished'], [BYTES.length], BYTES.length]);
  expect(server.waitingMax).toBeLessThanOrEqual(DEPTH);
});

test('a download goes on where a lost session left it, unless the file is another one', async () => {
  const server = new FakeServer();
  server.put(PATH, BYTES);
  let reads = 0;
  server.mischief = (type) => (type === 5 && (reads += 1) === 30 ? 'vanish' : undefined);
  const { sink, bytes } = held();
  const download = new Download(PATH, sink);
  await expect(download.run(await server.connect(), watched().watcher, () => {}, never())).rejects.toThrow(SftpError);
  const { watcher, moved } = watched();
  expect(await download.run(await server.connect(), watcher, () => {}, never())).toBe('checked');
  expect(moved[0]).toBeGreaterThan(0);
  expect(same(await bytes(), BYTES)).toBe(true);

  const again = new Download(PATH, held().sink);
  reads = 0;
  await expect(again.run(await server.connect(), watched().watcher, () => {}, never())).rejects.toThrow(SftpError);
  server.put(PATH, content(10));
  await expect(again.run(await server.connect(), watched().watcher, () => {}, never())).rejects.toThrow(failing('changed'));
});

test('a file that shrinks or changes while it is read is not given to anybody', async () => {
  for (const change of [(bytes: Uint8Array) => bytes.slice(0, 1_500_000), (bytes: Uint8Array) => bytes.slice().fill(1, 0, 9)]) {
    const server = new FakeServer();
    server.put(PATH, BYTES);
    let reads = 0;
    server.mischief = (type) => {
      if (type === 5 && (reads += 1) === 20) {
        server.put(PATH, change(BYTES));
      }
      return undefined;
    };
    const { sink, events } = held();
    const run = new Download(PATH, sink).run(await server.connect(), watched().watcher, () => {}, never());
    await expect(run).rejects.toThrow(TransferError);
    expect(events).toEqual([]);
  }
});

test('what has no end is not downloaded', async () => {
  const server = new FakeServer();
  server.put('/dev', new Uint8Array(), 0o020_666);
  await expect(new Download('/dev', held().sink).run(await server.connect(), watched().watcher, () => {}, never())).rejects.toThrow(failing('no-file'));
});

test('a file that says that it is empty is read to its end, unchecked', async () => {
  const server = new FakeServer();
  server.put(PATH, BYTES);
  server.mischief = (type) => {
    // As /proc does: what it holds is not in what it says of itself.
    server.put(PATH, type === 5 ? BYTES.slice(0, 70_000) : new Uint8Array());
    return undefined;
  };
  const { sink, bytes } = held();
  expect(await new Download(PATH, sink).run(await server.connect(), watched().watcher, () => {}, never())).toBe('unchecked');
  expect((await bytes()).length).toBe(70_000);
});

test('a rate is of the last few seconds', () => {
  const rate = new Rate();
  expect(rate.at(0, 0)).toBeNull();
  for (let second = 0; second <= 20; second += 1) {
    rate.note(second * 1000, second * 1000);
  }
  expect(rate.at(20_000, 20_000)).toBe(1000);
  expect(rate.at(20_000, 23_000)).toBeLessThan(400);
  expect(rate.at(20_000, 40_000)).toBeNull();
});
