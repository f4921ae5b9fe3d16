// Bytes beside values, put together by hand from draft-ietf-secsh-filexfer-02; extensions from OpenSSH's PROTOCOL.

import { expect, test } from 'vitest';

import { SftpError } from './failure.ts';
import { decodeReply, decodeVersion, encodeInit, encodeRequest, readDigest, readLimits, type Request, type Reply } from './packets.ts';

/** Bytes of pieces: hexadecimal, or text after a `'`. */
function bytes(...pieces: string[]): Uint8Array {
  return Uint8Array.from(
    pieces.flatMap((piece) =>
      piece.startsWith("'") ? Array.from(new TextEncoder().encode(piece.slice(1))) : (piece.match(/[0-9a-f]{2}/g) ?? []).map((hex) => Number.parseInt(hex, 16)),
    ),
  );
}

const H = Uint8Array.of(0xab, 0xcd);

test.each<[string, Request, Uint8Array]>([
  ['open to read', { type: 'open', path: '/etc/hosts', for: 'read' }, bytes('00 00 00 1b', '03', '00 00 00 07', '00 00 00 0a', "'/etc/hosts", '00 00 00 01', '00 00 00 00')],
  ['open to make', { type: 'open', path: '/t', for: 'create' }, bytes('00 00 00 13', '03', '00 00 00 07', '00 00 00 02', "'/t", '00 00 00 2b', '00 00 00 00')],
  ['open to go on', { type: 'open', path: '/t', for: 'go-on' }, bytes('00 00 00 13', '03', '00 00 00 07', '00 00 00 02', "'/t", '00 00 00 03', '00 00 00 00')],
  ['close', { type: 'close', handle: H }, bytes('00 00 00 0b', '04', '00 00 00 07', '00 00 00 02', 'ab cd')],
  ['read', { type: 'read', handle: H, offset: 0x1_0000_0002, length: 32768 }, bytes('00 00 00 17', '05', '00 00 00 07', '00 00 00 02', 'ab cd', '00 00 00 01 00 00 00 02', '00 00 80 00')],
  ['write', { type: 'write', handle: H, offset: 3, data: bytes("'hello") }, bytes('00 00 00 1c', '06', '00 00 00 07', '00 00 00 02', 'ab cd', '00 00 00 00 00 00 00 03', '00 00 00 05', "'hello")],
  ['lstat', { type: 'lstat', path: 'a' }, bytes('00 00 00 0a', '07', '00 00 00 07', '00 00 00 01', "'a")],
  ['fstat', { type: 'fstat', handle: H }, bytes('00 00 00 0b', '08', '00 00 00 07', '00 00 00 02', 'ab cd')],
  ['setstat', { type: 'setstat', path: 'a', changes: { mode: 0o100_640 } }, bytes('00 00 00 12', '09', '00 00 00 07', '00 00 00 01', "'a", '00 00 00 04', '00 00 81 a0')],
  ['fsetstat', { type: 'fsetstat', handle: H, changes: { size: 5 } }, bytes('00 00 00 17', '0a', '00 00 00 07', '00 00 00 02', 'ab cd', '00 00 00 01', '00 00 00 00 00 00 00 05')],
  ['opendir', { type: 'opendir', path: '/' }, bytes('00 00 00 0a', '0b', '00 00 00 07', '00 00 00 01', "'/")],
  ['readdir', { type: 'readdir', handle: H }, bytes('00 00 00 0b', '0c', '00 00 00 07', '00 00 00 02', 'ab cd')],
  ['remove', { type: 'remove', path: 'ü' }, bytes('00 00 00 0b', '0d', '00 00 00 07', '00 00 00 02', 'c3 bc')],
  ['a name that is not UTF-8', { type: 'remove', path: 'a\udcffb' }, bytes('00 00 00 0c', '0d', '00 00 00 07', '00 00 00 03', '61 ff 62')],
  ['mkdir', { type: 'mkdir', path: 'd' }, bytes('00 00 00 0e', '0e', '00 00 00 07', '00 00 00 01', "'d", '00 00 00 00')],
  ['rmdir', { type: 'rmdir', path: 'd' }, bytes('00 00 00 0a', '0f', '00 00 00 07', '00 00 00 01', "'d")],
  ['realpath', { type: 'realpath', path: '.' }, bytes('00 00 00 0a', '10', '00 00 00 07', '00 00 00 01', "'.")],
  ['stat', { type: 'stat', path: '.' }, bytes('00 00 00 0a', '11', '00 00 00 07', '00 00 00 01', "'.")],
  ['rename', { type: 'rename', from: 'a', to: 'bc' }, bytes('00 00 00 10', '12', '00 00 00 07', '00 00 00 01', "'a", '00 00 00 02', "'bc")],
  ['posix-rename', { type: 'posix-rename', from: 'a', to: 'b' }, bytes('00 00 00 2b', 'c8', '00 00 00 07', '00 00 00 18', "'posix-rename@openssh.com", '00 00 00 01', "'a", '00 00 00 01', "'b")],
  ['fsync', { type: 'fsync', handle: H }, bytes('00 00 00 20', 'c8', '00 00 00 07', '00 00 00 11', "'fsync@openssh.com", '00 00 00 02', 'ab cd')],
  ['limits', { type: 'limits' }, bytes('00 00 00 1b', 'c8', '00 00 00 07', '00 00 00 12', "'limits@openssh.com")],
  ['check-file', { type: 'check-file', handle: H, offset: 1, length: 0 }, bytes('00 00 00 31', 'c8', '00 00 00 07', '00 00 00 12', "'check-file@postern", '00 00 00 02', 'ab cd', '00 00 00 00 00 00 00 01', '00 00 00 00 00 00 00 00')],
])('%s', (_, request, packet) => {
  expect(encodeRequest(7, request)).toEqual(packet);
});

