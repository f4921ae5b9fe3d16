/** A recording, fetched in parts, with its hash. */

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

import { call } from '../api/call.ts';
import * as postern from '../api/generated/postern.ts';

export interface Recording {
  readonly about: postern.SessionRecording;
  /** The file: asciicast v3. Of a running session, what is on record. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether these are all bytes that there will be. */
  readonly isComplete: boolean;
  readonly verification: Verification;
}

/** What this page has found out, and no more. */
export type Verification =
  /** The bytes have the SHA-256 that the server's list says. */
  | 'matches'
  /** They have another one. */
  | 'differs'
  /** The recording goes on, or the server says none. */
  | 'unknown';

/** Longer recordings are for `postern recordings`: a page that holds all of them would be too large. */
export const BYTES_MAX = 256 * 1024 * 1024;
const PART_BYTES = 1024 * 1024;

/** The recording is too long for a page. */
export class TooLong extends Error {
  override readonly name = 'TooLong';
}

/** Fetches a recording. `progress` is told from 0 to 1. */
export async function fetchRecording(sessionId: string, progress: (done: number) => void, signal: AbortSignal): Promise<Recording> {
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (;;) {
    const input = { SessionId: sessionId, Offset: offset, MaxBytes: PART_BYTES };
    const { Recording: about = {}, Content = '', NextOffset = offset, Complete = false } = await call(postern.GetSessionRecording, input, signal);
    const part = fromBase64(Content);
    parts.push(part);
    offset += part.length;
    const expected = about.Bytes ?? 0;
    if (Math.max(offset, expected) > BYTES_MAX) {
      throw new TooLong('too long');
    }
    progress(expected > 0 ? Math.min(1, offset / expected) : 0);
    // Of a running session, the first part without anything is the end for now.
    if (Complete || part.length === 0 || NextOffset !== offset) {
      const bytes = joined(parts, offset);
      return { about, bytes, isComplete: Complete, verification: Complete ? verified(bytes, about.Sha256) : 'unknown' };
    }
  }
}

export function verified(bytes: Uint8Array, expected: string | undefined): Verification {
  if (!expected) {
    return 'unknown';
  }
  return bytesToHex(sha256(bytes)) === expected.toLowerCase() ? 'matches' : 'differs';
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
