/** All transfers of one terminal: a few at once, the others wait. What waits, runs and is done is told to whoever shows it. */

import { ApiError, ConnectionError, isAbort } from '../../api/errors.ts';
import { Queue } from '../../channel/queue.ts';
import type { SftpClient } from '../sftp/client.ts';
import { isClosed } from '../sftp/failure.ts';
import { SessionOver } from '../sftp-session.ts';
import { Rate } from './rate.ts';
import type { Check } from './upload.ts';

/** More at once are no faster: they share one connection. */
const RUNNING_MAX = 3;
/** Transfers that are kept. Somebody who moves more files packs them. */
export const TRANSFERS_MAX = 10_000;
/** How often progress is told. */
const TELL_EVERY_MS = 150;
/** How often a transfer may lose its session without having moved anything in between. */
const LOSSES_MAX = 4;
const LOSS_PAUSE_MS = 1000;

export type TransferState =
  | { readonly kind: 'waiting' }
  /** Something has the file's name: the user is asked. */
  | { readonly kind: 'asking' }
  /** What is in the directories has to be known first. */
  | { readonly kind: 'looking' }
  | { readonly kind: 'moving' }
  | { readonly kind: 'checking' }
  | { readonly kind: 'done'; readonly check: Check }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** What is shown of a transfer. */
export interface Transfer {
  readonly id: number;
  readonly direction: 'up' | 'down';
  /** At the node. */
  readonly path: string;
  readonly state: TransferState;
  readonly bytes: number;
  /** Of the file, as far as it is known. */
  readonly size: number;
  /** Bytes a second; `null` before that can be said. */
  readonly rate: number | null;
  /** Links and what could not be read, in directories. */
  readonly leftOut: number;
}

/** What a transfer does, and what it tells. */
export interface Job {
  readonly direction: 'up' | 'down';
  readonly path: string;
  readonly size: number;
  /** Does it, or goes on with it after a lost session. `undefined`: it was skipped. */
  readonly run: (report: Report, signal: AbortSignal) => Promise<Check | undefined>;
  /** Takes away what is not finished. */
  readonly undo: () => Promise<void>;
}

export interface Report {
  readonly moved: (bytes: number) => void;
  readonly looking: () => void;
  readonly checking: () => void;
  readonly asking: (isAsking: boolean) => void;
  readonly sized: (bytes: number) => void;
  /** It goes to another path than was said. */
  readonly renamed: (path: string) => void;
  /** So many things are not in what was downloaded. */
  readonly leftOut: (count: number) => void;
}

/** Does something in a session with the node's files. */
export type Use = <T>(work: (client: SftpClient, home: string) => Promise<T>) => Promise<T>;

interface Held {
  readonly job: Job;
  readonly rate: Rate;
  stop: AbortController;
  transfer: Transfer;
}

export class Transfers {
  readonly #changed: () => void;
  readonly #held = new Map<number, Held>();
  readonly #waiting = new Queue<Held>();
  /** Done by somebody looking at them: what finishes changes what directories hold. */
  readonly #finished: (transfer: Transfer) => void;
  readonly #whenSettled: (() => void)[] = [];
  #lastId = 0;
  #running = 0;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #shown: readonly Transfer[] = [];

  constructor(changed: () => void, finished: (transfer: Transfer) => void) {
    this.#changed = changed;
    this.#finished = finished;
  }

  /** In the order in which they were added. The same list until something changes. */
  get all(): readonly Transfer[] {
    return this.#shown;
  }

  /** How many more may be added. */
  get room(): number {
    return TRANSFERS_MAX - this.#held.size;
  }

