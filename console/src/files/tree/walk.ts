/** What lies below paths of a node. Links are told and not followed. */

import { join } from '../paths.ts';
import { type Attributes, type FileType, typeOf } from '../sftp/attributes.ts';
import type { SftpClient } from '../sftp/client.ts';
import { isRefusal } from '../sftp/failure.ts';
import { TransferError } from '../transfer/failure.ts';

/** More in one go is for `postern cp`, or for a command in the terminal. */
export const FOUND_MAX = 50_000;
/** No tree that somebody made by hand is deeper; a path of Linux has at most 2048 names. */
const DEPTH_MAX = 128;

/** Something of a node, what it is itself: a link is a link. */
export interface Thing {
  readonly name: string;
  readonly path: string;
  readonly kind: FileType;
  readonly attributes: Attributes;
}

export interface Found extends Thing {
  /** The directory that it was found in; of what was chosen, nothing. */
  readonly parent: string | undefined;
}

/** Told of what is not among what is found, as nobody could read or name it. Whoever cannot do without it throws. */
export type Missed = (path: string, error: unknown) => void;

/** Tells the things and what is below them, each directory before what is in it. */
export async function* walk(client: SftpClient, things: readonly Thing[], missed: Missed, signal: AbortSignal): AsyncGenerator<Found> {
  const walked: { readonly found: Found; readonly depth: number }[] = things.map((thing) => ({ found: { ...thing, parent: undefined }, depth: 0 })).toReversed();
  let count = 0;
  for (let next = walked.pop(); next; next = walked.pop()) {
    const { found, depth } = next;
    count += 1;
    if (count + walked.length > FOUND_MAX || depth > DEPTH_MAX) {
      throw new TransferError('too-many');
    }
    yield found;
    if (found.kind === 'directory') {
      const within = await list(client, found.path, missed, signal);
      walked.push(...within.map((thing) => ({ found: { ...thing, parent: found.path }, depth: depth + 1 })).toReversed());
    }
  }
}

async function list(client: SftpClient, path: string, missed: Missed, signal: AbortSignal): Promise<readonly Thing[]> {
  signal.throwIfAborted();
  try {
    await isItself(client, path);
    const { entries, isCut, refused } = await client.list(path, signal);
    if (isCut) {
      throw new TransferError('too-many');
    }
    if (refused > 0) {
      missed(path, new TransferError('unnameable'));
    }
    return entries.map(({ name, attributes }) => ({ name, path: join(path, name), kind: typeOf(attributes), attributes }));
  } catch (error) {
    if (isRefusal(error, 'permission-denied') || isRefusal(error, 'no-such-file')) {
      missed(path, error);
      return [];
    }
    throw error;
  }
}

/** Throws if a link has taken the place of that directory, or of one above it, since it was read. */
export async function isItself(client: SftpClient, directory: string): Promise<void> {
  if ((await client.realPath(directory)) !== directory) {
    throw new TransferError('moved');
  }
}
