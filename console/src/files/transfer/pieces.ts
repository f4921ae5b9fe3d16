/** Files in pieces, several on their way at once: what a distant node needs to be reached at the speed of the network. */

import type { SftpClient } from '../sftp/client.ts';
import type { Handle } from '../sftp/packets.ts';
import { TransferError } from './failure.ts';

/** Pieces of one file on their way; with the largest pieces a mebibyte, so that others wait little behind them. */
export const DEPTH = 16;
/** Read from a file of this computer at once. */
const LOCAL_BYTES = 1024 * 1024;

/** The bytes from `start` to `end` in their order, as they come. */
export async function* readPieces(client: SftpClient, handle: Handle, start: number, end: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const coming: Promise<Uint8Array>[] = [];
  for (let next = start; next < end || coming.length > 0; ) {
    while (next < end && coming.length < DEPTH) {
      const length = Math.min(client.pieceBytes, end - next);
      const piece = readWhole(client, handle, next, length);
      // Whoever stops reading looks at no error of what was still to come.
      piece.catch(() => {});
      coming.push(piece);
      next += length;
    }
    const piece = (await coming.shift()) ?? new Uint8Array();
    signal.throwIfAborted();
    yield piece;
  }
}

/** A server may give less than is asked for; what is cut off by the end of the file is an error here. */
async function readWhole(client: SftpClient, handle: Handle, offset: number, length: number): Promise<Uint8Array> {
  const first = await client.read(handle, offset, length);
  if (first.length === length) {
    return first;
  }
  const whole = new Uint8Array(length);
  let filled = first.length;
  whole.set(first);
  for (let piece = first; filled < length; filled += piece.length) {
    if (piece.length === 0) {
      throw new TransferError('changed');
    }
    piece = await client.read(handle, offset + filled, length - filled);
    whole.set(piece, filled);
  }
  return whole;
}

/** The bytes of a file of this computer, from `start` to `end`. */
export async function* localPieces(file: Blob, start: number, end: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let next = start; next < end; next += LOCAL_BYTES) {
    signal.throwIfAborted();
    yield await readLocal(file.slice(next, Math.min(next + LOCAL_BYTES, end)));
  }
}

async function readLocal(slice: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await slice.arrayBuffer());
  } catch {
    // It was removed or changed since it was chosen.
    throw new TransferError('local-read');
  }
}

/** Writes what comes, from `start` on. `written` is told how many bytes the server has taken. */
export async function writePieces(
  client: SftpClient,
  handle: Handle,
  start: number,
  source: AsyncIterable<Uint8Array>,
  written: (bytes: number) => void,
): Promise<void> {
  const going: Promise<void>[] = [];
  let next = start;
  for await (const bytes of source) {
    for (let at = 0; at < bytes.length; at += client.pieceBytes) {
      const piece = bytes.subarray(at, at + client.pieceBytes);
      if (going.length === DEPTH) {
        await going.shift();
      }
      const write = client.write(handle, next, piece).then(() => written(piece.length));
      write.catch(() => {});
      going.push(write);
      next += piece.length;
    }
  }
  await Promise.all(going);
}
