/** A session and its screen, which live longer than the place where they are shown: a tab that is not looked at goes on. */

import { call } from '../api/call.ts';
import * as kms from '../api/generated/kms.ts';
import * as ssm from '../api/generated/ssm.ts';
import { type AskedKey, type DataKey, DATA_KEY_BYTES, encryptionContext, fromBase64, type SealedKey } from '../channel/encryption.ts';
import { type Place, Places } from '../channel/place.ts';
import { Session } from '../channel/session.ts';
import type { State, Surroundings, TakeOver } from '../channel/state.ts';
import { Emulator, type Appearance } from './emulator.ts';
import { type Unopened, takeUnopened } from './open.ts';
import { reachable } from './reachable.ts';
import { resume } from './resume.ts';

/** What is shown of a session besides its screen. */
export interface View {
  readonly state: State | { readonly kind: 'unknown' };
  readonly target: string;
  readonly documentName: string | null;
  /** Set by the program; harmless text. */
  readonly title: string;
  /** What the agent has to say; from the node. */
  readonly messages: readonly string[];
  /** What the server has to say. */
  readonly warning: string | undefined;
  /** A link that was clicked. */
  readonly link: string | undefined;
  /** What waits for the user's yes. */
  readonly paste: string | undefined;
  readonly isPasteTooLong: boolean;
  readonly found: { readonly index: number; readonly count: number };
  /** The shell's working directory, as it says: any program on the node can say so. */
  readonly directory: string | undefined;
  /** Whether client and node encrypt it. */
  readonly isEncrypted: boolean;
  /** Files that are being moved beside it. */
  readonly transfers: number;
}

/** What the server is to a session, and who asks it. */
export interface Server {
  readonly clientVersion: string;
  /** The server's address for everybody; the console may be reached by another one. */
  readonly publicUrl: string;
  readonly principalArn: string;
}

const MESSAGES_MAX = 3;
const places = new Places(window.localStorage);

export class Live {
  readonly sessionId: string;
  readonly emulator: Emulator;
  readonly server: Server;
  readonly #listeners = new Set<() => void>();
  readonly #disposers = new Set<() => void>();
  #session: Session | undefined;
  #view: View;
  #release = () => {};
  #onKey: (event: KeyboardEvent) => boolean = () => true;

