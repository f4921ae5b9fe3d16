// One session from the browser's side, from its first connection to its end: mirrors crates/client/src/session.rs.
//
// It owns the websocket and the clock. Output is acknowledged when its consumer says that it is written, and input is
// taken while there is room, so a slow side slows the other down instead of filling memory.

import { Backoff } from './backoff.ts';
import { type ChannelEvent, DataChannel } from './channel.ts';
import { answer, customerMessage, handshakeRequest, type Kind } from './handshake.ts';
import { KeepAlive } from './keep-alive.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { DecodeError, PayloadType, type Stamp } from './message.ts';
import { exitCodeFromText, openDataChannelText, type Size, sizeToJson } from './payload.ts';
import { type Place, RESERVED_AT_ONCE } from './place.ts';

/** What opens a data channel, once. */
export interface Ticket {
  readonly streamUrl: string;
  readonly tokenValue: string;
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
  /** Another page goes on with it, or this one was left. */
  | { readonly code: 'left' };

/** What a session needs from outside. */
export interface Surroundings {
  readonly clientVersion: string;
  /** Asks for a new ticket; `null` when the session is over. Throws `Refused` when it is useless to ask again. */
  readonly resume: () => Promise<Ticket | null>;
  readonly openSocket: (url: string) => WebSocket;
  /** The terminal's size now. */
  readonly size: () => Size;
  /** Shows output, and calls back when it is shown. */
  readonly write: (output: Uint8Array, written: () => void) => void;
  readonly changed: (state: State) => void;
  /** What the agent has to say to the user at the start. */
  readonly message: (text: string) => void;
  /** Numbers are about to be used: write the place down. */
  readonly reserve: (place: Pick<Place, 'clientId' | 'acknowledgedBefore' | 'unusedFrom'>) => void;
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

/** The largest message that we send; as the Rust client. */
const CHUNK_BYTES = 32 * 1024;
/** What may be typed or pasted ahead of what the agent takes. */
export const TYPED_BYTES_MAX = 4 * 1024 * 1024;
/** What the websocket may hold unsent: more would only put acknowledgements behind it. */
const UNSENT_BYTES_MAX = 256 * 1024;
/**
 * AWS's agent starts a shell without a handshake, and we learn of it by its first output. A program that waits for input
 * prints none: after this time, counted from the connection, input is sent all the same.
 */
const ASSUME_STARTED_AFTER_MS = 5000;
/** How long one websocket may take to open. */
const OPEN_WITHIN_MS = 15_000;
/** A connection that lasted this long was a good one. One that is let in and thrown out at once is no better than none. */
const SETTLED_AFTER_MS = 5000;
/** As the Rust client: longer than a server takes to be updated or a laptop to find its network. */
const RESUME_FOR_MS = 15 * 60 * 1000;
/** The bytes that a command without a terminal understands: Ctrl-C and Ctrl-\. */
const SIGNALS = new Set([0x03, 0x1c]);

export class Session {
  readonly #outside: Surroundings;
  readonly #channel: DataChannel;
  readonly #clientId: string;
  #state: State = { kind: 'connecting' };
  #phase: 'waiting' | 'handshaking' | 'running' = 'waiting';
  #kind: Kind | null = null;
  #isNodeAway = false;
  #assumeStartedAt: number | null = null;
  #resizeIsDue = false;
  #reservedUntil: bigint;
  #exitCode: number | null = null;
  #typed: Uint8Array[] = [];
  #typedBytes = 0;
  #unwritten = 0;
  #closed: { readonly reason: string; readonly exitCode: number | null } | null = null;
  #socket: WebSocket | null = null;
  #isOpen = false;
  #openedAt = 0;
  #hasHeard = false;
  #keepAlive = new KeepAlive(0);
  #backoff = new Backoff();
  #attempt = 0;
  #giveUpAt = Number.POSITIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #openTimer: ReturnType<typeof setTimeout> | undefined;

  /** A new session by its ticket, or one that another page of this browser has carried, by its place. */
  constructor(outside: Surroundings, from: Ticket | Place) {
    this.#outside = outside;
    if ('streamUrl' in from) {
      this.#clientId = crypto.randomUUID();
      this.#channel = new DataChannel('client');
      this.#reservedUntil = 0n;
      this.#giveUpAt = performance.now() + RESUME_FOR_MS;
      this.#dial(from);
    } else {
      this.#clientId = from.clientId;
      this.#channel = new DataChannel('client', DEFAULT_LIMITS, BigInt(from.acknowledgedBefore));
      this.#reservedUntil = BigInt(from.unusedFrom);
      this.#phase = 'running';
      this.#kind = 'terminal';
      this.#fillGap(BigInt(from.unusedFrom));
      this.#reconnect();
    }
  }

  get state(): State {
    return this.#state;
  }

  /** What kind of session the agent runs; `null` before it says so. */
  get kind(): Kind | null {
    return this.#kind;
  }

  /** Milliseconds from sending the last acknowledged message to the agent's acknowledgement; `null` before the first. */
  get rttMs(): number | null {
    return this.#channel.rttMs;
  }

