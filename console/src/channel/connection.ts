// The way of a data channel to the server: one websocket after another, until the session ends or nobody answers any more.
//
// It owns the websocket and the clock, and knows nothing of what is said on the channel: that is its cargo's.

import { Backoff } from './backoff.ts';
import type { ChannelEvent, DataChannel } from './channel.ts';
import { KeepAlive } from './keep-alive.ts';
import { DecodeError, type Stamp } from './message.ts';
import { openDataChannelText, type Size } from './payload.ts';
import { type Failure, type Network, Refused, type Ticket } from './state.ts';

/** What the websocket may hold unsent: more would only put acknowledgements behind it. */
const UNSENT_BYTES_MAX = 256 * 1024;
/** A websocket does not tell when it has written. */
const LOOK_AGAIN_AFTER_MS = 20;
/** How long one websocket may take to open. */
const OPEN_WITHIN_MS = 15_000;
/** A connection that lasted this long was a good one. One that is let in and thrown out at once is no better than none. */
const SETTLED_AFTER_MS = 5000;
/** As the Rust client: longer than a server takes to be updated or a laptop to find its network. */
const RESUME_FOR_MS = 15 * 60 * 1000;

/** The session that is carried: what it is asked and told. */
export interface Cargo {
  /** The terminal's size for the first frame; `null` without a terminal. */
  readonly size: () => Size | null;
  /** Whether the session is still to be had from another client. */
  readonly takesOver?: () => boolean;
  /** A connection is open, at that time, and our name has been given. */
  readonly opened: (now: number) => void;
  /** The connection is lost, at that time. */
  readonly lost: (now: number) => void;
  /** The next thing that happened on the channel. */
  readonly handle: (event: ChannelEvent) => void;
  /** Puts into the channel what it has room for. */
  readonly fill: () => void;
  /** When `handleDue` is to be called while connected; `null` for never. */
  readonly dueAt: () => number | null;
  readonly handleDue: (now: number) => void;
  /** The server says that the session is over. */
  readonly over: () => void;
  readonly failed: (why: Failure) => void;
}

