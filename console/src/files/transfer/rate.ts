/** How fast something moves, over the last few seconds. Times are milliseconds of one clock. */

const OVER_MS = 4000;
/** Closer measures are put together. */
const EVERY_MS = 200;

export class Rate {
  #points: { readonly at: number; readonly bytes: number }[] = [];

  /** So many bytes have moved in all. */
  note(bytes: number, now: number): void {
    const last = this.#points.at(-1);
    if (last && now - last.at < EVERY_MS) {
      return;
    }
    this.#points.push({ at: now, bytes });
    this.#points = this.#points.filter(({ at }) => at > now - OVER_MS);
  }

  /** Bytes a second; `null` before that can be said. */
  at(bytes: number, now: number): number | null {
    const first = this.#points.find(({ at }) => at > now - OVER_MS);
    return first && now - first.at >= EVERY_MS ? ((bytes - first.bytes) * 1000) / (now - first.at) : null;
  }
}
