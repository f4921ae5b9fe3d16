/** Directories that are deleted with what is in them: first looked through, then, after a yes, deleted as they were found. */

import type { SftpClient } from '../sftp/client.ts';
import { isRefusal } from '../sftp/failure.ts';
import { TransferError } from '../transfer/failure.ts';
import { isItself, type Thing, walk } from './walk.ts';

/** Requests on their way at once. */
const AT_ONCE = 16;

/** A directory, and what it holds besides directories. */
interface Emptied {
  readonly path: string;
  readonly leaves: string[];
}

/** What would be deleted: exactly this, whatever comes meanwhile. */
export interface Doomed {
  /** Chosen, and no directory. */
  readonly leaves: readonly string[];
  /** Each after those within it. */
  readonly directories: readonly Emptied[];
  /** All of them. */
  readonly count: number;
  /** Of all files together. */
  readonly bytes: number;
}

/** Looks through what was chosen. `counted` is told how much it is so far. */
export async function lookThrough(client: SftpClient, things: readonly Thing[], counted: (count: number) => void, signal: AbortSignal): Promise<Doomed> {
  const leaves: string[] = [];
  const directories = new Map<string, Emptied>();
  let [count, bytes] = [0, 0];
  for await (const { path, kind, parent, attributes } of walk(client, things, cannotMiss, signal)) {
    count += 1;
    counted(count);
    if (kind === 'directory') {
      directories.set(path, { path, leaves: [] });
      continue;
    }
    bytes += kind === 'file' ? (attributes.size ?? 0) : 0;
    (parent === undefined ? leaves : directories.get(parent)?.leaves)?.push(path);
  }
  // They were found from above.
  return { leaves, directories: [...directories.values()].toReversed(), count, bytes };
}

/** Deletes it. What is gone already is no fault. `removed` is told how much is done. */
export async function removeAll(client: SftpClient, { leaves, directories }: Doomed, removed: (count: number) => void, signal: AbortSignal): Promise<void> {
  let count = 0;
  const remove = async (path: string, kind: 'leaf' | 'directory') => {
    try {
      await (kind === 'leaf' ? client.remove(path) : client.removeDirectory(path));
    } catch (error) {
      if (!isRefusal(error, 'no-such-file')) {
        throw error;
      }
    }
    count += 1;
    removed(count);
  };
  await together(leaves, (path) => remove(path, 'leaf'), signal);
  for (const { path, leaves: within } of directories) {
    if (await isGone(client, path)) {
      count += within.length + 1;
      removed(count);
      continue;
    }
    await isItself(client, path);
    await together(within, (leaf) => remove(leaf, 'leaf'), signal);
    signal.throwIfAborted();
    await remove(path, 'directory');
  }
}

async function isGone(client: SftpClient, path: string): Promise<boolean> {
  try {
    await client.lstat(path);
    return false;
  } catch (error) {
    if (isRefusal(error, 'no-such-file')) {
      return true;
    }
    throw error;
  }
}

/** What cannot be counted cannot be agreed to. */
function cannotMiss(_path: string, error: unknown): never {
  throw error instanceof Error ? error : new TransferError('moved');
}

/** Does it with all of them, some at once. After the first failure no other is begun. */
async function together(paths: readonly string[], work: (path: string) => Promise<void>, signal: AbortSignal): Promise<void> {
  let [next, hasFailed] = [0, false];
  const worker = async () => {
    for (let path = paths[next++]; path !== undefined && !hasFailed; path = paths[next++]) {
      signal.throwIfAborted();
      try {
        await work(path);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker));
  const failed = ended.find((end) => end.status === 'rejected');
  if (failed) {
    throw failed.reason as Error;
  }
}
