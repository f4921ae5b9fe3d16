// Where a session stands, kept by the browser, so that another page can go on with it.
//
// A client that takes over must number its messages on from where the former one stopped, and only clients know where
// that was. To write it down at every keystroke would be slow, and still late by one when a page dies. So numbers are
// reserved: what is written down is a number that the former page has not reached. The page that takes over fills the
// gap with messages that do no harm (the window's size); those that the agent has had already it only acknowledges.

import type { SealedKey } from './encryption.ts';
import { DEFAULT_LIMITS } from './limits.ts';

/** Where a page stands in a session's stream of input. */
export interface Place {
  /** This client over all its connections and pages. */
  readonly clientId: string;
  /** Messages before this one were acknowledged. */
  readonly acknowledgedBefore: number;
  /** No message from this one on was ever sent. */
  readonly unusedFrom: number;
  /** Of an encrypted session. What decrypts it is not kept. */
  readonly sealedKey: SealedKey | null;
  /** Whose page it was: only they go on with it, whoever else uses this browser. */
  readonly principalArn: string;
  /** What the session is for, for people: the node's id, the document's name. */
  readonly target: string;
  readonly documentName: string | null;
  /** Milliseconds since the epoch. */
  readonly savedAt: number;
}

/** Numbers that are reserved at once. */
export const RESERVED_AT_ONCE = 64;
const PREFIX = 'postern.place.';
/** No session lives longer: AWS's `maxSessionDuration` is at most a day. */
const FORGET_AFTER_MS = 24 * 3600 * 1000;

/** The places of sessions, by their id, in the browser's storage for this origin. */
export class Places {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** The place, if it is this principal's. */
  read(sessionId: string, principalArn: string): Place | null {
    const place = parse(this.#storage.getItem(PREFIX + sessionId));
    return place?.principalArn === principalArn ? place : null;
  }

  /** A storage that is full or forbidden costs the taking over, not the session. */
  write(sessionId: string, place: Place): void {
    try {
      this.#storage.setItem(PREFIX + sessionId, JSON.stringify(place));
    } catch {
      this.forget(sessionId);
    }
  }

  forget(sessionId: string): void {
    this.#storage.removeItem(PREFIX + sessionId);
  }

  /** Forgets what nobody can go on with any more. */
  forgetOld(now: number): void {
    const keys = Array.from({ length: this.#storage.length }, (_, index) => this.#storage.key(index) ?? '');
    for (const key of keys.filter((key) => key.startsWith(PREFIX))) {
      const place = parse(this.#storage.getItem(key));
      if (!place || place.savedAt < now - FORGET_AFTER_MS) {
        this.#storage.removeItem(key);
      }
    }
  }
}

function parse(text: string | null): Place | null {
  if (text === null) {
    return null;
  }
  try {
    const value = JSON.parse(text) as Partial<Record<keyof Place, unknown>>;
    const { clientId, sealedKey = null, acknowledgedBefore, unusedFrom, principalArn, target, documentName, savedAt } = value;
    const isNumber = (number: unknown): number is number => Number.isSafeInteger(number) && (number as number) >= 0;
    const isSound =
      typeof clientId === 'string' &&
      isSealedKey(sealedKey) &&
      typeof principalArn === 'string' &&
      typeof target === 'string' &&
      (typeof documentName === 'string' || documentName === null) &&
      isNumber(acknowledgedBefore) &&
      isNumber(unusedFrom) &&
      isNumber(savedAt) &&
      // More could not be sent again without an acknowledgement in between.
      unusedFrom >= acknowledgedBefore &&
      unusedFrom - acknowledgedBefore <= DEFAULT_LIMITS.unacknowledgedMessagesMax;
    return isSound ? { clientId, acknowledgedBefore, unusedFrom, sealedKey, principalArn, target, documentName, savedAt } : null;
  } catch {
    return null;
  }
}

function isSealedKey(value: unknown): value is SealedKey | null {
  if (value === null) {
    return true;
  }
  const { ciphertext, challenge } = (typeof value === 'object' ? value : {}) as Partial<Record<keyof SealedKey, unknown>>;
  return typeof ciphertext === 'string' && (typeof challenge === 'string' || challenge === null);
}
