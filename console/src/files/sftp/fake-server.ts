// An SFTP server in memory, for tests. It reads packets by itself, so that a mistake of ours is not made twice.

import { sha256 } from '@noble/hashes/sha2.js';

import { SftpClient } from './client.ts';
import type { SftpFailure } from './failure.ts';

const utf8 = new TextEncoder();
const EXTENSIONS = ['posix-rename@openssh.com', 'fsync@openssh.com', 'limits@openssh.com', 'check-file@postern'];

export interface FakeFile {
  bytes: Uint8Array;
  mode: number;
}

/** What a test makes the server do instead of what it is asked: the status of the answer, or nothing at all. */
export type Mischief = (type: number, path: string) => number | 'silence' | 'vanish' | undefined;

export class FakeServer {
  /** By path. A directory has no bytes. */
  readonly files = new Map<string, FakeFile>([['/', directory()], ['/home', directory()], ['/home/alice', directory()]]);
  readonly requests: { readonly type: number; readonly path: string }[] = [];
  extensions: readonly string[] = EXTENSIONS;
  mischief: Mischief = () => undefined;
  /** Where links lead that have taken the place of directories. */
  realPath = (path: string): string => path;
  /** Bytes that one read gives at most. */
  readMax = 1 << 20;
  /** Requests that were not answered yet, at most. */
  waitingMax = 0;
  #answers: Uint8Array[] = [];
  #handles = new Map<string, string>();
  #listed = new Set<string>();
  #handleCount = 0;
  #client: SftpClient | undefined;
  #isAnswering = false;

