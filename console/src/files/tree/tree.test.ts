// Directories that are looked through, deleted and packed, against a server in memory.

import { crc32 } from 'node:zlib';

import { expect, test } from 'vitest';

import { baseOf } from '../paths.ts';
import { typeOf } from '../sftp/attributes.ts';
import { FakeServer } from '../sftp/fake-server.ts';
import { TransferError, type TransferFailure } from '../transfer/failure.ts';
import type { Sink } from '../transfer/sink.ts';
import type { Report } from '../transfer/transfers.ts';
import { Archive } from './archive.ts';
import { archiveName, ArchiveNames } from './names.ts';
import { lookThrough, removeAll } from './removal.ts';
import { FOUND_MAX, type Thing, walk } from './walk.ts';

const TOP = '/home/alice/top';
const OPEN = 3;
const REMOVE = 13;
const LINK = 0o120_777;
const DIRECTORY = 0o040_755;
const utf8 = new TextEncoder();
const never = () => new AbortController().signal;
const failing = (failure: TransferFailure) => expect.objectContaining({ name: 'TransferError', failure }) as TransferError;

/** `top` with directories, files, a link, and something special. */
async function withTree() {
  const server = new FakeServer();
  for (const path of [TOP, `${TOP}/a`, `${TOP}/a/b`, `${TOP}/empty`]) {
    server.put(path, new Uint8Array(), DIRECTORY);
  }
  server.put(`${TOP}/a/b/deep.txt`, utf8.encode('deep'));
  server.put(`${TOP}/a/.hidden`, utf8.encode('hidden'), 0o104_750);
  server.put(`${TOP}/big.bin`, Uint8Array.from({ length: 300_001 }, (_, index) => (index * 2654435761) >>> 13));
  server.put(`${TOP}/nothing`, new Uint8Array());
  server.put(`${TOP}/link`, new Uint8Array(), LINK);
  server.put(`${TOP}/pipe`, new Uint8Array(), 0o010_644);
  server.put('/home/alice/beside.txt', utf8.encode('beside'));
  const client = await server.connect();
  const thing = (path: string): Thing => {
    const { mode = 0, bytes } = server.files.get(path) ?? {};
    return { path, name: baseOf(path), kind: typeOf({ mode }), attributes: { mode, size: bytes?.length ?? 0 } };
  };
  return { server, client, thing, top: thing(TOP) };
}

function held(bytesMax?: number) {
  const pieces: Uint8Array[] = [];
  const events: string[] = [];
  const sink: Sink = {
    write: async (bytes) => void pieces.push(bytes.slice()),
    finish: async () => void events.push('finished'),
    abort: async () => void events.push('aborted'),
    ...(bytesMax !== undefined && { bytesMax }),
  };
  return { sink, events, bytes: () => Buffer.concat(pieces) };
}

function reported() {
  const told = { moved: 0, size: 0, leftOut: 0, looked: 0 };
  const report: Report = {
    moved: (bytes) => (told.moved = bytes),
    sized: (bytes) => (told.size = bytes),
    leftOut: (count) => (told.leftOut = count),
    looking: () => (told.looked += 1),
    checking: () => {},
    asking: () => {},
    renamed: () => {},
  };
  return { told, report };
}

/** What an archive holds, read by its central directory as unpackers do; its checksums are compared. */
function unpacked(zip: Buffer): Record<string, { readonly content: Buffer; readonly mode: number }> {
  const end = zip.lastIndexOf(Buffer.from('PK\u0005\u0006'));
  const found: Record<string, { content: Buffer; mode: number }> = {};
  let at = zip.readUInt32LE(end + 16);
  for (let count = zip.readUInt16LE(end + 10); count > 0; count -= 1) {
    const [sum, size, nameLength] = [zip.readUInt32LE(at + 16), zip.readUInt32LE(at + 24), zip.readUInt16LE(at + 28)];
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    const local = zip.readUInt32LE(at + 42);
    const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
    const content = zip.subarray(start, start + size);
    expect(crc32(content), name).toBe(sum);
    expect(Object.keys(found)).not.toContain(name);
    found[name] = { content, mode: zip.readUInt16LE(at + 40) };
    at += 46 + nameLength + zip.readUInt16LE(at + 30);
  }
  return found;
}

