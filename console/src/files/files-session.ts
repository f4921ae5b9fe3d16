/** The files of a node as a page reaches them: a session is started when it is needed, and ended when it is not any more. */

import { call, callLast } from '../api/call.ts';
import * as ssm from '../api/generated/ssm.ts';
import type { Ticket } from '../channel/state.ts';
import { reachable } from '../terminal/reachable.ts';
import { resume } from '../terminal/resume.ts';
import type { SftpClient } from './sftp/client.ts';
import { type Opened, type Over, SftpSession } from './sftp-session.ts';

/** Every account has it. Its node's end is the agent's own SFTP server, run as the user that a shell would have. */
export const DOCUMENT = 'Postern-StartSFTPSession';
/** Without any use for so long, the session ends. Servers end idle sessions later (AWS: 20 minutes). */
export const IDLE_MS = 10 * 60 * 1000;

/** What the session is of, and how it reaches the server. */
export interface Where {
  /** The node. */
  readonly target: string;
  /** The terminal's session, beside which the files are shown. */
  readonly besideSessionId: string;
  readonly clientVersion: string;
  readonly publicUrl: string;
}

export type FilesState =
  /** Nothing runs: nobody has asked for anything yet, or not for long. */
  | { readonly kind: 'idle'; readonly why: 'new' | 'unused' | 'closed' }
  | { readonly kind: 'starting' }
  /** `isReached` while the connection stands. */
  | { readonly kind: 'open'; readonly sessionId: string; readonly home: string; readonly isReached: boolean }
  /** The server did not start it. */
  | { readonly kind: 'refused'; readonly error: unknown }
  | { readonly kind: 'over'; readonly why: Over };

export class FilesSession {
  readonly #where: Where;
  readonly #changed: () => void;
  #state: FilesState = { kind: 'idle', why: 'new' };
  #session: SftpSession | undefined;
  #sessionId = '';
  #opened: Promise<Opened> | undefined;
  #users = 0;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(where: Where, changed: () => void) {
    this.#where = where;
    this.#changed = changed;
    window.addEventListener('pagehide', this.#leave);
  }

  get state(): FilesState {
    return this.#state;
  }

  /**
   * Does something with the node's files, in a session that is opened if there is none. Throws the server's refusal to start one, or
   * `SessionOver`, or what `work` throws.
   */
  async use<T>(work: (client: SftpClient, home: string) => Promise<T>): Promise<T> {
    this.#users += 1;
    clearTimeout(this.#idleTimer);
    try {
      const { client, home } = await this.#whenOpened();
      return await work(client, home);
    } finally {
      this.#users -= 1;
      if (this.#users === 0) {
        this.#idleTimer = setTimeout(() => this.#end('unused'), IDLE_MS);
      }
    }
  }

  /** The network is back, or somebody looks at the page again. */
  hurry(): void {
    this.#session?.hurry();
  }

  /** Ends the session, for good. */
  close(): void {
    this.#isClosed = true;
    window.removeEventListener('pagehide', this.#leave);
    clearTimeout(this.#idleTimer);
    this.#end('closed');
  }

  /** What is said on a websocket while its page is left need not arrive, so the server is told as well. */
  #leave = (): void => {
    if (this.#session) {
      callLast(ssm.TerminateSession, { SessionId: this.#sessionId });
      this.#end('closed');
    }
  };

  #whenOpened(): Promise<Opened> {
    if (this.#opened) {
      return this.#opened;
    }
    const opened = this.#open();
    this.#opened = opened;
    opened.catch((error: unknown) => {
      // Otherwise it is told already how it ended.
      if (this.#opened === opened) {
        this.#forget();
        this.#tell({ kind: 'refused', error });
      }
    });
    return opened;
  }

  async #open(): Promise<Opened> {
    this.#tell({ kind: 'starting' });
    return this.#connect(await this.#start());
  }

  async #start(): Promise<Ticket> {
    const { target, besideSessionId } = this.#where;
    const input = { Target: target, DocumentName: DOCUMENT, Reason: `Files beside the terminal of ${besideSessionId}` };
    const { SessionId = '', StreamUrl = '', TokenValue = '' } = this.#isClosed ? gone() : await call(ssm.StartSession, input);
    if (this.#isClosed) {
      terminate(SessionId);
      gone();
    }
    this.#sessionId = SessionId;
    return { streamUrl: StreamUrl, tokenValue: TokenValue };
  }

  async #connect(ticket: Ticket): Promise<Opened> {
    const { clientVersion, publicUrl } = this.#where;
    const sessionId = this.#sessionId;
    let home = '/';
    const network = {
      clientVersion,
      resume: () => resume(sessionId),
      openSocket: (url: string) => new WebSocket(reachable(url, publicUrl)),
    };
    const session: SftpSession = new SftpSession(network, ticket, {
      reached: (isReached) => this.#tell({ kind: 'open', sessionId, home, isReached }),
      over: (why) => {
        this.#forget();
        this.#tell({ kind: 'over', why });
      },
    });
    this.#session = session;
    const opened = await session.opened;
    home = opened.home;
    this.#tell({ kind: 'open', sessionId, home, isReached: true });
    return opened;
  }

  #forget(): void {
    this.#session = undefined;
    this.#opened = undefined;
  }

  #end(why: 'unused' | 'closed'): void {
    const session = this.#session;
    if (session) {
      this.#forget();
      this.#tell({ kind: 'idle', why });
      if (!session.end()) {
        terminate(this.#sessionId);
      }
    }
  }

  #tell(state: FilesState): void {
    this.#state = state;
    this.#changed();
  }
}

/** The terminal was left meanwhile. */
function gone(): never {
  throw new DOMException('the terminal is gone', 'AbortError');
}

/** Tells the server what the node could not be told. It may be out of reach; then the session ends as idle ones do. */
function terminate(sessionId: string): void {
  call(ssm.TerminateSession, { SessionId: sessionId }).catch(() => {});
}
