/** An SFTP client over any stream of bytes: requests by their number, any many at once. No socket, no clock. */

import type { Attributes, Changes } from './attributes.ts';
import { SftpError, type SftpFailure, violation } from './failure.ts';
import { Framing } from './framing.ts';
import { decodeReply, decodeVersion, encodeInit, encodeRequest, type Entry, type Handle, type OpenFor, readDigest, readLimits, type Reply, type Request } from './packets.ts';

/** Requests that wait for their replies. Whoever has so many has lost count. */
const PENDING_MAX = 1024;
/** What any server takes and gives at once. Source: draft-ietf-secsh-filexfer-02, section 3. */
const PIECE_BYTES = 32 * 1024;
/** More at once is no faster, and everything else waits behind it. */
const PIECE_BYTES_MAX = 64 * 1024;
/** Names that are kept of one directory. */
export const ENTRIES_MAX = 50_000;
/** Bytes of a name that Linux's file systems allow, and of a path. */
const NAME_BYTES_MAX = 1024;
const PATH_LENGTH_MAX = 4096;

/** What a directory holds; cut off if that is too much. */
export interface Listing {
  readonly entries: readonly Entry[];
  readonly isCut: boolean;
  /** Entries whose names no file can have. */
  readonly refused: number;
}

interface Pending {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: SftpError) => void;
}

export class SftpClient {
  readonly #send: (packet: Uint8Array) => void;
  readonly #broken: (failure: SftpFailure) => void;
  readonly #framing = new Framing();
  readonly #pending = new Map<number, Pending>();
  readonly #ready: Promise<void>;
  #isReady: { readonly resolve: () => void; readonly reject: (error: SftpError) => void } | undefined;
  #extensions: ReadonlyMap<string, string> | undefined;
  #lastId = 0;
  #failure: SftpFailure | undefined;
  #pieceBytes = PIECE_BYTES;

