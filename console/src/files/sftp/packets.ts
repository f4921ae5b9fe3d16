/**
 * Requests and replies, as values and as bytes.
 * Source: draft-ietf-secsh-filexfer-02, sections 6 to 8; extensions: PROTOCOL of OpenSSH, section 4; `check-file@postern` is that of crates/sftp.
 */

import { type Attributes, type Changes, readAttributes, writeAttributes } from './attributes.ts';
import { type RefusalStatus, violation } from './failure.ts';
import { PACKET_BYTES_MAX } from './framing.ts';
import { nameFromBytes, nameToBytes } from './names.ts';
import { Reader, Writer } from './wire.ts';

/** The version that is spoken. */
export const VERSION = 3;
/** The longest handle that a server may give. Source: section 6. */
const HANDLE_BYTES_MAX = 256;
/** Extensions and names in one reply: more would not be read by anybody, or do not fit a packet. */
const EXTENSIONS_MAX = 64;
const NAMES_MAX = 8192;

const Type = {
  Init: 1,
  Version: 2,
  Open: 3,
  Close: 4,
  Read: 5,
  Write: 6,
  LStat: 7,
  FStat: 8,
  SetStat: 9,
  FSetStat: 10,
  OpenDir: 11,
  ReadDir: 12,
  Remove: 13,
  MkDir: 14,
  RmDir: 15,
  RealPath: 16,
  Stat: 17,
  Rename: 18,
  Status: 101,
  Handle: 102,
  Data: 103,
  Name: 104,
  Attrs: 105,
  Extended: 200,
  ExtendedReply: 201,
} as const;

/** How a file is opened: `SSH_FXF_…`. */
const OpenFlag = { Read: 1, Write: 2, Create: 8, Exclusive: 0x20 } as const;
const OPEN_FLAGS = {
  read: OpenFlag.Read,
  /** Made by this; readable too, so that it can be checked. */
  create: OpenFlag.Read | OpenFlag.Write | OpenFlag.Create | OpenFlag.Exclusive,
  'go-on': OpenFlag.Read | OpenFlag.Write,
} as const;

export type OpenFor = keyof typeof OPEN_FLAGS;

/** Whatever the server calls an open file. */
export type Handle = Uint8Array;

/** Names and paths are texts as `names.ts` has them. */
export type Request =
  | { readonly type: 'open'; readonly path: string; readonly for: OpenFor }
  | { readonly type: 'close'; readonly handle: Handle }
  | { readonly type: 'read'; readonly handle: Handle; readonly offset: number; readonly length: number }
  | { readonly type: 'write'; readonly handle: Handle; readonly offset: number; readonly data: Uint8Array }
  | { readonly type: 'stat' | 'lstat' | 'opendir' | 'remove' | 'mkdir' | 'rmdir' | 'realpath'; readonly path: string }
  | { readonly type: 'fstat' | 'readdir' | 'fsync'; readonly handle: Handle }
  | { readonly type: 'setstat'; readonly path: string; readonly changes: Changes }
  | { readonly type: 'fsetstat'; readonly handle: Handle; readonly changes: Changes }
  | { readonly type: 'rename' | 'posix-rename'; readonly from: string; readonly to: string }
  | { readonly type: 'check-file'; readonly handle: Handle; readonly offset: number; readonly length: number }
  | { readonly type: 'limits' };

export interface Entry {
  readonly name: string;
  readonly attributes: Attributes;
}

export type Reply =
  | { readonly type: 'status'; readonly status: 'ok' | RefusalStatus; readonly message: string }
  | { readonly type: 'handle'; readonly handle: Handle }
  | { readonly type: 'data'; readonly data: Uint8Array }
  | { readonly type: 'names'; readonly entries: readonly Entry[] }
  | { readonly type: 'attributes'; readonly attributes: Attributes }
  | { readonly type: 'extended'; readonly content: Uint8Array };

const PATH_TYPES = {
  stat: Type.Stat,
  lstat: Type.LStat,
  opendir: Type.OpenDir,
  remove: Type.Remove,
  mkdir: Type.MkDir,
  rmdir: Type.RmDir,
  realpath: Type.RealPath,
} as const;

/** `SSH_FX_…` in the order of their numbers. */
const STATUSES: readonly ('ok' | RefusalStatus)[] = [
  'ok',
  'end-of-file',
  'no-such-file',
  'permission-denied',
  'failure',
  'bad-message',
  'no-connection',
  'connection-lost',
  'unsupported',
];

const ascii = new TextEncoder();
const lossy = new TextDecoder();

/** The first packet of a client. */
export function encodeInit(): Uint8Array<ArrayBuffer> {
  return new Writer().uint8(Type.Init).uint32(VERSION).packet();
}

