// The client against a server in memory, and against one that is hostile.

import { expect, test, vi } from 'vitest';

import { SftpClient } from './client.ts';
import { SftpError, type SftpFailure } from './failure.ts';
import { FakeServer } from './fake-server.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const violation = (what: RegExp) => expect.objectContaining({ failure: { kind: 'violation', what: expect.stringMatching(what) as string } }) as Error;

test('files are made, read, renamed, listed and removed', async () => {
  const server = new FakeServer();
  const client = await server.connect();
  expect(await client.realPath('.')).toBe('/home/alice');
  await client.makeDirectory('/home/alice/new');
  const handle = await client.openFile('/home/alice/new/a', 'create');
  await client.write(handle, 0, utf8('hello'));
  await client.sync(handle);
  expect(await client.read(handle, 1, 100)).toEqual(utf8('ello'));
  expect(await client.read(handle, 5, 100)).toEqual(new Uint8Array());
  expect(await client.statHandle(handle)).toMatchObject({ size: 5 });
  await client.closeHandle(handle);
  await client.rename('/home/alice/new/a', '/home/alice/new/b');
  await client.change('/home/alice/new/b', { mode: 0o600 });
  const { entries, isCut } = await client.list('/home/alice/new');
  expect([entries, isCut]).toEqual([[{ name: 'b', attributes: { size: 5, mode: 0o100_600, modifiedAt: 1_700_000_000 } }], false]);
  await client.remove('/home/alice/new/b');
  await client.removeDirectory('/home/alice/new');
  await vi.waitFor(() => expect(server.openHandles).toBe(0));
});

test('a refusal is a value with the status and the words of the server', async () => {
  const client = await new FakeServer().connect();
  const refused = (status: string) => expect.objectContaining({ failure: { kind: 'refused', status, message: expect.any(String) as string } }) as Error;
  await expect(client.stat('/missing')).rejects.toThrow(refused('no-such-file'));
  await expect(client.openFile('/home', 'create')).rejects.toThrow(refused('failure'));
});

test('what the server cannot is not asked for', async () => {
  const server = new FakeServer();
  server.extensions = [];
  const client = await server.connect();
  server.put('/a', utf8('a'));
  const handle = await client.openFile('/a', 'go-on');
  await client.sync(handle);
  expect(await client.sha256(handle, 0, 0)).toBeUndefined();
  expect(client.pieceBytes).toBe(32 * 1024);
  expect(server.requests.some(({ type }) => type === 200)).toBe(false);
});

test('whoever waits when the session ends is told, and whoever asks later', async () => {
  const server = new FakeServer();
  const client = await server.connect();
  server.mischief = () => 'silence';
  const waiting = client.stat('/');
  client.close();
  const closed = expect.objectContaining({ failure: { kind: 'closed' } }) as Error;
  await expect(waiting).rejects.toThrow(closed);
  await expect(client.stat('/')).rejects.toThrow(closed);
});

/** A server that answers each request with these bytes after a proper greeting. */
function hostile(...answers: number[][]) {
  const failures: SftpFailure[] = [];
  const client: SftpClient = new SftpClient((packet) => {
    const answer = packet[4] === 1 ? [0, 0, 0, 5, 2, 0, 0, 0, 3] : (answers.shift() ?? []);
    client.receive(Uint8Array.from(answer));
  }, (failure) => failures.push(failure));
  return { client, failures };
}

const NAME = (id: number, name: string, count = 1) => {
  const bytes = [...utf8(name)];
  const body = [104, 0, 0, 0, id, 0, 0, 0, count, ...Array.from({ length: count }, () => [0, 0, bytes.length >> 8, bytes.length & 255, ...bytes, 0, 0, 0, 0, 0, 0, 0, 0]).flat()];
  return [0, 0, body.length >> 8, body.length & 255, ...body];
};
const HANDLE = [0, 0, 0, 10, 102, 0, 0, 0, 1, 0, 0, 0, 1, 9];
const END = (id: number) => [0, 0, 0, 9, 101, 0, 0, 0, id, 0, 0, 0, 1];

test.each<[string, number[], RegExp]>([
  ['an answer to nothing', [0, 0, 0, 9, 101, 0, 0, 0, 99, 0, 0, 0, 0], /reply to nothing/],
  ['a packet of two gigabytes', [0x7f, 0xff, 0xff, 0xff], /a packet of/],
  ['an empty packet', [0, 0, 0, 0], /a packet of 0/],
  ['another protocol', [...utf8('HTTP/1.1 200 OK\r\n')], /a packet of/],
])('the session is of no use after %s', async (_, answer, what) => {
  const { client, failures } = hostile(answer);
  await client.open();
  await expect(client.stat('/')).rejects.toThrow(violation(what));
  expect(failures).toEqual([{ kind: 'violation', what: expect.stringMatching(what) as string }]);
  await expect(client.stat('/')).rejects.toThrow(SftpError);
});

test.each<[string, number[], RegExp]>([
  ['no path at all', NAME(1, 'relative'), /not one/],
  ['a path with an end inside', NAME(1, '/a\0b'), /not one/],
  ['another kind of answer', HANDLE, /another kind/],
])('as a real path: %s', async (_, answer, what) => {
  const { client } = hostile(answer);
  await client.open();
  await expect(client.realPath('.')).rejects.toThrow(violation(what));
});

test('more bytes than were asked for are not taken', async () => {
  const { client } = hostile([0, 0, 0, 12, 103, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3]);
  await client.open();
  await expect(client.read(Uint8Array.of(1), 0, 2)).rejects.toThrow(violation(/3 bytes where 2/));
});

test('names that no file can have are counted, not shown', async () => {
  const names = ['..', '../../etc/passwd', '/etc/passwd', 'a\0b', '', 'x'.repeat(2000), 'fine'];
  const { client } = hostile(HANDLE, ...names.map((name, index) => NAME(index + 2, name)), END(names.length + 2));
  await client.open();
  expect(await client.list('/')).toEqual({ entries: [{ name: 'fine', attributes: {} }], isCut: false, refused: 5 });
});

test('a directory without an end is cut off', async () => {
  const { client } = hostile(HANDLE, ...Array.from({ length: 200 }, (_, index) => NAME(index + 2, 'same', 255)));
  await client.open();
  const { entries, isCut } = await client.list('/');
  expect([entries.length, isCut]).toEqual([50_000, true]);
});

test('a directory whose pieces are empty has no end either', async () => {
  const { client } = hostile(HANDLE, NAME(2, '', 0));
  await client.open();
  await expect(client.list('/')).rejects.toThrow(violation(/without a name/));
});