test('a tree is walked from above, and links are not followed', async () => {
  const { client, top } = await withTree();
  const found: string[] = [];
  for await (const { path, kind } of walk(client, [top], expect.unreachable, never())) {
    found.push(`${kind} ${path.slice(TOP.length)}`);
  }
  expect(found).toEqual(['directory ', 'directory /a', 'directory /a/b', 'file /a/b/deep.txt', 'file /a/.hidden', 'directory /empty', 'file /big.bin', 'file /nothing', 'link /link', 'other /pipe']);
});

test('a directory that has become a link is not entered', async () => {
  const { server, client, top } = await withTree();
  server.realPath = (path) => (path === `${TOP}/a` ? '/etc' : path);
  await expect(lookThrough(client, [top], () => {}, never())).rejects.toThrow(failing('moved'));
  expect(server.requests.some(({ type, path }) => type === 11 && path === `${TOP}/a`)).toBe(false);
});

test('there is an end to how much is looked through', async () => {
  const { client } = await withTree();
  const many = Array.from({ length: FOUND_MAX + 1 }, (_, index): Thing => ({ name: `${index}`, path: `/${index}`, kind: 'file', attributes: {} }));
  await expect(lookThrough(client, many, () => {}, never())).rejects.toThrow(failing('too-many'));
});

test('what is to be deleted is counted, and then exactly that is', async () => {
  const { server, client, top, thing } = await withTree();
  const counts: number[] = [];
  const doomed = await lookThrough(client, [top, thing('/home/alice/beside.txt')], (count) => counts.push(count), never());
  expect([doomed.count, doomed.directories.length, doomed.bytes, counts.at(-1)]).toEqual([11, 4, 300_017, 11]);
  expect(server.files.has(TOP)).toBe(true);
  const removed: number[] = [];
  await removeAll(client, doomed, (count) => removed.push(count), never());
  expect([...server.files.keys()]).toEqual(['/', '/home', '/home/alice']);
  expect(removed.at(-1)).toBe(11);
});

test('what came after the question stays, and so does its directory', async () => {
  const { server, client, top } = await withTree();
  const doomed = await lookThrough(client, [top], () => {}, never());
  server.put(`${TOP}/a/new`, utf8.encode('new'));
  await expect(removeAll(client, doomed, () => {}, never())).rejects.toThrow('status 4');
  expect([...server.files.keys()].filter((path) => path.startsWith(`${TOP}/a`))).toEqual([`${TOP}/a`, `${TOP}/a/new`]);
  server.files.delete(`${TOP}/a/new`);
  await removeAll(client, doomed, () => {}, never());
  expect(server.files.has(TOP), 'a second try goes on').toBe(false);
});

test('nothing is deleted through a link that has come since', async () => {
  const { server, client, top } = await withTree();
  const doomed = await lookThrough(client, [top], () => {}, never());
  server.realPath = (path) => (path === `${TOP}/a/b` ? '/etc' : path);
  await expect(removeAll(client, doomed, () => {}, never())).rejects.toThrow(failing('moved'));
  expect(server.files.has(`${TOP}/a/b/deep.txt`)).toBe(true);
});

test('deleting stops when it is told to', async () => {
  const { server, client, top } = await withTree();
  const doomed = await lookThrough(client, [top], () => {}, never());
  const stop = new AbortController();
  await expect(removeAll(client, doomed, () => stop.abort(), stop.signal)).rejects.toThrow();
  expect(server.files.has(TOP)).toBe(true);
});

test('an error ends the deleting, and says what it was', async () => {
  const { server, client, top } = await withTree();
  const doomed = await lookThrough(client, [top], () => {}, never());
  server.mischief = (type, path) => (type === REMOVE && path.endsWith('/deep.txt') ? 3 : undefined);
  await expect(removeAll(client, doomed, () => {}, never())).rejects.toThrow('status 3');
  expect(server.files.has(`${TOP}/a/b`)).toBe(true);
});