  constructor(sessionId: string, server: Server, appearance: Appearance) {
    this.sessionId = sessionId;
    this.server = server;
    places.forgetOld(Date.now());
    const unopened = takeUnopened(sessionId);
    const from = unopened ?? places.read(sessionId, server.principalArn);
    this.#view = {
      state: from ? { kind: 'connecting' } : { kind: 'unknown' },
      target: from?.target ?? '',
      documentName: from?.documentName ?? null,
      title: '',
      messages: [],
      warning: undefined,
      link: undefined,
      paste: undefined,
      isPasteTooLong: false,
      found: { index: 0, count: 0 },
      directory: undefined,
      isEncrypted: false,
      transfers: 0,
    };
    this.emulator = new Emulator(appearance, {
      typed: (input) => this.#type(input),
      resized: () => this.#session?.resize(),
      titled: (title) => this.#change({ title }),
      moved: (directory) => this.#change({ directory }),
      linked: (link) => this.#change({ link }),
      found: (index, count) => this.#change({ found: { index, count } }),
      key: (event) => this.#onKey(event),
    });
    if (from) {
      this.#begin(from);
    }
  }

  get view(): View {
    return this.#view;
  }

  get rttMs(): number | null {
    return this.#session?.rttMs ?? null;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** The page that shows the terminal says what its own keys do; `false` keeps a key from the program. */
  handleKeys(onKey: (event: KeyboardEvent) => boolean): void {
    this.#onKey = onKey;
  }

  /** Goes on here with a session that another page has taken, or that was given up. */
  takeBack(): void {
    const { state } = this.#view;
    const place = places.read(this.sessionId, this.server.principalArn);
    if (place && (state.kind === 'failed' || state.kind === 'unknown')) {
      this.#begin(place);
    }
  }

  /** Takes the session from the client that has it, wherever that is. */
  async takeOver(): Promise<void> {
    const [ticket, found] = await Promise.all([resume(this.sessionId), this.#found()]);
    const { kind } = this.#view.state;
    if (kind !== 'unknown' && kind !== 'failed') {
      return;
    }
    const about = { target: found?.Target ?? this.#view.target, documentName: found?.DocumentName ?? null };
    this.#change(about);
    if (ticket) {
      this.#begin({ ...ticket, ...about, takesOver: true });
    } else {
      this.#stateChanged({ kind: 'ended', reason: '', exitCode: null });
    }
  }

  hurry(): void {
    this.#session?.hurry();
  }

  /** Calls back when the screen is gone. */
  whenDisposed(callback: () => void): void {
    this.#disposers.add(callback);
  }

  /** So many files are being moved beside it. */
  setTransfers(transfers: number): void {
    if (transfers !== this.#view.transfers) {
      this.#change({ transfers });
    }
  }

  /** Leaves the session to whoever goes on with it; the screen is gone. */
  dispose(): void {
    this.#disposers.forEach((callback) => callback());
    this.#session?.leave();
    this.#release();
    this.#listeners.clear();
    this.emulator.dispose();
  }

  /** Ends the session. */
  async terminate(): Promise<void> {
    await call(ssm.TerminateSession, { SessionId: this.sessionId });
  }

  closeLink(): void {
    this.#change({ link: undefined });
  }

  /** Asks before several lines are pasted. */
  askToPaste(text: string, needsYes: boolean): void {
    if (needsYes) {
      this.#change({ paste: text });
    } else {
      this.emulator.paste(text);
    }
  }

  endPaste(answer: 'yes' | 'no'): void {
    const { paste } = this.#view;
    this.#change({ paste: undefined });
    if (answer === 'yes' && paste !== undefined) {
      this.emulator.paste(paste);
    }
    this.emulator.focus();
  }

  dismissMessages(): void {
    this.#change({ messages: [], isPasteTooLong: false });
  }

  dismissWarning(): void {
    this.#change({ warning: undefined });
  }

  #type(input: Uint8Array): void {
    const isOver = this.#view.state.kind === 'ended' || this.#view.state.kind === 'failed';
    if (this.#session?.type(input) === false && !isOver) {
      this.#change({ isPasteTooLong: true });
    }
  }

  /** Who may not list sessions has this one all the same, without knowing what it is of. */
  async #found(): Promise<ssm.Session | undefined> {
    try {
      const filter = { key: 'SessionId', value: this.sessionId } as const;
      return (await call(ssm.DescribeSessions, { State: 'Active', Filters: [filter] })).Sessions?.[0];
    } catch {
      return undefined;
    }
  }

  #begin(from: Unopened | (Unopened & TakeOver) | Place): void {
    this.#holdAlone();
    const { target, documentName } = from;
    const { principalArn } = this.server;
    const surroundings: Surroundings = {
      clientVersion: this.server.clientVersion,
      resume: () => resume(this.sessionId),
      openSocket: (url) => new WebSocket(reachable(url, this.server.publicUrl)),
      size: () => this.emulator.size,
      write: (output, written) => this.emulator.write(output, written),
      changed: (state) => this.#stateChanged(state),
      warned: (warning) => this.#change({ warning }),
      message: (text) => this.#change({ messages: [...this.#view.messages, text].slice(-MESSAGES_MAX) }),
      generateKey: (asked) => this.#generateKey(asked, target),
      decryptKey: (sealed) => this.#decryptKey(sealed, target),
      reserve: (place) => places.write(this.sessionId, { ...place, principalArn, target, documentName, savedAt: Date.now() }),
    };
    this.#session = new Session(surroundings, from);
    this.#stateChanged(this.#session.state);
  }

  #stateChanged(state: State): void {
    // What another client has sent since has other numbers.
    if (state.kind === 'ended' || (state.kind === 'failed' && state.why.code === 'taken')) {
      places.forget(this.sessionId);
      this.#release();
    }
    this.#change({ state, isEncrypted: this.#session?.isEncrypted ?? false });
  }

  async #generateKey({ keyId, challenge }: AskedKey, target: string): Promise<DataKey> {
    const EncryptionContext = encryptionContext(this.sessionId, target, challenge);
    const { Plaintext = '', CiphertextBlob = '' } = await call(kms.GenerateDataKey, { KeyId: keyId, NumberOfBytes: DATA_KEY_BYTES, EncryptionContext });
    return { plain: fromBase64(Plaintext), ciphertext: CiphertextBlob };
  }

  async #decryptKey({ ciphertext, challenge }: SealedKey, target: string): Promise<Uint8Array> {
    const EncryptionContext = encryptionContext(this.sessionId, target, challenge);
    const { Plaintext = '' } = await call(kms.Decrypt, { CiphertextBlob: ciphertext, EncryptionContext });
    return fromBase64(Plaintext);
  }

  /** Takes the session from any other page of this browser; that one then leaves it. */
  #holdAlone(): void {
    this.#release();
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#release = release;
    navigator.locks.request(`postern.session.${this.sessionId}`, { steal: true }, () => released).catch(() => {
      // Taken, and not by ourselves.
      if (this.#release === release) {
        this.#session?.leave();
      }
    });
  }

  #change(change: Partial<View>): void {
    this.#view = { ...this.#view, ...change };
    this.#listeners.forEach((listener) => listener());
  }
}