export class Connection {
  readonly #network: Network;
  readonly #channel: DataChannel;
  readonly #clientId: string;
  readonly #cargo: Cargo;
  #socket: WebSocket | null = null;
  #isOpen = false;
  #isStopped = false;
  /** The last message of the session is here: no other connection is needed. */
  #isClosed = false;
  #openedAt = 0;
  #hasHeard = false;
  #keepAlive = new KeepAlive(0);
  #backoff = new Backoff();
  #attempt = 0;
  #giveUpAt = Number.POSITIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #openTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(network: Network, channel: DataChannel, clientId: string, cargo: Cargo) {
    this.#network = network;
    this.#channel = channel;
    this.#clientId = clientId;
    this.#cargo = cargo;
  }

  /** Connects for the first time, by a ticket. */
  begin(ticket: Ticket): void {
    this.#giveUpAt = performance.now() + RESUME_FOR_MS;
    this.#dial(ticket);
  }

  /** Connects by a ticket that is still to be asked for. */
  resume(): void {
    this.#reconnect();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Tries to connect at once, if it is waiting to; if it is connected, asks whether the server is there. */
  hurry(): void {
    if (this.#retryTimer !== undefined) {
      this.#backoff = new Backoff();
      this.#reconnect();
    } else if (this.#isOpen) {
      this.#ask();
    }
  }

  /** Sends what is due, and arranges to be called when something else is. */
  pump(): void {
    if (this.#isStopped) {
      return;
    }
    const now = performance.now();
    this.#cargo.fill();
    const socket = this.#socket;
    if (socket && this.#isOpen) {
      while (socket.bufferedAmount < UNSENT_BYTES_MAX) {
        const frame = this.#channel.pollTransmit(now, newStamp);
        if (!frame) {
          break;
        }
        socket.send(frame);
      }
    }
    this.#arrange(now);
  }

  /** Closes, for good. */
  stop(): void {
    this.#isStopped = true;
    this.#nextAttempt();
    clearTimeout(this.#timer);
  }

  #dial(ticket: Ticket): void {
    const attempt = this.#nextAttempt();
    const socket = this.#network.openSocket(ticket.streamUrl);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#openTimer = setTimeout(() => this.#handleLost(attempt), OPEN_WITHIN_MS);
    socket.addEventListener('open', () => this.#handleOpen(attempt, socket, ticket.tokenValue));
    socket.addEventListener('message', (event: MessageEvent) => this.#handleMessage(attempt, event.data));
    socket.addEventListener('close', () => this.#handleLost(attempt));
  }

  #handleOpen(attempt: number, socket: WebSocket, tokenValue: string): void {
    if (attempt !== this.#attempt) {
      return;
    }
    clearTimeout(this.#openTimer);
    const takesOver = this.#cargo.takesOver?.() ?? false;
    const identity = { clientId: this.#clientId, clientVersion: this.#network.clientVersion, size: this.#cargo.size(), takesOver };
    socket.send(openDataChannelText({ requestId: crypto.randomUUID(), tokenValue, ...identity }));
    const now = performance.now();
    this.#isOpen = true;
    this.#openedAt = now;
    this.#hasHeard = false;
    this.#keepAlive = new KeepAlive(now);
    this.#channel.handleConnected();
    this.#cargo.opened(now);
    this.pump();
  }

  #handleMessage(attempt: number, data: unknown): void {
    if (attempt !== this.#attempt) {
      return;
    }
    const now = performance.now();
    this.#keepAlive.handleHeard(now);
    this.#hasHeard = true;
    if (!(data instanceof ArrayBuffer)) {
      return;
    }
    try {
      this.#channel.handleFrame(new Uint8Array(data), now);
    } catch (error) {
      // A frame that cannot be read is dropped, as AWS's plugin does; the sender's timer repairs it.
      if (!(error instanceof DecodeError)) {
        throw error;
      }
    }
    for (let event = this.#channel.pollEvent(); event; event = this.#channel.pollEvent()) {
      this.#isClosed ||= event.type === 'closed';
      this.#cargo.handle(event);
    }
    this.pump();
  }

  #arrange(now: number): void {
    clearTimeout(this.#timer);
    const isBlocked = (this.#socket?.bufferedAmount ?? 0) >= UNSENT_BYTES_MAX;
    const times = [
      this.#isOpen ? this.#keepAlive.pollTimeout() : null,
      this.#isOpen ? this.#cargo.dueAt() : null,
      isBlocked ? now + LOOK_AGAIN_AFTER_MS : this.#channel.pollTimeout(),
    ].filter((time) => time !== null);
    if (times.length > 0) {
      this.#timer = setTimeout(() => this.#handleTime(), Math.max(0, Math.min(...times) - now));
    }
  }

  #handleTime(): void {
    const now = performance.now();
    this.#cargo.handleDue(now);
    const due = this.#isOpen ? this.#keepAlive.pollDue(now) : null;
    if (due === 'lost') {
      this.#handleLost(this.#attempt);
      return;
    }
    if (due === 'ask') {
      this.#ask();
    }
    this.pump();
  }

  /** Asks whether the server is there; before anything was acknowledged there is no way to. */
  #ask(): void {
    const probe = this.#channel.probe();
    if (probe && this.#socket) {
      this.#socket.send(probe);
    } else {
      this.#keepAlive.handleNotAsked(performance.now());
    }
  }

  #handleLost(attempt: number): void {
    if (attempt !== this.#attempt || this.#isStopped) {
      return;
    }
    this.#reconnect();
  }

  #reconnect(): void {
    const now = performance.now();
    if (this.#isOpen && this.#hasHeard && now - this.#openedAt >= SETTLED_AFTER_MS) {
      // The next attempt is immediate, and there is all the time again.
      this.#backoff = new Backoff();
      this.#giveUpAt = Number.POSITIVE_INFINITY;
    }
    this.#cargo.lost(now);
    if (this.#giveUpAt === Number.POSITIVE_INFINITY) {
      this.#giveUpAt = now + RESUME_FOR_MS;
    }
    const attempt = this.#nextAttempt();
    if (this.#isClosed) {
      return;
    }
    if (now >= this.#giveUpAt) {
      this.#cargo.failed({ code: 'unreachable' });
      return;
    }
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      void this.#redial(attempt);
    }, this.#backoff.next(Math.random()));
  }

  async #redial(attempt: number): Promise<void> {
    try {
      const ticket = await this.#network.resume();
      if (attempt !== this.#attempt) {
        return;
      }
      if (ticket) {
        this.#dial(ticket);
      } else {
        this.#cargo.over();
      }
    } catch (error) {
      if (attempt !== this.#attempt) {
        return;
      }
      if (error instanceof Refused) {
        this.#cargo.failed({ code: 'refused', error: error.error });
      } else {
        this.#reconnect();
      }
    }
  }

  /** Makes everything of the former attempt stale. */
  #nextAttempt(): number {
    this.#attempt += 1;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    clearTimeout(this.#openTimer);
    this.#isOpen = false;
    this.#channel.handleDisconnected();
    this.#socket?.close();
    this.#socket = null;
    return this.#attempt;
  }
}

/** What makes a message of ours one of a kind. */
export function newStamp(): Stamp {
  // Readers refuse messages that were made in 1970 sharp.
  return { messageId: crypto.randomUUID(), createdMs: BigInt(Math.max(1, Date.now())) };
}