test('an archive has what the tree has', async () => {
  const { server, client, top } = await withTree();
  const { sink, events, bytes } = held();
  const { told, report } = reported();
  expect(await new Archive([top], sink).run(client, report, never())).toBe('checked');
  const found = unpacked(bytes());
  expect(Object.keys(found)).toEqual(['top/', 'top/a/', 'top/a/b/', 'top/a/b/deep.txt', 'top/a/.hidden', 'top/empty/', 'top/big.bin', 'top/nothing']);
  expect(found['top/a/b/deep.txt']?.content.toString()).toBe('deep');
  expect(Buffer.compare(found['top/big.bin']?.content ?? Buffer.of(), server.files.get(`${TOP}/big.bin`)?.bytes ?? Buffer.of())).toBe(0);
  expect(found['top/a/.hidden']?.mode.toString(8), 'without what makes a program somebody else').toBe('100750');
  expect(told).toEqual({ moved: 300_011, size: 300_011, leftOut: 2, looked: 1 });
  expect(events).toEqual(['finished']);
  await client.realPath('.');
  expect(server.openHandles).toBe(0);
});

test('what may not be read is left out, and told', async () => {
  const { server, client, top } = await withTree();
  server.mischief = (type, path) => ((type === OPEN && path.endsWith('.hidden')) || (type === 11 && path.endsWith('/b')) ? 3 : undefined);
  server.realPath = (path) => (path === `${TOP}/nothing` ? '/etc/shadow' : path);
  const { sink, bytes } = held();
  const { told, report } = reported();
  await new Archive([top], sink).run(client, report, never());
  expect(Object.keys(unpacked(bytes()))).toEqual(['top/', 'top/a/', 'top/a/b/', 'top/empty/', 'top/big.bin']);
  expect(told.leftOut).toBe(5);
});

test('an archive that cannot be held is not begun', async () => {
  const { server, client, top } = await withTree();
  const { sink } = held(300_000);
  await expect(new Archive([top], sink).run(client, reported().report, never())).rejects.toThrow(failing('too-large'));
  expect(server.requests.some(({ type }) => type === OPEN)).toBe(false);
});

test('a file that is another one than the node says fails the archive', async () => {
  const { server, client, top } = await withTree();
  const { sink, events } = held();
  const report: Report = { ...reported().report, moved: (bytes) => bytes > 100_000 && server.put(`${TOP}/big.bin`, new Uint8Array(300_001)) };
  await expect(new Archive([top], sink).run(client, report, never())).rejects.toThrow(failing('digest'));
  expect(events).toEqual([]);
  await client.realPath('.');
  expect(server.openHandles).toBe(0);
});

test('an archive that is cancelled stops reading', async () => {
  const { server, client, top } = await withTree();
  const stop = new AbortController();
  const report: Report = { ...reported().report, moved: (bytes) => bytes > 0 && stop.abort() };
  await expect(new Archive([top], held().sink).run(client, report, stop.signal)).rejects.toThrow();
  await client.realPath('.');
  expect(server.openHandles).toBe(0);
});

test('names in an archive lead nowhere else and are unlike', () => {
  expect(['..', '..\\..\\evil', '.bashrc', 'C:\\x', 'con', 'a\u202eb', ' . '].map(archiveName)).toEqual(['.download', '._.._evil', '.bashrc', 'C__x', '_con', 'ab', 'download']);
  const names = new ArchiveNames();
  const place = (path: string, kind: 'file' | 'directory', parent?: string) => names.of({ name: baseOf(path), path, kind, parent });
  expect([
    place('/a?', 'directory'),
    place('/a*', 'directory'),
    place('/a*/x', 'file', '/a*'),
    place('/a?/x', 'file', '/a?'),
    place('/a?/x\\', 'file', '/a?'),
    place('/a?/x|', 'file', '/a?'),
  ]).toEqual(['a_', 'a_ (1)', 'a_ (1)/x', 'a_/x', 'a_/x_', 'a_/x_ (1)']);
});
