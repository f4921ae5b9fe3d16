// How long to wait before the next attempt. In the way of crates/dial/src/backoff.rs, with waits that suit who looks at a page.

const FIRST_MS = 100;
const CAP_MS = 5000;

/**
 * The first attempt is immediate; then the waits double, from about 0.1 s to about 5 s, with jitter so that clients of a
 * restarted server do not come all at once.
 */
export class Backoff {
  #attempts = 0;

  /** The wait before the next attempt, in milliseconds. `random` is from 0 to 1. */
  next(random: number): number {
    const attempt = this.#attempts;
    this.#attempts += 1;
    if (attempt === 0) {
      return 0;
    }
    const base = Math.min(FIRST_MS * 2 ** Math.min(attempt - 1, 16), CAP_MS);
    return base / 2 + random * base;
  }
}