  /** A client that is connected to this server. */
  async connect(broken: (failure: SftpFailure) => void = () => {}): Promise<SftpClient> {
    this.#handles.clear();
    this.#answers = [];
    const client: SftpClient = new SftpClient((packet) => this.#handle(packet), broken);
    this.#client = client;
    await client.open();
    return client;
  }

  put(path: string, bytes: Uint8Array, mode = 0o100_644): void {
    this.files.set(path, { bytes, mode });
  }

  get openHandles(): number {
    return this.#handles.size;
  }

  /** Answers later, as a server does; the session may be gone by then. */
  #answer(...parts: Uint8Array[]): void {
    const packet = join(...parts);
    this.#answers.push(join(uint32(packet.length), packet));
    this.waitingMax = Math.max(this.waitingMax, this.#answers.length);
    if (!this.#isAnswering) {
      this.#isAnswering = true;
      setTimeout(() => {
        this.#isAnswering = false;
        this.#answers.splice(0).forEach((answer) => this.#client?.receive(answer));
      });
    }
  }

  #handle(packet: Uint8Array): void {
    const view = new DataView(packet.buffer);
    let at = 4;
    const uint8 = () => view.getUint8(at++);
    const number = () => view.getUint32((at += 4) - 4);
    const long = () => Number(view.getBigUint64((at += 8) - 8));
    const bytes = () => packet.slice(at + 4, (at += 4 + view.getUint32(at)));
    const text = () => new TextDecoder().decode(bytes());
    const type = uint8();
    if (type === 1) {
      this.#answer(Uint8Array.of(2), uint32(3), ...this.extensions.flatMap((name) => [string(name), string('1')]));
      return;
    }
    const id = number();
    const status = (code: number) => this.#answer(Uint8Array.of(101), uint32(id), uint32(code), string(code === 0 ? '' : `status ${code}`), string(''));
    const attributes = ({ bytes, mode }: FakeFile) => [uint32(13), uint64(bytes.length), uint32(mode), uint32(1_700_000_000), uint32(1_700_000_000)];
    const withFile = (path: string, work: (file: FakeFile) => void) => {
      const file = this.files.get(path);
      return file ? work(file) : status(2);
    };
    const open = (path: string) => {
      this.#handleCount += 1;
      this.#handles.set(`h${this.#handleCount}`, path);
      this.#answer(Uint8Array.of(102), uint32(id), string(`h${this.#handleCount}`));
    };

    const first = text();
    const path = type === 200 ? first : (this.#handles.get(first) ?? first);
    this.requests.push({ type, path });
    const mischief = this.mischief(type, path);
    if (mischief === 'vanish') {
      this.#client?.close();
      this.#client = undefined;
      return;
    }
    if (mischief !== undefined) {
      if (mischief !== 'silence') {
        status(mischief);
      }
      return;
    }
    switch (type) {
      case 3: {
        const flags = number();
        const exists = this.files.has(path);
        if ((flags & 8) === 0 ? !exists : exists && (flags & 0x20) !== 0) {
          status(exists ? 4 : 2);
          return;
        }
        if (!exists) {
          this.put(path, new Uint8Array());
        }
        open(path);
        return;
      }
      case 4:
        this.#handles.delete(first);
        status(0);
        return;
      case 5:
        withFile(path, (file) => {
          const offset = long();
          const data = file.bytes.subarray(offset, offset + Math.min(number(), this.readMax));
          if (data.length === 0) {
            status(1);
          } else {
            this.#answer(Uint8Array.of(103), uint32(id), uint32(data.length), data);
          }
        });
        return;
      case 6:
        withFile(path, (file) => {
          const offset = long();
          const data = bytes();
          const grown = new Uint8Array(Math.max(file.bytes.length, offset + data.length));
          grown.set(file.bytes);
          grown.set(data, offset);
          file.bytes = grown;
          status(0);
        });
        return;
      case 7:
      case 8:
      case 17:
        withFile(path, (file) => this.#answer(Uint8Array.of(105), uint32(id), ...attributes(file)));
        return;
      case 9:
      case 10:
        withFile(path, (file) => {
          const flags = number();
          if ((flags & 1) !== 0) {
            file.bytes = file.bytes.slice(0, long());
          }
          if ((flags & 4) !== 0) {
            file.mode = (file.mode & 0o170_000) | (number() & 0o7777);
          }
          status(0);
        });
        return;
      case 11:
        withFile(path, (file) => (file.mode & 0o040_000 ? open(path) : status(4)));
        return;
      case 12: {
        const prefix = path === '/' ? '/' : `${path}/`;
        const found = [...this.files].filter(([name]) => name.startsWith(prefix) && name !== prefix && !name.slice(prefix.length).includes('/'));
        if (this.#listed.has(first)) {
          status(1);
          return;
        }
        this.#listed.add(first);
        const entries = [['.', directory()] as const, ...found.map(([name, file]) => [name.slice(prefix.length), file] as const)];
        const names = entries.flatMap(([name, file]) => [string(name), string('ls'), ...attributes(file)]);
        this.#answer(Uint8Array.of(104), uint32(id), uint32(entries.length), ...names);
        return;
      }
      case 15:
        if ([...this.files.keys()].some((name) => name.startsWith(`${path}/`))) {
          status(4);
          return;
        }
        status(this.files.delete(path) ? 0 : 2);
        return;
      case 13:
        status(this.files.delete(path) ? 0 : 2);
        return;
      case 14:
        if (this.files.has(path)) {
          status(4);
        } else {
          this.files.set(path, directory());
          status(0);
        }
        return;
      case 16:
        this.#answer(Uint8Array.of(104), uint32(id), uint32(1), string(path === '.' ? '/home/alice' : this.realPath(path)), string(''), uint32(0));
        return;
      case 18: {
        const to = text();
        if (this.files.has(to)) {
          status(4);
        } else {
          this.#move(path, to);
          status(0);
        }
        return;
      }
      case 200:
        switch (first) {
          case 'posix-rename@openssh.com':
            this.#move(text(), text());
            status(0);
            return;
          case 'fsync@openssh.com':
            status(0);
            return;
          case 'limits@openssh.com':
            this.#answer(Uint8Array.of(201), uint32(id), uint64(262_144), uint64(261_120), uint64(261_120), uint64(64));
            return;
          case 'check-file@postern':
            withFile(this.#handles.get(text()) ?? '', (file) => {
              const offset = long();
              const length = long();
              const range = file.bytes.subarray(offset, length === 0 ? undefined : offset + length);
              this.#answer(Uint8Array.of(201), uint32(id), string('sha256'), uint32(32), sha256(range));
            });
            return;
        }
    }
    status(8);
  }

  #move(from: string, to: string): void {
    const file = this.files.get(from);
    if (file) {
      this.files.delete(from);
      this.files.set(to, file);
    }
  }
}

function directory(): FakeFile {
  return { bytes: new Uint8Array(), mode: 0o040_755 };
}

function join(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

function string(text: string): Uint8Array {
  const bytes = utf8.encode(text);
  return join(uint32(bytes.length), bytes);
}