  get unfinished(): number {
    return [...this.#held.values()].filter(({ transfer }) => isUnfinished(transfer.state)).length;
  }

  add(job: Job): void {
    this.#lastId += 1;
    const { direction, path, size } = job;
    const transfer: Transfer = { id: this.#lastId, direction, path, state: { kind: 'waiting' }, bytes: 0, size, rate: null, leftOut: 0 };
    const held: Held = { job, rate: new Rate(), stop: new AbortController(), transfer };
    this.#held.set(transfer.id, held);
    this.#waiting.push(held);
    this.#tellSoon();
    this.#runNext();
  }

  cancel(id: number): void {
    const held = this.#held.get(id);
    if (held && isUnfinished(held.transfer.state)) {
      held.stop.abort();
      if (held.transfer.state.kind === 'waiting') {
        this.#change(held, { state: { kind: 'cancelled' } });
      }
    }
  }

  cancelAll(): void {
    [...this.#held.keys()].forEach((id) => this.cancel(id));
  }

  /** When nothing runs any more, and nothing of what was cancelled is left. */
  settled(): Promise<void> {
    return this.#running === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenSettled.push(resolve));
  }

  /** Tries again what failed; it goes on where it was. */
  retry(id: number): void {
    const held = this.#held.get(id);
    if (held?.transfer.state.kind === 'failed' || held?.transfer.state.kind === 'cancelled') {
      held.stop = new AbortController();
      this.#change(held, { state: { kind: 'waiting' } });
      this.#waiting.push(held);
      this.#runNext();
    }
  }

  /** Forgets what is over. What failed leaves nothing behind. */
  clear(): void {
    for (const [id, { job, transfer }] of this.#held) {
      if (!isUnfinished(transfer.state)) {
        this.#held.delete(id);
        if (transfer.state.kind === 'failed') {
          job.undo().catch(() => {});
        }
      }
    }
    this.#tellNow();
  }

  #runNext(): void {
    while (this.#running < RUNNING_MAX) {
      const held = this.#waiting.shift();
      if (!held) {
        return;
      }
      // Or it was cancelled while it waited, and perhaps forgotten.
      if (held.transfer.state.kind === 'waiting') {
        this.#running += 1;
        this.#change(held, { state: { kind: 'moving' } });
        void this.#run(held).finally(() => {
          this.#running -= 1;
          this.#runNext();
          if (this.#running === 0) {
            this.#whenSettled.splice(0).forEach((settle) => settle());
          }
        });
      }
    }
  }

  async #run(held: Held): Promise<void> {
    const { signal } = held.stop;
    try {
      const check = await this.#throughLosses(held, signal);
      this.#change(held, { state: check ? { kind: 'done', check } : { kind: 'skipped' }, rate: null });
      this.#finished(held.transfer);
    } catch (error) {
      if (!signal.aborted && !isAbort(error)) {
        this.#change(held, { state: { kind: 'failed', error }, rate: null });
        return;
      }
      this.#change(held, { state: { kind: 'cancelled' }, rate: null });
      await held.job.undo().catch(() => {});
    }
  }

  /** Goes on in another session when one is lost, unless that gets nowhere. */
  async #throughLosses(held: Held, signal: AbortSignal): Promise<Check | undefined> {
    for (let losses = 0, before = held.transfer.bytes; ; ) {
      signal.throwIfAborted();
      try {
        return await held.job.run(this.#report(held), signal);
      } catch (error) {
        const isLost = isClosed(error) || (losses > 0 && mayPass(error));
        losses = held.transfer.bytes > before ? 1 : losses + 1;
        before = held.transfer.bytes;
        if (!isLost || losses > LOSSES_MAX) {
          throw error;
        }
        await pause(LOSS_PAUSE_MS * losses, signal);
      }
    }
  }

  #report(held: Held): Report {
    return {
      moved: (bytes) => {
        const now = performance.now();
        held.rate.note(bytes, now);
        const state = isBeforeMoving(held.transfer.state) ? { kind: 'moving' as const } : held.transfer.state;
        this.#change(held, { state, bytes, size: Math.max(bytes, held.transfer.size), rate: held.rate.at(bytes, now) });
      },
      looking: () => this.#change(held, { state: { kind: 'looking' }, rate: null }),
      checking: () => this.#change(held, { state: { kind: 'checking' }, rate: null }),
      asking: (isAsking) => this.#change(held, { state: { kind: isAsking ? 'asking' : 'moving' } }),
      sized: (size) => this.#change(held, { size }),
      renamed: (path) => this.#change(held, { path }),
      leftOut: (leftOut) => this.#change(held, { leftOut }),
    };
  }

  #change(held: Held, change: Partial<Transfer>): void {
    held.transfer = { ...held.transfer, ...change };
    this.#tellSoon();
  }

  #tellSoon(): void {
    this.#telling ??= setTimeout(() => this.#tellNow(), TELL_EVERY_MS);
  }

  #tellNow(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    this.#shown = Array.from(this.#held.values(), ({ transfer }) => transfer);
    this.#changed();
  }
}

export function isUnfinished({ kind }: TransferState): boolean {
  return kind === 'waiting' || kind === 'asking' || kind === 'looking' || kind === 'moving' || kind === 'checking';
}

/** Something else was told last; that bytes move says that it is over. */
function isBeforeMoving({ kind }: TransferState): boolean {
  return kind === 'checking' || kind === 'looking';
}

/** Whether another session may be had a little later: the node's agent or the server is just starting again. */
function mayPass(error: unknown): boolean {
  const isAway = error instanceof ApiError && (error.code === 'TargetNotConnected' || error.status >= 500);
  return isAway || error instanceof ConnectionError || error instanceof SessionOver;
}

function pause(duration_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, duration_ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}