  /** `broken` is told, once, that the server does not speak SFTP: the session is of no use then. */
  constructor(send: (packet: Uint8Array) => void, broken: (failure: SftpFailure) => void) {
    this.#send = send;
    this.#broken = broken;
    this.#ready = new Promise((resolve, reject) => {
      this.#isReady = { resolve, reject };
    });
    this.#ready.catch(() => {});
  }

  /** Greets the server, and waits for its greeting. Everything else comes after it. */
  async open(): Promise<void> {
    this.#send(encodeInit());
    await this.#ready;
    if (this.has('limits@openssh.com')) {
      const { read, write } = readLimits(content(await this.#ask({ type: 'limits' })));
      const least = Math.min(read || PIECE_BYTES, write || PIECE_BYTES, PIECE_BYTES_MAX);
      this.#pieceBytes = Math.max(least, 1024);
    }
  }

  /** Takes bytes of the server, cut anywhere. */
  receive(bytes: Uint8Array): void {
    if (this.#failure) {
      return;
    }
    try {
      for (const packet of this.#framing.take(bytes)) {
        this.#handle(packet);
      }
    } catch (error) {
      if (!(error instanceof SftpError)) {
        throw error;
      }
      this.close(error.failure);
      this.#broken(error.failure);
    }
  }

  /** Nothing will come any more. Everything that waits is told why. */
  close(failure: SftpFailure = { kind: 'closed' }): void {
    if (this.#failure) {
      return;
    }
    this.#failure = failure;
    this.#isReady?.reject(new SftpError(failure));
    for (const { reject } of this.#pending.values()) {
      reject(new SftpError(failure));
    }
    this.#pending.clear();
  }

  /** Whether the server has that extension. */
  has(extension: string): boolean {
    return this.#extensions?.has(extension) ?? false;
  }

  /** Bytes to read or write with one request. */
  get pieceBytes(): number {
    return this.#pieceBytes;
  }

  /** The whole path, without links and `..`. `.` is the home directory. */
  async realPath(path: string): Promise<string> {
    const [entry] = names(await this.#ask({ type: 'realpath', path }));
    if (!entry?.name.startsWith('/') || entry.name.length > PATH_LENGTH_MAX || entry.name.includes('\0')) {
      throw violation('a path that is not one');
    }
    return entry.name;
  }

  /** Of what a link leads to. */
  async stat(path: string): Promise<Attributes> {
    return attributes(await this.#ask({ type: 'stat', path }));
  }

  /** Of a link itself. */
  async lstat(path: string): Promise<Attributes> {
    return attributes(await this.#ask({ type: 'lstat', path }));
  }

  async list(path: string, signal?: AbortSignal): Promise<Listing> {
    const handle = asHandle(await this.#ask({ type: 'opendir', path }));
    try {
      const found: Entry[] = [];
      let refused = 0;
      for (;;) {
        signal?.throwIfAborted();
        const reply = await this.#request({ type: 'readdir', handle });
        if (reply.type === 'status' && reply.status === 'end-of-file') {
          return { entries: found, isCut: false, refused };
        }
        const all = names(succeeded(reply));
        if (all.length === 0) {
          throw violation('a piece of a directory without a name');
        }
        const entries = all.filter(({ name }) => name !== '.' && name !== '..');
        const sound = entries.filter(({ name }) => isFileName(name));
        refused += entries.length - sound.length;
        found.push(...sound.slice(0, ENTRIES_MAX - found.length));
        if (found.length === ENTRIES_MAX || refused > ENTRIES_MAX) {
          return { entries: found, isCut: true, refused };
        }
      }
    } finally {
      this.closeHandle(handle).catch(() => {});
    }
  }

  async openFile(path: string, purpose: OpenFor): Promise<Handle> {
    return asHandle(await this.#ask({ type: 'open', path, for: purpose }));
  }

  async closeHandle(handle: Handle): Promise<void> {
    done(await this.#ask({ type: 'close', handle }));
  }

  /** Up to so many bytes; none at the end of the file. */
  async read(handle: Handle, offset: number, length: number): Promise<Uint8Array> {
    const reply = await this.#request({ type: 'read', handle, offset, length });
    if (reply.type === 'status' && reply.status === 'end-of-file') {
      return new Uint8Array();
    }
    const data = dataOf(succeeded(reply));
    if (data.length === 0 || data.length > length) {
      throw violation(`${data.length} bytes where ${length} were asked for`);
    }
    return data;
  }

  async write(handle: Handle, offset: number, data: Uint8Array): Promise<void> {
    done(await this.#ask({ type: 'write', handle, offset, data }));
  }

  async statHandle(handle: Handle): Promise<Attributes> {
    return attributes(await this.#ask({ type: 'fstat', handle }));
  }

  async change(path: string, changes: Changes): Promise<void> {
    done(await this.#ask({ type: 'setstat', path, changes }));
  }

  async changeHandle(handle: Handle, changes: Changes): Promise<void> {
    done(await this.#ask({ type: 'fsetstat', handle, changes }));
  }

  /** Has what was written put to the disk, if the server can. */
  async sync(handle: Handle): Promise<void> {
    if (this.has('fsync@openssh.com')) {
      done(await this.#ask({ type: 'fsync', handle }));
    }
  }

  async makeDirectory(path: string): Promise<void> {
    done(await this.#ask({ type: 'mkdir', path }));
  }

  async remove(path: string): Promise<void> {
    done(await this.#ask({ type: 'remove', path }));
  }

  async removeDirectory(path: string): Promise<void> {
    done(await this.#ask({ type: 'rmdir', path }));
  }

  /** Refused if the new name is in use. */
  async rename(from: string, to: string): Promise<void> {
    done(await this.#ask({ type: 'rename', from, to }));
  }

  /** Takes the place of what has the new name. */
  async replace(from: string, to: string): Promise<void> {
    done(await this.#ask({ type: 'posix-rename', from, to }));
  }

  /** The SHA-256 of so many bytes from there, 0 for all; `undefined` if the server cannot. */
  async sha256(handle: Handle, offset: number, length: number): Promise<Uint8Array | undefined> {
    if (!this.has('check-file@postern')) {
      return undefined;
    }
    const { algorithm, digest } = readDigest(content(await this.#ask({ type: 'check-file', handle, offset, length })));
    if (algorithm !== 'sha256' || digest.length !== 32) {
      throw violation('a digest of another kind');
    }
    return digest;
  }

  /** The reply, unless it refuses. */
  async #ask(request: Request): Promise<Reply> {
    return succeeded(await this.#request(request));
  }

  #request(request: Request): Promise<Reply> {
    if (this.#failure) {
      return Promise.reject(new SftpError(this.#failure));
    }
    if (this.#pending.size >= PENDING_MAX) {
      return Promise.reject(new Error('too many requests at once'));
    }
    const id = this.#nextId();
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#send(encodeRequest(id, request));
    });
  }

  #nextId(): number {
    do {
      this.#lastId = (this.#lastId + 1) % 0x1_0000_0000;
    } while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  #handle(packet: Uint8Array): void {
    if (!this.#extensions) {
      this.#extensions = decodeVersion(packet);
      this.#isReady?.resolve();
      return;
    }
    const { id, reply } = decodeReply(packet);
    const pending = this.#pending.get(id);
    if (!pending) {
      throw violation('a reply to nothing');
    }
    this.#pending.delete(id);
    pending.resolve(reply);
  }
}

/** Whether a file can have that name. What a directory holds can be named by nothing else. */
export function isFileName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && name.length <= NAME_BYTES_MAX && !/[/\0]/.test(name);
}

function succeeded(reply: Reply): Reply {
  if (reply.type === 'status' && reply.status !== 'ok') {
    throw new SftpError({ kind: 'refused', status: reply.status, message: reply.message });
  }
  return reply;
}

function unexpected(reply: Reply): SftpError {
  return violation(`an answer of another kind: ${reply.type}`);
}

function done(reply: Reply): void {
  if (reply.type !== 'status') {
    throw unexpected(reply);
  }
}

function asHandle(reply: Reply): Handle {
  if (reply.type !== 'handle') {
    throw unexpected(reply);
  }
  return reply.handle;
}

function dataOf(reply: Reply): Uint8Array {
  if (reply.type !== 'data') {
    throw unexpected(reply);
  }
  return reply.data;
}

function names(reply: Reply): readonly Entry[] {
  if (reply.type !== 'names') {
    throw unexpected(reply);
  }
  return reply.entries;
}

function attributes(reply: Reply): Attributes {
  if (reply.type !== 'attributes') {
    throw unexpected(reply);
  }
  return reply.attributes;
}

function content(reply: Reply): Uint8Array {
  if (reply.type !== 'extended') {
    throw unexpected(reply);
  }
  return reply.content;
}
