// Noticing that the server has vanished. Mirrors crates/protocol/src/keep_alive.rs; a page can neither send pings nor see
// those of the server, so it asks by a message that the server has had (`DataChannel.probe`).

/** Silence after which we ask whether the server is there. */
const ASK_AFTER_MS = 20_000;
/** Silence after which it is not. */
const LOST_AFTER_MS = 45_000;

/** What silence asks for. */
export type Due = 'ask' | 'lost';

/** When something was last heard, and whether we have asked since. */
export class KeepAlive {
  #heardAt: number;
  #hasAsked = false;

  constructor(now: number) {
    this.#heardAt = now;
  }

  /** Anything arrived. */
  handleHeard(now: number): void {
    this.#heardAt = now;
    this.#hasAsked = false;
  }

  /** There was no way to ask: silence says nothing. */
  handleNotAsked(now: number): void {
    this.handleHeard(now);
  }

  pollTimeout(): number {
    return this.#heardAt + (this.#hasAsked ? LOST_AFTER_MS : ASK_AFTER_MS);
  }

  pollDue(now: number): Due | null {
    if (now < this.pollTimeout()) {
      return null;
    }
    if (this.#hasAsked) {
      return 'lost';
    }
    // After a long sleep of this machine both limits have passed: ask before giving up, and wait for the answer.
    this.#hasAsked = true;
    this.#heardAt = now - ASK_AFTER_MS;
    return 'ask';
  }
}
