// One terminal's session from the browser's side, from its first connection to its end: mirrors crates/client/src/session.rs.
//
// Output is acknowledged when its consumer says that it is written, and input is taken while there is room, so a slow
// side slows the other down instead of filling memory.

import { type ChannelEvent, DataChannel } from './channel.ts';
import { Connection, newStamp } from './connection.ts';
import { answer, customerMessage, handshakeRequest, type Kind } from './handshake.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { PayloadType } from './message.ts';
import { exitCodeFromText, sizeToJson } from './payload.ts';
import { type Place, RESERVED_AT_ONCE } from './place.ts';
import type { Failure, State, Surroundings, Ticket } from './state.ts';

/** The largest message that we send; as the Rust client. */
const CHUNK_BYTES = 32 * 1024;
/** What may be typed or pasted ahead of what the agent takes. */
export const TYPED_BYTES_MAX = 4 * 1024 * 1024;
/**
 * AWS's agent starts a shell without a handshake, and we learn of it by its first output. A program that waits for input
 * prints none: after this time, counted from the connection, input is sent all the same.
 */
const ASSUME_STARTED_AFTER_MS = 5000;
/** The bytes that a command without a terminal understands: Ctrl-C and Ctrl-\. */
const SIGNALS = new Set([0x03, 0x1c]);

export class Session {
  readonly #outside: Surroundings;
  readonly #channel: DataChannel;
  readonly #connection: Connection;
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

  /** A new session by its ticket, or one that another page of this browser has carried, by its place. */
  constructor(outside: Surroundings, from: Ticket | Place) {
    this.#outside = outside;
    if ('streamUrl' in from) {
      this.#clientId = crypto.randomUUID();
      this.#channel = new DataChannel('client');
      this.#reservedUntil = 0n;
      this.#connection = this.#carried();
      this.#connection.begin(from);
    } else {
      this.#clientId = from.clientId;
      this.#channel = new DataChannel('client', DEFAULT_LIMITS, BigInt(from.acknowledgedBefore));
      this.#reservedUntil = BigInt(from.unusedFrom);
      this.#phase = 'running';
      this.#kind = 'terminal';
      this.#connection = this.#carried();
      this.#fillGap(BigInt(from.unusedFrom));
      this.#connection.resume();
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
    this.#connection.pump();
    return true;
  }

  /** The terminal has another size. */
  resize(): void {
    this.#resizeIsDue = this.#phase === 'running' && this.#kind === 'terminal';
    this.#connection.pump();
  }

  /** Tries to connect at once, if it is waiting to: the network is back, somebody looks at the page again. */
  hurry(): void {
    this.#connection.hurry();
  }

  /** Leaves the session to whoever goes on with it. It goes on at the node. */
  leave(): void {
    this.#fail({ code: 'left' });
  }

  #carried(): Connection {
    return new Connection(this.#outside, this.#channel, this.#clientId, {
      size: () => this.#outside.size(),
      opened: (now) => this.#handleOpened(now),
      lost: (now) => this.#handleLost(now),
      handle: (event) => this.#handleEvent(event),
      fill: () => this.#takeTyped(),
      dueAt: () => this.#assumeStartedAt,
      handleDue: (now) => {
        if (this.#assumeStartedAt !== null && this.#assumeStartedAt <= now) {
          this.#begin('terminal');
        }
      },
      over: () => this.#stop({ kind: 'ended', reason: '', exitCode: this.#exitCode }),
      failed: (why) => this.#fail(why),
    });
  }

  #handleOpened(now: number): void {
    if (this.#phase === 'waiting') {
      this.#assumeStartedAt ??= now + ASSUME_STARTED_AFTER_MS;
    }
    this.#tellConnected();
  }

  #handleLost(since: number): void {
    if (this.#state.kind === 'connected') {
      this.#tell({ kind: 'reconnecting', since });
    }
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
      case 'notice':
        this.#outside.warned(event.text);
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
    this.#connection.pump();
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
      this.#connection.stop();
      this.#tell(state);
    }
  }

  #isOver(): boolean {
    return this.#state.kind === 'ended' || this.#state.kind === 'failed';
  }

  #tellConnected(): void {
    if (this.#connection.isOpen && !this.#isOver()) {
      this.#tell({ kind: 'connected', isStarted: this.#phase === 'running', isNodeAway: this.#isNodeAway });
    }
  }

  #tell(state: State): void {
    this.#state = state;
    this.#outside.changed(state);
  }
}