  /** Takes what is typed or pasted. `false` if that is too much at once: nothing of it is sent. */
  type(input: Uint8Array): boolean {
    if (this.#isOver() || this.#typedBytes + input.length > TYPED_BYTES_MAX) {
      return false;
    }
    const taken = this.#kind === 'command' ? input.filter((byte) => SIGNALS.has(byte)) : input;
    for (let start = 0; start < taken.length; start += CHUNK_BYTES) {
      this.#typed.push(taken.subarray(start, start + CHUNK_BYTES));
    }
    this.#typedBytes += taken.length;
    this.#pump();
    return true;
  }

  /** The terminal has another size. */
  resize(): void {
    this.#resizeIsDue = this.#phase === 'running' && this.#kind === 'terminal';
    this.#pump();
  }

  /** Tries to connect at once, if it is waiting to: the network is back, somebody looks at the page again. */
  hurry(): void {
    if (this.#retryTimer !== undefined) {
      this.#backoff = new Backoff();
      this.#reconnect();
    } else if (this.#isOpen) {
      this.#ask();
    }
  }

  /** Leaves the session to whoever goes on with it. It goes on at the node. */
  leave(): void {
    this.#fail({ code: 'left' });
  }

  #dial(ticket: Ticket): void {
    const attempt = this.#nextAttempt();
    const socket = this.#outside.openSocket(ticket.streamUrl);
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
    const { clientVersion, size } = this.#outside;
    const identity = { clientId: this.#clientId, clientVersion, size: size() };
    socket.send(openDataChannelText({ requestId: crypto.randomUUID(), tokenValue, ...identity }));
    const now = performance.now();
    this.#isOpen = true;
    this.#openedAt = now;
    this.#hasHeard = false;
    this.#keepAlive = new KeepAlive(now);
    if (this.#phase === 'waiting') {
      this.#assumeStartedAt ??= now + ASSUME_STARTED_AFTER_MS;
    }
    this.#channel.handleConnected();
    this.#tellConnected();
    this.#pump();
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
      this.#handleEvent(event);
    }
    this.#pump();
  }

  #handleEvent(event: ChannelEvent): void {
    switch (event.type) {
      case 'stream':
        this.#handleStream(event.sequenceNumber, event.payloadType, event.payload);
        break;
      case 'closed':
        this.#closed = { reason: event.output, exitCode: event.exitCode ?? this.#exitCode };
        this.#endIfWritten();
        break;
      case 'start-publication':
      case 'pause-publication':
        this.#isNodeAway = event.type === 'pause-publication';
        this.#tellConnected();
        break;
    }
  }

