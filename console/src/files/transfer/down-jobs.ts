/** What transfers from a node do: a file goes on where it was interrupted, an archive begins anew. */

import { Archive } from '../tree/archive.ts';
import type { Thing } from '../tree/walk.ts';
import { Download } from './download.ts';
import { TransferError } from './failure.ts';
import type { MakeSink } from './sink.ts';
import type { Job, Use } from './transfers.ts';

export function downloadJob(path: string, size: number, makeSink: MakeSink, inSession: Use): Job {
  let begun: Download | undefined;
  return {
    direction: 'down',
    path,
    size,
    run: async (report, signal) => {
      const download = (begun ??= new Download(path, await makeSink()));
      try {
        return await inSession((client) => download.run(client, report, report.sized, signal));
      } catch (error) {
        if (error instanceof TransferError) {
          // What came is of no use; another try begins anew.
          begun = undefined;
          await download.undo().catch(() => {});
        }
        throw error;
      }
    },
    undo: async () => {
      await begun?.undo();
      begun = undefined;
    },
  };
}

/** `path` is what the archive is called. */
export function archiveJob(path: string, things: readonly Thing[], makeSink: MakeSink, inSession: Use): Job {
  return {
    direction: 'down',
    path,
    size: 0,
    run: async (report, signal) => {
      const archive = new Archive(things, await makeSink());
      try {
        return await inSession((client) => archive.run(client, report, signal));
      } catch (error) {
        await archive.undo().catch(() => {});
        throw error;
      }
    },
    undo: () => Promise.resolve(),
  };
}
