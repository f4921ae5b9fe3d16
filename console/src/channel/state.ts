// How a session stands, for whoever shows it.

import type { AskedKey, DataKey, SealedKey } from './encryption.ts';
import type { Size } from './payload.ts';
import type { Place } from './place.ts';

/** What opens a data channel, once. */
export interface Ticket {
  readonly streamUrl: string;
  readonly tokenValue: string;
}

/** A ticket for a session that another client has, of whose input nothing is known here. */
export interface TakeOver extends Ticket {
  readonly takesOver: true;
}

/** How a session stands. */
export type State =
  /** No data channel has been open yet, in this page. */
  | { readonly kind: 'connecting' }
  /** `isStarted` once the agent is ready for what is typed. */
  | { readonly kind: 'connected'; readonly isStarted: boolean; readonly isNodeAway: boolean }
  /** The connection is lost, since that time of `performance.now()`, and is being made again. */
  | { readonly kind: 'reconnecting'; readonly since: number }
  /** The session is over. The reason is the server's or the node's text; empty at the end of the shell. */
  | { readonly kind: 'ended'; readonly reason: string; readonly exitCode: number | null }
  /** The session may go on, but not here. */
  | { readonly kind: 'failed'; readonly why: Failure };

export type Failure =
  /** The server did not let us connect within the time for it. */
  | { readonly code: 'unreachable' }
  /** The server refused, with its reason. */
  | { readonly code: 'refused'; readonly error: unknown }
  /** The session forwards ports, which a browser cannot. */
  | { readonly code: 'port-session' }
  /** The agent wants something that this client cannot do. */
  | { readonly code: 'unsupported'; readonly errors: readonly string[] }
  /** It is encrypted, and whoever asks may not have its data key again. */
  | { readonly code: 'no-key'; readonly error: unknown }
  /** It is encrypted, and what came does not decrypt. */
  | { readonly code: 'undecipherable' }
  /** Another client, not of this browser, has taken it over. */
  | { readonly code: 'taken' }
  /** It stays with the client that has it; the server's reason. */
  | { readonly code: 'not-taken'; readonly reason: string }
  /** Another page goes on with it, or this one was left. */
  | { readonly code: 'left' };

/** What any session needs from outside. */
export interface Network {
  readonly clientVersion: string;
  /** Asks for a new ticket; `null` when the session is over. Throws `Refused` when it is useless to ask again. */
  readonly resume: () => Promise<Ticket | null>;
  readonly openSocket: (url: string) => WebSocket;
}

/** What a session of a terminal needs from outside. */
export interface Surroundings extends Network {
  /** The terminal's size now. */
  readonly size: () => Size;
  /** Shows output, and calls back when it is shown. */
  readonly write: (output: Uint8Array, written: () => void) => void;
  readonly changed: (state: State) => void;
  /** What the agent has to say to the user at the start. */
  readonly message: (text: string) => void;
  /** What the server has to say in the middle of it: that its time is nearly up. */
  readonly warned: (text: string) => void;
  /** Numbers are about to be used: write the place down. */
  readonly reserve: (place: Pick<Place, 'clientId' | 'acknowledgedBefore' | 'unusedFrom' | 'sealedKey'>) => void;
  /** Has a data key generated, for a session that is to be encrypted. */
  readonly generateKey: (asked: AskedKey) => Promise<DataKey>;
  /** The data key of a session that another page has carried. */
  readonly decryptKey: (sealed: SealedKey) => Promise<Uint8Array>;
}

/** The server's refusal that no further attempt will change. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly error: unknown;

  constructor(error: unknown) {
    super('refused');
    this.error = error;
  }
}
