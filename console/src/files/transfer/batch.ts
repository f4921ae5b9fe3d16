/** Files that are uploaded together: they share directories, and answers. */

import type { Dropped } from '../dropped.ts';
import { join, otherNames, baseOf, parentOf } from '../paths.ts';
import type { Answer, Questions } from '../questions.ts';
import type { SftpClient } from '../sftp/client.ts';
import { isRefusal } from '../sftp/failure.ts';
import { typeOf } from '../sftp/attributes.ts';
import { isTransferFailure, TransferError } from './failure.ts';
import type { Job, Report, Use } from './transfers.ts';
import { Upload, whatIs } from './upload.ts';

/** Where a file goes, and whether something has to make room there. */
interface Place {
  readonly path: string;
  readonly onto: 'nothing' | 'file';
}

export class Batch {
  readonly #into: string;
  readonly #count: number;
  readonly #use: Use;
  readonly #questions: Questions;
  /** Directories that are there, or are being made. */
  readonly #made = new Map<string, Promise<void>>();
  #forAll: Answer | undefined;
  /** One question at a time, so that its answer can be for the next ones. */
  #asking: Promise<unknown> = Promise.resolve();

  constructor(into: string, { files }: Dropped, use: Use, questions: Questions) {
    this.#into = into;
    this.#count = files.length;
    this.#use = use;
    this.#questions = questions;
  }

  /** Makes directories, whether or not a file goes into them. */
  async makeDirectories(directories: Dropped['directories']): Promise<void> {
    for (const steps of directories) {
      await this.#use((client) => this.#ensure(client, steps));
    }
  }

  job({ steps, file }: Dropped['files'][number]): Job {
    const path = steps.reduce(join, this.#into);
    let upload: Upload | undefined;
    return {
      direction: 'up',
      path,
      size: file.size,
      run: async (report, signal) => {
        // What was begun goes on; its place was settled then.
        for (;;) {
          if (!upload) {
            const place = await this.#placeOf(path, steps, report, signal);
            if (!place) {
              return undefined;
            }
            report.renamed(place.path);
            upload = new Upload(file, place.path, place.onto);
          }
          const begun = upload;
          try {
            return await this.#use((client) => begun.run(client, report, signal));
          } catch (error) {
            if (!isTransferFailure(error, 'exists')) {
              throw error;
            }
            // Somebody was faster.
            await this.#use((client) => begun.undo(client));
            upload = undefined;
          }
        }
      },
      undo: async () => {
        const begun = upload;
        upload = undefined;
        if (begun) {
          await this.#use((client) => begun.undo(client));
        }
      },
    };
  }

  /** `undefined`: it is skipped. */
  async #placeOf(path: string, steps: readonly string[], report: Report, signal: AbortSignal): Promise<Place | undefined> {
    const there = await this.#use(async (client) => {
      await this.#ensure(client, steps.slice(0, -1));
      return whatIs(client, path);
    });
    if (!there) {
      return { path, onto: 'nothing' };
    }
    const isDirectory = there === 'directory';
    switch (await this.#answerFor(path, isDirectory, report, signal)) {
      case 'skip':
        return undefined;
      case 'replace':
        if (isDirectory) {
          throw new TransferError('is-directory');
        }
        return { path: await this.#use((client) => target(client, path)), onto: 'file' };
      case 'both':
        return { path: await this.#use((client) => freePath(client, path)), onto: 'nothing' };
    }
  }

  async #answerFor(path: string, isDirectory: boolean, report: Report, signal: AbortSignal): Promise<Answer> {
    report.asking(true);
    const answered = this.#asking.then(async () => {
      signal.throwIfAborted();
      if (this.#forAll && !(isDirectory && this.#forAll === 'replace')) {
        return this.#forAll;
      }
      const { answer, forAll } = await this.#questions.ask({ path, isDirectory, hasOthers: this.#count > 1 }, signal);
      if (forAll) {
        this.#forAll = answer;
      }
      return answer;
    });
    this.#asking = answered.catch(() => {});
    try {
      return await answered;
    } finally {
      report.asking(false);
    }
  }

  /** Makes a directory below, and those above it, once. */
  #ensure(client: SftpClient, steps: readonly string[]): Promise<void> {
    if (steps.length === 0) {
      return Promise.resolve();
    }
    const path = steps.reduce(join, this.#into);
    const made = this.#made.get(path) ?? this.#make(client, steps, path);
    this.#made.set(path, made);
    // What failed may be tried again.
    made.catch(() => this.#made.delete(path));
    return made;
  }

  async #make(client: SftpClient, steps: readonly string[], path: string): Promise<void> {
    await this.#ensure(client, steps.slice(0, -1));
    try {
      await client.makeDirectory(path);
    } catch (error) {
      // Servers say no more than that it failed when it exists.
      if (!isRefusal(error, 'failure') || !(await isDirectory(client, path))) {
        throw error;
      }
    }
  }
}

/** The file that is replaced: where a link leads to one, that one. */
async function target(client: SftpClient, path: string): Promise<string> {
  if ((await whatIs(client, path)) !== 'link') {
    return path;
  }
  try {
    return await client.realPath(path);
  } catch (error) {
    if (isRefusal(error, 'no-such-file')) {
      return path;
    }
    throw error;
  }
}

async function freePath(client: SftpClient, path: string): Promise<string> {
  for (const name of otherNames(baseOf(path))) {
    const candidate = join(parentOf(path), name);
    if (!(await whatIs(client, candidate))) {
      return candidate;
    }
  }
  throw new TransferError('exists');
}

async function isDirectory(client: SftpClient, path: string): Promise<boolean> {
  return typeOf(await client.stat(path)) === 'directory';
}

