/**
 * One file on its way to a node. It is written beside its place under a name of its own and moved there when all of it is there and
 * checked, so that nobody finds half a file. What a lost session leaves is gone on with.
 */

import { sha256 } from '@noble/hashes/sha2.js';

import type { SftpClient } from '../sftp/client.ts';
import { isRefusal } from '../sftp/failure.ts';
import type { Handle } from '../sftp/packets.ts';
import { typeOf } from '../sftp/attributes.ts';
import { join, parentOf } from '../paths.ts';
import { TransferError } from './failure.ts';
import { localPieces, writePieces } from './pieces.ts';

/** Whether the node said that it has the very bytes that were sent. */
export type Check = 'checked' | 'unchecked';

/** Told where a transfer stands. */
export interface Watcher {
  /** So many bytes are there. */
  readonly moved: (bytes: number) => void;
  /** All are there; now they are looked at. */
  readonly checking: () => void;
}

/** Permissions that a new file takes over from the one whose place it takes: not those that make a program somebody else. */
const PERMISSIONS = 0o777;

export class Upload {
  readonly #file: Blob;
  readonly #path: string;
  readonly #onto: 'nothing' | 'file';
  readonly #temporary: string;
  #hasBegun = false;
  #isBeingPlaced = false;

  /** Onto `nothing` it fails if something has the path; a `file` it replaces. */
  constructor(file: Blob, path: string, onto: 'nothing' | 'file') {
    this.#file = file;
    this.#path = path;
    this.#onto = onto;
    this.#temporary = join(parentOf(path), `.upload-${crypto.randomUUID().slice(0, 8)}.part`);
  }

  /** Uploads, or goes on where the last call was interrupted. */
  async run(client: SftpClient, watcher: Watcher, signal: AbortSignal): Promise<Check> {
    if (this.#isBeingPlaced && (await this.#isPlaced(client))) {
      return 'checked';
    }
    const handle = await this.#open(client);
    let check: Check;
    try {
      check = await this.#fill(client, handle, watcher, signal);
    } finally {
      client.closeHandle(handle).catch(() => {});
    }
    await this.#place(client);
    return check;
  }

  /** Takes away what is not finished. */
  async undo(client: SftpClient): Promise<void> {
    if (this.#hasBegun) {
      await client.remove(this.#temporary);
    }
  }

  async #open(client: SftpClient): Promise<Handle> {
    if (this.#hasBegun) {
      try {
        return await client.openFile(this.#temporary, 'go-on');
      } catch (error) {
        if (!isRefusal(error, 'no-such-file')) {
          throw error;
        }
      }
    }
    this.#hasBegun = true;
    return client.openFile(this.#temporary, 'create');
  }

  async #fill(client: SftpClient, handle: Handle, watcher: Watcher, signal: AbortSignal): Promise<Check> {
    const { start, hash } = await this.#startOf(client, handle, signal);
    const { size } = this.#file;
    let bytes = start;
    watcher.moved(bytes);
    const source = hashed(localPieces(this.#file, start, size, signal), hash);
    await writePieces(client, handle, start, source, (more) => {
      bytes += more;
      watcher.moved(bytes);
    });
    signal.throwIfAborted();
    watcher.checking();
    await client.sync(handle);
    const found = await client.sha256(handle, 0, 0);
    if (found && !isEqual(found, hash.digest())) {
      throw new TransferError('digest');
    }
    return found ? 'checked' : 'unchecked';
  }

  /** How much of the file is there already, and its hash. What cannot be proved to be of this file is written again. */
  async #startOf(client: SftpClient, handle: Handle, signal: AbortSignal) {
    const { size: there = 0 } = await client.statHandle(handle);
    if (there > 0 && there <= this.#file.size) {
      const hash = sha256.create();
      for await (const piece of localPieces(this.#file, 0, there, signal)) {
        hash.update(piece);
      }
      const found = await client.sha256(handle, 0, there);
      if (found && isEqual(found, hash.clone().digest())) {
        return { start: there, hash };
      }
    }
    if (there > 0) {
      await client.changeHandle(handle, { size: 0 });
    }
    return { start: 0, hash: sha256.create() };
  }

  async #place(client: SftpClient): Promise<void> {
    this.#isBeingPlaced = true;
    if (this.#onto === 'file') {
      await this.#replace(client);
      return;
    }
    try {
      await client.rename(this.#temporary, this.#path);
    } catch (error) {
      throw isRefusal(error, 'failure') && (await exists(client, this.#path)) ? new TransferError('exists') : error;
    }
  }

  async #replace(client: SftpClient): Promise<void> {
    try {
      const { mode } = await client.stat(this.#path);
      if (mode !== undefined) {
        await client.change(this.#temporary, { mode: mode & PERMISSIONS });
      }
    } catch (error) {
      if (!isRefusal(error, 'no-such-file')) {
        throw error;
      }
    }
    await client.replace(this.#temporary, this.#path);
  }

  /** Whether the move was done although its answer was lost. */
  async #isPlaced(client: SftpClient): Promise<boolean> {
    if (await exists(client, this.#temporary)) {
      return false;
    }
    const hash = sha256.create();
    for await (const piece of localPieces(this.#file, 0, this.#file.size, new AbortController().signal)) {
      hash.update(piece);
    }
    try {
      const handle = await client.openFile(this.#path, 'read');
      try {
        const found = await client.sha256(handle, 0, 0);
        return found !== undefined && isEqual(found, hash.digest());
      } finally {
        client.closeHandle(handle).catch(() => {});
      }
    } catch (error) {
      if (isRefusal(error, 'no-such-file')) {
        return false;
      }
      throw error;
    }
  }
}

/** What has that path, a link itself; nothing if it is free. */
export async function whatIs(client: SftpClient, path: string) {
  try {
    return typeOf(await client.lstat(path));
  } catch (error) {
    if (isRefusal(error, 'no-such-file')) {
      return undefined;
    }
    throw error;
  }
}

async function exists(client: SftpClient, path: string): Promise<boolean> {
  return (await whatIs(client, path)) !== undefined;
}

async function* hashed(source: AsyncIterable<Uint8Array>, hash: { update: (bytes: Uint8Array) => unknown }): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    hash.update(piece);
    yield piece;
  }
}

export function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
