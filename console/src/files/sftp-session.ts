/** One session with the files of a node, from its ticket to its end. */

import { PortStream } from '../channel/port-stream.ts';
import type { Failure, Network, State, Ticket } from '../channel/state.ts';
import { SftpClient } from './sftp/client.ts';
import { SftpError } from './sftp/failure.ts';

/** Why a session is over that nobody here has ended. */
export type Over =
  /** The server or the node ended it, with its words. */
  | { readonly code: 'ended'; readonly reason: string }
  /** What the node says is not SFTP. */
  | { readonly code: 'violation'; readonly what: string }
  | Failure;

/** A session that ended before it could be used. */
export class SessionOver extends Error {
  override readonly name = 'SessionOver';
  readonly why: Over;

  constructor(why: Over) {
    super(why.code);
    this.why = why;
  }
}

/** A session in use. */
export interface Opened {
  readonly client: SftpClient;
  /** The home directory of the user that it runs as. */
  readonly home: string;
}

export interface Listener {
  /** Whether the node can be reached now, once it is opened. */
  readonly reached: (isReached: boolean) => void;
  readonly over: (why: Over) => void;
}

export class SftpSession {
  /** When it can be used. Throws `SessionOver`. */
  readonly opened: Promise<Opened>;
  readonly #listener: Listener;
  readonly #stream: PortStream;
  readonly #client: SftpClient;
  #settle: { readonly resolve: (opened: Opened) => void; readonly reject: (error: unknown) => void } | undefined;
  #hasGreeted = false;
  #isOpened = false;
  #isOver = false;

  constructor(network: Network, ticket: Ticket, listener: Listener) {
    this.#listener = listener;
    this.opened = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.opened.catch(() => {});
    this.#client = new SftpClient(
      (packet) => this.#stream.send(packet),
      (failure) => this.#breakOff(failure.kind === 'violation' ? failure.what : ''),
    );
    const received = (bytes: Uint8Array) => this.#client.receive(bytes);
    this.#stream = new PortStream({ ...network, received, changed: (state) => this.#handle(state) }, ticket);
  }

  hurry(): void {
    this.#stream.hurry();
  }

  /** Ends the session. Whoever still waits for an answer is told. Says whether the node could be. */
  end(): boolean {
    this.#isOver = true;
    this.#client.close();
    this.#settle?.reject(new SftpError({ kind: 'closed' }));
    return this.#stream.end();
  }

  #handle(state: State): void {
    if (this.#isOver) {
      return;
    }
    switch (state.kind) {
      case 'ended':
        this.#over({ code: 'ended', reason: state.reason });
        break;
      case 'failed':
        this.#over(state.why);
        break;
      case 'connected':
        if (state.isStarted && !this.#hasGreeted) {
          this.#hasGreeted = true;
          void this.#greet();
        }
        this.#tellReached(!state.isNodeAway);
        break;
      case 'connecting':
      case 'reconnecting':
        this.#tellReached(false);
        break;
    }
  }

  async #greet(): Promise<void> {
    try {
      await this.#client.open();
      const home = await this.#home();
      this.#isOpened = true;
      this.#settle?.resolve({ client: this.#client, home });
      this.#tellReached(true);
    } catch (error) {
      // Its end, or a violation, was told already.
      if (!(error instanceof SftpError) || error.failure.kind === 'refused') {
        this.#breakOff(String(error));
      } else if (error.failure.kind === 'violation') {
        this.#breakOff(error.failure.what);
      }
    }
  }

  /** A user may have no home directory. */
  async #home(): Promise<string> {
    try {
      return await this.#client.realPath('.');
    } catch (error) {
      if (error instanceof SftpError && error.failure.kind === 'refused') {
        return '/';
      }
      throw error;
    }
  }

  /** What the node says is of no use any more. */
  #breakOff(what: string): void {
    if (!this.#isOver) {
      this.#over({ code: 'violation', what });
      this.#stream.end();
    }
  }

  #over(why: Over): void {
    this.#isOver = true;
    this.#client.close();
    this.#settle?.reject(new SessionOver(why));
    this.#listener.over(why);
  }

  #tellReached(isReached: boolean): void {
    if (this.#isOpened && !this.#isOver) {
      this.#listener.reached(isReached);
    }
  }
}
