/** One file on its way from a node. It is there when all of it is there and checked. */

import { sha256 } from '@noble/hashes/sha2.js';

import { type Attributes, typeOf } from '../sftp/attributes.ts';
import type { SftpClient } from '../sftp/client.ts';
import type { Handle } from '../sftp/packets.ts';
import { TransferError } from './failure.ts';
import { readPieces } from './pieces.ts';
import type { Sink } from './sink.ts';
import { type Check, isEqual, type Watcher } from './upload.ts';

/** Of a file that says that it is empty, as those of `/proc` do. */
const UNSIZED_BYTES_MAX = 64 * 1024 * 1024;

export class Download {
  readonly #path: string;
  readonly #sink: Sink;
  readonly #hash = sha256.create();
  #received = 0;
  /** The file that this began with. */
  #begun: Attributes | undefined;

  constructor(path: string, sink: Sink) {
    this.#path = path;
    this.#sink = sink;
  }

  /** Downloads, or goes on where the last call was interrupted. `sized` is told how large the file is. */
  async run(client: SftpClient, watcher: Watcher, sized: (bytes: number) => void, signal: AbortSignal): Promise<Check> {
    // Before it is opened: opening a pipe would wait for whoever writes into it.
    if (typeOf(await client.stat(this.#path)) !== 'file') {
      throw new TransferError('no-file');
    }
    const handle = await client.openFile(this.#path, 'read');
    try {
      const size = this.#sameSize(await client.statHandle(handle));
      sized(size);
      const check = await this.#take(client, handle, size, watcher, signal);
      await this.#sink.finish();
      return check;
    } finally {
      client.closeHandle(handle).catch(() => {});
    }
  }

  /** Takes away what is not finished. */
  async undo(): Promise<void> {
    await this.#sink.abort();
  }

  #sameSize(attributes: Attributes): number {
    const { size, modifiedAt } = this.#begun ?? attributes;
    if (attributes.size !== size || attributes.modifiedAt !== modifiedAt) {
      throw new TransferError('changed');
    }
    this.#begun = attributes;
    return size ?? 0;
  }

  async #take(client: SftpClient, handle: Handle, size: number, watcher: Watcher, signal: AbortSignal): Promise<Check> {
    watcher.moved(this.#received);
    const pieces = size > 0 ? readPieces(client, handle, this.#received, size, signal) : this.#untilEnd(client, handle, signal);
    for await (const piece of pieces) {
      await this.#sink.write(piece);
      this.#hash.update(piece);
      this.#received += piece.length;
      watcher.moved(this.#received);
    }
    if (size === 0) {
      return this.#received === 0 ? 'checked' : 'unchecked';
    }
    watcher.checking();
    const there = await client.sha256(handle, 0, size);
    signal.throwIfAborted();
    if (there && !isEqual(there, this.#hash.clone().digest())) {
      throw new TransferError('digest');
    }
    return there ? 'checked' : 'unchecked';
  }

  async *#untilEnd(client: SftpClient, handle: Handle, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    while (this.#received < UNSIZED_BYTES_MAX) {
      const piece = await client.read(handle, this.#received, client.pieceBytes);
      signal.throwIfAborted();
      if (piece.length === 0) {
        return;
      }
      yield piece;
    }
    throw new TransferError('changed');
  }
}
