/** The files of one terminal's node: the session with them, what is being moved, and what the user is asked. */

import type { Live } from '../terminal/live.ts';
import type { Row } from './directory.ts';
import type { Dropped } from './dropped.ts';
import { FilesSession, type FilesState } from './files-session.ts';
import { Questions } from './questions.ts';
import { Batch } from './transfer/batch.ts';
import { archiveJob, downloadJob } from './transfer/down-jobs.ts';
import { chooseSinks } from './transfer/sink.ts';
import { type Transfer, Transfers, type Use } from './transfer/transfers.ts';
import { baseOf, join, parentOf } from './paths.ts';

/** How long what is not finished may take to be taken away when the terminal is left. */
const CLOSE_WITHIN_MS = 3000;

export class Files {
  readonly target: string;
  readonly session: FilesSession;
  readonly transfers: Transfers;
  readonly questions: Questions;
  readonly #live: Live;
  readonly #listeners = new Set<() => void>();
  readonly #finishedListeners = new Set<(transfer: Transfer) => void>();
  #shownPath: string | undefined;
  #version = 0;

  constructor(live: Live) {
    this.#live = live;
    const { clientVersion, publicUrl } = live.server;
    this.target = live.view.target;
    this.session = new FilesSession({ target: this.target, besideSessionId: live.sessionId, clientVersion, publicUrl }, this.#changed);
    this.transfers = new Transfers(this.#transfersChanged, (transfer) => this.#finishedListeners.forEach((listener) => listener(transfer)));
    this.questions = new Questions(this.#changed);
    window.addEventListener('beforeunload', this.#warn);
    window.addEventListener('online', this.#hurry);
    document.addEventListener('visibilitychange', this.#hurry);
    live.whenDisposed(() => this.#close());
  }

  get state(): FilesState {
    return this.session.state;
  }

  /** The directory that is shown; `undefined` for the home directory. */
  get shownPath(): string | undefined {
    return this.#shownPath;
  }

  show(path: string): void {
    this.#shownPath = path;
    this.#changed();
  }

  use: Use = (work) => this.session.use(work);

  /** Uploads into a directory. Directories are made even if nothing goes into them. */
  async upload(into: string, dropped: Dropped): Promise<void> {
    const batch = new Batch(into, dropped, this.use, this.questions);
    dropped.files.slice(0, this.transfers.room).forEach((found) => this.transfers.add(batch.job(found)));
    await batch.makeDirectories(dropped.directories);
  }

  /** Asks where they shall go, and downloads; with a directory among them all of them as one archive. To be called right after a click. */
  async download(rows: readonly Row[]): Promise<void> {
    if (rows.some(({ kind }) => kind === 'directory')) {
      await this.#downloadArchive(rows);
      return;
    }
    const taken = rows.slice(0, this.transfers.room);
    const sinks = await chooseSinks(taken.map(({ path }) => baseOf(path)));
    sinks?.forEach((makeSink, index) => {
      const { path, attributes } = taken[index] ?? { path: '', attributes: {} };
      this.transfers.add(downloadJob(path, attributes.size ?? 0, makeSink, this.use));
    });
  }

  async #downloadArchive(rows: readonly Row[]): Promise<void> {
    const [first, ...others] = rows;
    if (!first || this.transfers.room === 0) {
      return;
    }
    const path = `${others.length === 0 ? first.path : join(parentOf(first.path), baseOf(parentOf(first.path)) || 'files')}.zip`;
    const [makeSink] = (await chooseSinks([baseOf(path)])) ?? [];
    if (makeSink) {
      // Who chooses a link to a file means the file.
      const things = rows.map((row) => ({ ...row, kind: row.leadsTo === 'file' ? 'file' : row.kind }));
      this.transfers.add(archiveJob(path, things, makeSink, this.use));
    }
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Another number whenever something has changed. */
  version = (): number => this.#version;

  /** Calls back with each transfer that is done. */
  whenFinished(listener: (transfer: Transfer) => void): () => void {
    this.#finishedListeners.add(listener);
    return () => this.#finishedListeners.delete(listener);
  }

  #changed = (): void => {
    this.#version += 1;
    this.#listeners.forEach((listener) => listener());
  };

  #transfersChanged = (): void => {
    this.#live.setTransfers(this.transfers.unfinished);
    this.#changed();
  };

  /** Asks before a page is closed that moves files. */
  #warn = (event: BeforeUnloadEvent): void => {
    if (this.transfers.unfinished > 0) {
      event.preventDefault();
    }
  };

  #hurry = (): void => {
    if (document.visibilityState === 'visible') {
      this.session.hurry();
    }
  };

  #close(): void {
    window.removeEventListener('beforeunload', this.#warn);
    window.removeEventListener('online', this.#hurry);
    document.removeEventListener('visibilitychange', this.#hurry);
    all.delete(this.#live);
    this.transfers.cancelAll();
    // What is not finished is taken away before the session ends, if that takes no time.
    const close = () => this.session.close();
    const timer = window.setTimeout(close, CLOSE_WITHIN_MS);
    void this.transfers.settled().then(() => {
      window.clearTimeout(timer);
      close();
    });
  }
}

const all = new Map<Live, Files>();

/** The files beside that terminal; they go when it does. */
export function filesOf(live: Live): Files {
  const files = all.get(live) ?? new Files(live);
  all.set(live, files);
  return files;
}