test('the greeting', () => {
  expect(encodeInit()).toEqual(bytes('00 00 00 05', '01', '00 00 00 03'));
  expect(decodeVersion(bytes('02', '00 00 00 03'))).toEqual(new Map());
  const extended = bytes('02', '00 00 00 03', '00 00 00 12', "'check-file@postern", '00 00 00 01', "'1");
  expect(decodeVersion(extended)).toEqual(new Map([['check-file@postern', '1']]));
});

test.each<[string, Uint8Array, Reply]>([
  ['done', bytes('65', '00 00 00 07', '00 00 00 00', '00 00 00 02', "'ok", '00 00 00 02', "'en"), { type: 'status', status: 'ok', message: 'ok' }],
  ['refused', bytes('65', '00 00 00 07', '00 00 00 03', '00 00 00 00', '00 00 00 00'), { type: 'status', status: 'permission-denied', message: '' }],
  ['a status without words', bytes('65', '00 00 00 07', '00 00 00 01'), { type: 'status', status: 'end-of-file', message: '' }],
  ['a status of a later version', bytes('65', '00 00 00 07', '00 00 00 1f', '00 00 00 00', '00 00 00 00'), { type: 'status', status: 'unknown', message: '' }],
  ['a handle', bytes('66', '00 00 00 07', '00 00 00 02', 'ab cd'), { type: 'handle', handle: H }],
  ['data', bytes('67', '00 00 00 07', '00 00 00 03', "'abc"), { type: 'data', data: bytes("'abc") }],
  [
    'names',
    bytes('68', '00 00 00 07', '00 00 00 02', '00 00 00 01', "'a", '00 00 00 02', "'-r", '00 00 00 00', '00 00 00 02', 'c3 28', '00 00 00 00', '00 00 00 04', '00 00 41 ed'),
    { type: 'names', entries: [{ name: 'a', attributes: {} }, { name: '\udcc3(', attributes: { mode: 0o040_755 } }] },
  ],
  [
    'all attributes',
    bytes('69', '00 00 00 07', '80 00 00 0f', '00 00 00 00 00 00 10 00', '00 00 00 01', '00 00 00 02', '00 00 81 a4', '00 00 00 03', '5e 00 00 00', '00 00 00 01', '00 00 00 01', "'x", '00 00 00 00'),
    { type: 'attributes', attributes: { size: 4096, uid: 1, gid: 2, mode: 0o100_644, modifiedAt: 0x5e00_0000 } },
  ],
  ['what an extension says', bytes('c9', '00 00 00 07', '01 02'), { type: 'extended', content: bytes('01 02') }],
])('the reply: %s', (_, packet, reply) => {
  expect(decodeReply(packet)).toEqual({ id: 7, reply });
});

test('what extensions answer', () => {
  expect(readDigest(bytes('00 00 00 06', "'sha256", '00 00 00 02', 'ab cd'))).toEqual({ algorithm: 'sha256', digest: H });
  const limits = bytes('00 00 00 00 00 04 00 00', '00 00 00 00 00 03 fc 00', '00 00 00 00 00 03 f0 00', '00 00 00 00 00 00 00 40');
  expect(readLimits(limits)).toEqual({ read: 261_120, write: 258_048 });
});

test.each<[string, Uint8Array, RegExp]>([
  ['nothing', bytes(), /type/],
  ['no number', bytes('65', '00 00'), /id/],
  ['a request', bytes('03', '00 00 00 07'), /type 3/],
  ['half a status', bytes('65', '00 00 00 07', '00 00'), /status/],
  ['a message that is cut', bytes('65', '00 00 00 07', '00 00 00 04', '00 00 00 09', "'no"), /error message/],
  ['a message that nobody reads', bytes('65', '00 00 00 07', '00 00 00 04', '00 00 20 00', "'no"), /error message has 8192/],
  ['a handle that is too long', bytes('66', '00 00 00 07', '00 00 01 01', '00 '.repeat(257)), /handle has 257/],
  ['data of four gigabytes', bytes('67', '00 00 00 07', 'ff ff ff ff'), /data has/],
  ['more than it says', bytes('66', '00 00 00 07', '00 00 00 01', '00 00'), /longer/],
  ['four billion names', bytes('68', '00 00 00 07', 'ff ff ff ff'), /4294967295 names/],
  ['names that are not there', bytes('68', '00 00 00 07', '00 00 00 02', '00 00 00 01', "'a", '00 00 00 00', '00 00 00 00'), /filename/],
  ['a name that is too long', bytes('68', '00 00 00 07', '00 00 00 01', '00 00 10 01'), /filename has 4097/],
  ['attributes of the attributes', bytes('69', '00 00 00 07', '80 00 00 00', '00 01 00 00'), /65536 extended/],
])('hostile: %s', (_, packet, what) => {
  const decode = () => decodeReply(packet);
  expect(decode).toThrow(SftpError);
  expect(decode).toThrow(expect.objectContaining({ failure: { kind: 'violation', what: expect.stringMatching(what) as string } }));
});

test.each<[string, Uint8Array]>([
  ['another version', bytes('02', '00 00 00 06')],
  ['no version', bytes('65', '00 00 00 03')],
  ['many extensions', bytes('02', '00 00 00 03', ...Array.from({ length: 65 }, (_, index) => `00 00 00 01 ${(index + 32).toString(16)} 00 00 00 00`))],
])('a hostile greeting: %s', (_, packet) => {
  expect(() => decodeVersion(packet)).toThrow(SftpError);
});