  #handleStream(sequenceNumber: bigint, payloadType: number, payload: Uint8Array): void {
    switch (payloadType) {
      case PayloadType.HandshakeRequest:
        this.#handleHandshakeRequest(payload);
        break;
      case PayloadType.HandshakeComplete: {
        const text = customerMessage(payload);
        if (text !== '') {
          this.#outside.message(text);
        }
        this.#handleHandshakeComplete();
        break;
      }
      case PayloadType.ExitCode:
        this.#exitCode = exitCodeFromText(payload);
        break;
      case PayloadType.Output:
      case PayloadType.StdErr:
      case PayloadType.Error:
        if (this.#phase !== 'running') {
          this.#begin('terminal');
        }
        this.#unwritten += 1;
        this.#outside.write(payload, () => this.#handleWritten(sequenceNumber));
        return;
      // Nothing else is for the user: AWS's plugin would print it.
    }
    this.#channel.acknowledge(sequenceNumber);
  }

  #handleWritten(sequenceNumber: bigint): void {
    this.#unwritten -= 1;
    this.#channel.acknowledge(sequenceNumber);
    this.#endIfWritten();
    this.#pump();
  }

  #handleHandshakeRequest(payload: Uint8Array): void {
    try {
      const { response, kind, errors } = answer(handshakeRequest(payload), this.#outside.clientVersion);
      this.#kind = kind;
      this.#phase = 'handshaking';
      this.#send(PayloadType.HandshakeResponse, response);
      // The agent ends the session then, and says so; that text alone would not say what to do.
      errors.forEach((error) => this.#outside.message(error));
    } catch {
      // Not a handshake: AWS's agent will give up waiting for an answer.
    }
  }

  #handleHandshakeComplete(): void {
    if (this.#phase !== 'handshaking') {
      return;
    }
    if (this.#kind === null) {
      this.#fail({ code: 'unsupported', errors: [] });
    } else if (this.#kind === 'port') {
      this.#fail({ code: 'port-session' });
    } else {
      this.#begin(this.#kind);
    }
  }

  /** The agent is ready for what is typed. */
  #begin(kind: Kind): void {
    this.#phase = 'running';
    this.#kind = kind;
    this.#assumeStartedAt = null;
    this.#resizeIsDue = kind === 'terminal';
    if (kind === 'command') {
      this.#typed = [];
      this.#typedBytes = 0;
    }
    this.#tellConnected();
  }

  /** The last output first, then the end. */
  #endIfWritten(): void {
    if (this.#closed && this.#unwritten === 0) {
      this.#stop({ kind: 'ended', ...this.#closed });
    }
  }

  /** Sends what is due, and arranges to be called when something else is. */
  #pump(): void {
    if (this.#isOver()) {
      return;
    }
    const now = performance.now();
    this.#takeTyped();
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

  #takeTyped(): void {
    if (this.#phase !== 'running') {
      return;
    }
    if (this.#resizeIsDue && this.#channel.hasRoom()) {
      this.#resizeIsDue = false;
      this.#send(PayloadType.Size, sizeToJson(this.#outside.size()));
    }
    while (this.#typed.length > 0 && this.#channel.hasRoom()) {
      const input = this.#typed.shift() ?? new Uint8Array();
      this.#typedBytes -= input.length;
      this.#send(PayloadType.Output, input);
    }
  }

  #arrange(now: number): void {
    clearTimeout(this.#timer);
    const isBlocked = (this.#socket?.bufferedAmount ?? 0) >= UNSENT_BYTES_MAX;
    const times = [
      this.#isOpen ? this.#keepAlive.pollTimeout() : null,
      this.#isOpen ? this.#assumeStartedAt : null,
      // A websocket does not tell when it has written.
      isBlocked ? now + 20 : this.#channel.pollTimeout(),
    ].filter((time) => time !== null);
    if (times.length > 0) {
      this.#timer = setTimeout(() => this.#handleTime(), Math.max(0, Math.min(...times) - now));
    }
  }

  #handleTime(): void {
    const now = performance.now();
    if (this.#assumeStartedAt !== null && this.#assumeStartedAt <= now) {
      this.#begin('terminal');
    }
    const due = this.#isOpen ? this.#keepAlive.pollDue(now) : null;
    if (due === 'lost') {
      this.#handleLost(this.#attempt);
      return;
    }
    if (due === 'ask') {
      this.#ask();
    }
    this.#pump();
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
    if (attempt !== this.#attempt || this.#isOver()) {
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
    if (this.#state.kind === 'connected') {
      this.#tell({ kind: 'reconnecting', since: now });
    }
    if (this.#giveUpAt === Number.POSITIVE_INFINITY) {
      this.#giveUpAt = now + RESUME_FOR_MS;
    }
    const attempt = this.#nextAttempt();
    if (this.#closed) {
      // What is still to be shown is here already.
      return;
    }
    if (now >= this.#giveUpAt) {
      this.#fail({ code: 'unreachable' });
      return;
    }
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      void this.#resume(attempt);
    }, this.#backoff.next(Math.random()));
  }

  async #resume(attempt: number): Promise<void> {
    try {
      const ticket = await this.#outside.resume();
      if (attempt !== this.#attempt) {
        return;
      }
      if (ticket) {
        this.#dial(ticket);
      } else {
        this.#stop({ kind: 'ended', reason: '', exitCode: this.#exitCode });
      }
    } catch (error) {
      if (attempt !== this.#attempt) {
        return;
      }
      if (error instanceof Refused) {
        this.#fail({ code: 'refused', error: error.error });
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

  /** Uses up the numbers that a former page may have used. The sizes differ, so that programs draw themselves anew. */
  #fillGap(unusedFrom: bigint): void {
    for (let next = this.#channel.window.next; next < unusedFrom; next = this.#channel.window.next) {
      const { cols, rows } = this.#outside.size();
      const isSmaller = (unusedFrom - next) % 2n === 0n;
      const size = { cols, rows: isSmaller ? Math.max(1, rows - 1) : rows };
      if (this.#channel.send(PayloadType.Size, sizeToJson(size), newStamp()) === null) {
        break;
      }
    }
  }

  #send(payloadType: number, payload: Uint8Array): void {
    const { first, next } = this.#channel.window;
    if (next >= this.#reservedUntil) {
      this.#reservedUntil = next + BigInt(RESERVED_AT_ONCE);
      const clientId = this.#clientId;
      this.#outside.reserve({ clientId, acknowledgedBefore: Number(first), unusedFrom: Number(this.#reservedUntil) });
    }
    this.#channel.send(payloadType, payload, newStamp());
  }

  #fail(why: Failure): void {
    this.#stop({ kind: 'failed', why });
  }

  #stop(state: State): void {
    if (!this.#isOver()) {
      this.#nextAttempt();
      clearTimeout(this.#timer);
      this.#tell(state);
    }
  }

  #isOver(): boolean {
    return this.#state.kind === 'ended' || this.#state.kind === 'failed';
  }

  #tellConnected(): void {
    if (this.#isOpen && !this.#isOver()) {
      this.#tell({ kind: 'connected', isStarted: this.#phase === 'running', isNodeAway: this.#isNodeAway });
    }
  }

  #tell(state: State): void {
    this.#state = state;
    this.#outside.changed(state);
  }
}

function newStamp(): Stamp {
  // Readers refuse messages that were made in 1970 sharp.
  return { messageId: crypto.randomUUID(), createdMs: BigInt(Math.max(1, Date.now())) };
}