export function encodeRequest(id: number, request: Request): Uint8Array<ArrayBuffer> {
  const begin = (type: number) => new Writer().uint8(type).uint32(id);
  const extended = (name: string) => begin(Type.Extended).string(ascii.encode(name));
  switch (request.type) {
    case 'open':
      return writeAttributes(begin(Type.Open).string(nameToBytes(request.path)).uint32(OPEN_FLAGS[request.for]), {}).packet();
    case 'close':
      return begin(Type.Close).string(request.handle).packet();
    case 'read':
      return begin(Type.Read).string(request.handle).uint64(request.offset).uint32(request.length).packet();
    case 'write':
      return begin(Type.Write).string(request.handle).uint64(request.offset).string(request.data).packet();
    case 'fstat':
      return begin(Type.FStat).string(request.handle).packet();
    case 'readdir':
      return begin(Type.ReadDir).string(request.handle).packet();
    case 'setstat':
      return writeAttributes(begin(Type.SetStat).string(nameToBytes(request.path)), request.changes).packet();
    case 'fsetstat':
      return writeAttributes(begin(Type.FSetStat).string(request.handle), request.changes).packet();
    case 'mkdir':
      return writeAttributes(begin(Type.MkDir).string(nameToBytes(request.path)), {}).packet();
    case 'stat':
    case 'lstat':
    case 'opendir':
    case 'remove':
    case 'rmdir':
    case 'realpath':
      return begin(PATH_TYPES[request.type]).string(nameToBytes(request.path)).packet();
    case 'rename':
      return begin(Type.Rename).string(nameToBytes(request.from)).string(nameToBytes(request.to)).packet();
    case 'posix-rename':
      return extended('posix-rename@openssh.com').string(nameToBytes(request.from)).string(nameToBytes(request.to)).packet();
    case 'fsync':
      return extended('fsync@openssh.com').string(request.handle).packet();
    case 'check-file':
      return extended('check-file@postern').string(request.handle).uint64(request.offset).uint64(request.length).packet();
    case 'limits':
      return extended('limits@openssh.com').packet();
  }
}

/** Reads the first packet of a server: the extensions that it has, with their versions. */
export function decodeVersion(packet: Uint8Array): ReadonlyMap<string, string> {
  const reader = new Reader(packet);
  const type = reader.uint8('type');
  const version = reader.uint32('version');
  if (type !== Type.Version || version !== VERSION) {
    throw violation(`version ${version} in a packet of type ${type}`);
  }
  const extensions = new Map<string, string>();
  while (!reader.isAtEnd) {
    if (extensions.size === EXTENSIONS_MAX) {
      throw violation('too many extensions');
    }
    extensions.set(lossy.decode(reader.string('extension_name')), lossy.decode(reader.string('extension_data')));
  }
  return extensions;
}

/** Reads a reply, and the number of the request that it answers. Data is a view of the packet. */
export function decodeReply(packet: Uint8Array): { readonly id: number; readonly reply: Reply } {
  const reader = new Reader(packet);
  const type = reader.uint8('type');
  const id = reader.uint32('id');
  const reply = readReply(type, reader);
  reader.end();
  return { id, reply };
}

function readReply(type: number, reader: Reader): Reply {
  switch (type) {
    case Type.Status: {
      const status = STATUSES[reader.uint32('status')] ?? 'unknown';
      // Servers of old send nothing more.
      const message = reader.isAtEnd ? '' : lossy.decode(reader.string('error message'));
      if (!reader.isAtEnd) {
        reader.string('language tag');
      }
      return { type: 'status', status, message };
    }
    case Type.Handle:
      return { type: 'handle', handle: reader.string('handle', HANDLE_BYTES_MAX).slice() };
    case Type.Data:
      return { type: 'data', data: reader.string('data', PACKET_BYTES_MAX) };
    case Type.Name:
      return { type: 'names', entries: readNames(reader) };
    case Type.Attrs:
      return { type: 'attributes', attributes: readAttributes(reader) };
    case Type.ExtendedReply:
      return { type: 'extended', content: reader.rest() };
    default:
      throw violation(`a reply of type ${type}`);
  }
}

function readNames(reader: Reader): Entry[] {
  const count = reader.uint32('count');
  if (count > NAMES_MAX) {
    throw violation(`${count} names in one reply`);
  }
  return Array.from({ length: count }, () => {
    const name = nameFromBytes(reader.string('filename'));
    // For people, in whatever words the server likes: not read.
    reader.string('longname');
    return { name, attributes: readAttributes(reader) };
  });
}

/** The reply to `check-file`: how the digest was made, and the digest. */
export function readDigest(content: Uint8Array): { readonly algorithm: string; readonly digest: Uint8Array } {
  const reader = new Reader(content);
  const algorithm = lossy.decode(reader.string('algorithm', 32));
  const digest = reader.string('digest', 64);
  reader.end();
  return { algorithm, digest };
}

/** The reply to `limits`: bytes, of a packet, to read and to write at once; 0 where there is none. Source: PROTOCOL, section 4.8. */
export function readLimits(content: Uint8Array): { readonly read: number; readonly write: number } {
  const reader = new Reader(content);
  reader.uint64('max-packet-length');
  const read = reader.uint64('max-read-length');
  const write = reader.uint64('max-write-length');
  return { read, write };
}
