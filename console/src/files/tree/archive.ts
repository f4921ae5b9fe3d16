/**
 * Directories on their way from a node, as one ZIP file that is put together here, piece by piece. Nothing in it is compressed. Links
 * and special files are left out, and so is what may not be read.
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { makeZip } from 'client-zip';

import type { Attributes } from '../sftp/attributes.ts';
import type { SftpClient } from '../sftp/client.ts';
import { isRefusal } from '../sftp/failure.ts';
import type { Handle } from '../sftp/packets.ts';
import { TransferError } from '../transfer/failure.ts';
import { readPieces } from '../transfer/pieces.ts';
import type { Sink } from '../transfer/sink.ts';
import type { Report } from '../transfer/transfers.ts';
import { type Check, isEqual } from '../transfer/upload.ts';
import { ArchiveNames } from './names.ts';
import { type Found, type Thing, walk } from './walk.ts';

/** Files that are opened ahead of the one that is read, so that small ones do not wait for each other. */
const AHEAD = 8;
/** A ZIP file knows no earlier time. Source: APPNOTE.TXT, 4.4.6. */
const EARLIEST_S = Date.UTC(1980, 0, 2) / 1000;
const PERMISSIONS = 0o777;

/** A file that is ready to be read; a small one is there already. */
interface Opened {
  readonly size: number;
  readonly handle: Handle;
  readonly whole: Uint8Array | undefined;
  readonly digest: Uint8Array | undefined;
}

export class Archive {
  readonly #things: readonly Thing[];
  readonly #sink: Sink;
  readonly #names = new ArchiveNames();
  /** Files that are open, or being opened; the first is read. */
  readonly #coming: { readonly found: Found; readonly opened: Promise<Opened | undefined> }[] = [];
  #moved = 0;
  #leftOut = 0;
  #check: Check = 'checked';

  constructor(things: readonly Thing[], sink: Sink) {
    this.#things = things;
    this.#sink = sink;
  }

  /** Downloads all of it. It cannot go on where it was interrupted. */
  async run(client: SftpClient, report: Report, signal: AbortSignal): Promise<Check> {
    report.looking();
    const found = await this.#look(client, report, signal);
    report.moved(0);
    const reader = makeZip(this.#entries(client, found, report, signal)).getReader();
    try {
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        signal.throwIfAborted();
        await this.#sink.write(piece.value);
      }
    } catch (error) {
      await reader.cancel(error).catch(() => {});
      throw error;
    } finally {
      this.#coming.forEach(({ opened }) => void opened.then((file) => close(client, file)).catch(() => {}));
    }
    report.leftOut(this.#leftOut);
    await this.#sink.finish();
    return this.#check;
  }

  /** Takes away what is not finished. */
  async undo(): Promise<void> {
    await this.#sink.abort();
  }

  async #look(client: SftpClient, report: Report, signal: AbortSignal): Promise<readonly Found[]> {
    const all: Found[] = [];
    let bytes = 0;
    for await (const found of walk(client, this.#things, () => (this.#leftOut += 1), signal)) {
      if (found.kind === 'file' || found.kind === 'directory') {
        all.push(found);
        bytes += found.kind === 'file' ? (found.attributes.size ?? 0) : 0;
      } else {
        this.#leftOut += 1;
      }
    }
    if (bytes > (this.#sink.bytesMax ?? Number.POSITIVE_INFINITY)) {
      throw new TransferError('too-large');
    }
    report.sized(bytes);
    return all;
  }

  async *#entries(client: SftpClient, all: readonly Found[], report: Report, signal: AbortSignal) {
    const coming = this.#coming;
    const found = all.values();
    for (;;) {
      this.#openAhead(client, found);
      const first = coming[0];
      if (!first) {
        return;
      }
      signal.throwIfAborted();
      const opened = await first.opened;
      if (opened || first.found.kind === 'directory') {
        const { attributes } = first.found;
        const about = { name: this.#names.of(first.found), lastModified: timeOf(attributes), mode: (attributes.mode ?? 0o755) & PERMISSIONS };
        yield opened ? { ...about, input: this.#content(client, opened, report, signal), size: opened.size } : about;
      } else {
        this.#leftOut += 1;
      }
      coming.shift();
      close(client, opened);
    }
  }

  #openAhead(client: SftpClient, rest: Iterator<Found>): void {
    while (this.#coming.length < AHEAD) {
      const { value: found, done } = rest.next();
      if (done) {
        return;
      }
      const opened = found.kind === 'file' ? this.#open(client, found.path) : Promise.resolve(undefined);
      // Whoever stops here looks at no error of what was still to come.
      opened.catch(() => {});
      this.#coming.push({ found, opened });
    }
  }

  /** Nothing if it may not be read, is gone, or is not itself any more. */
  async #open(client: SftpClient, path: string): Promise<Opened | undefined> {
    let handle: Handle | undefined;
    try {
      const [opened, real] = await Promise.all([client.openFile(path, 'read'), client.realPath(path)]);
      handle = opened;
      if (real !== path) {
        close(client, { handle });
        return undefined;
      }
      // What says that it is empty, as files of `/proc` do, is empty here: some of them never end.
      const { size = 0 } = await client.statHandle(handle);
      const isSmall = size > 0 && size <= client.pieceBytes;
      const [whole, digest] = await Promise.all([isSmall ? client.read(handle, 0, size) : undefined, isSmall ? client.sha256(handle, 0, size) : undefined]);
      return { size, handle, whole, digest };
    } catch (error) {
      close(client, handle && { handle });
      if (isRefusal(error, 'permission-denied') || isRefusal(error, 'no-such-file')) {
        return undefined;
      }
      throw error;
    }
  }

  async *#content(client: SftpClient, { size, handle, whole, digest }: Opened, report: Report, signal: AbortSignal): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const hash = sha256.create();
    const pieces = whole?.length === size ? [whole] : readPieces(client, handle, 0, size, signal);
    for await (const piece of pieces) {
      hash.update(piece);
      this.#moved += piece.length;
      report.moved(this.#moved);
      yield piece as Uint8Array<ArrayBuffer>;
    }
    const there = digest ?? (size > 0 ? await client.sha256(handle, 0, size) : undefined);
    if (there && !isEqual(there, hash.digest())) {
      throw new TransferError('digest');
    }
    if (!there && size > 0) {
      this.#check = 'unchecked';
    }
  }
}

function close(client: SftpClient, file: { readonly handle: Handle } | undefined): void {
  if (file) {
    client.closeHandle(file.handle).catch(() => {});
  }
}

function timeOf({ modifiedAt }: Attributes): Date {
  return new Date(Math.max(modifiedAt ?? EARLIEST_S, EARLIEST_S) * 1000);
}
