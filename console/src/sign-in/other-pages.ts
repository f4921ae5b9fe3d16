/**
 * The other pages of this browser. One cookie serves them all: when it becomes somebody else's, what they still show, and the
 * proof that they hold, are those of the former one.
 */

const channel = new BroadcastChannel('postern.sign-in');

/** Who is signed in, or `null` after signing out. Different for every sign-in and role. */
export type Who = string | null;

/** Tells the other pages. */
export function tellOtherPages(who: Who): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is of windows; a channel is of one origin
  channel.postMessage(who);
}

/** Calls back when another page knows. */
export function hearOtherPages(heard: (who: Who) => void): void {
  channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => heard(typeof data === 'string' ? data : null));
}
