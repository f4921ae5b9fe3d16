/** The terminals of this page. */

import type { Appearance } from './emulator.ts';
import { Live, type Server } from './live.ts';

export class LiveSet {
  readonly #all = new Map<string, Live>();
  readonly #listeners = new Set<() => void>();
  #version = 0;
  #leaving: number | undefined;

  /** The terminal of that session, made when it is first asked for. */
  get(sessionId: string, server: Server, appearance: Appearance): Live {
    const known = this.#all.get(sessionId);
    if (known) {
      return known;
    }
    const live = new Live(sessionId, server, appearance);
    live.subscribe(this.#changed);
    this.#all.set(sessionId, live);
    return live;
  }

  /** Leaves every session that is not among these. */
  keepOnly(sessionIds: readonly string[]): void {
    window.clearTimeout(this.#leaving);
    for (const [sessionId, live] of this.#all) {
      if (!sessionIds.includes(sessionId)) {
        this.#all.delete(sessionId);
        live.dispose();
      }
    }
  }

  /** The page is left, unless it is shown again at once, as React does while one develops. */
  leaveSoon(): void {
    this.#leaving = window.setTimeout(() => this.keepOnly([]));
  }

  all(): readonly Live[] {
    return [...this.#all.values()];
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Another number whenever something of any of them has changed. */
  version = (): number => this.#version;

  #changed = (): void => {
    this.#version += 1;
    this.#listeners.forEach((listener) => listener());
  };
}
