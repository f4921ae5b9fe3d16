// One terminal's session from the browser's side, from its first connection to its end: mirrors crates/client/src/session.rs.
//
// Output is acknowledged when its consumer says that it is written, and input is taken while there is room, so a slow
// side slows the other down instead of filling memory.

import { type ChannelEvent, DataChannel } from './channel.ts';
import { Connection, newStamp } from './connection.ts';
import { askedKey, type AskedKey, CipherError, type DataKey, type SealedKey, SessionCipher } from './encryption.ts';
import { answer, customerMessage, type HandshakeRequest, handshakeRequest, type Kind } from './handshake.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { PayloadType } from './message.ts';
import { exitCodeFromText, type InputPlace, sizeToJson } from './payload.ts';
import { type Place, RESERVED_AT_ONCE } from './place.ts';
import type { Failure, State, Surroundings, TakeOver, Ticket } from './state.ts';

/** The largest message that we send; as the Rust client. */
const CHUNK_BYTES = 32 * 1024;
/** What may be typed or pasted ahead of what the agent takes. */
export const TYPED_BYTES_MAX = 4 * 1024 * 1024;
/**
 * AWS's agent starts a shell without a handshake, and we learn of it by its first output. A program that waits for input
 * prints none: after this time, counted from the connection, input is sent all the same.
 */
const ASSUME_STARTED_AFTER_MS = 5000;
/** The server's words to a client from which another one has the session. Source: crates/gateway, session/take_over.rs. */
const RESUMED_ELSEWHERE = 'The session was resumed by another client.';
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
  #cipher: SessionCipher | undefined;
  #sealedKey: SealedKey | null = null;
  /** It was to be encrypted and could not be: nothing goes in clear instead. */
  #isBarred = false;
  /** It is still to be had from another client: the number of the first message is not known. */
  #takesOver = false;
  #isNodeAway = false;
  #assumeStartedAt: number | null = null;
  #resizeIsDue = false;
  #reservedUntil: bigint;
  #exitCode: number | null = null;
  #typed: Uint8Array[] = [];
  #typedBytes = 0;
  #unwritten = 0;
  #closed: { readonly reason: string; readonly exitCode: number | null } | null = null;

  /** A new session by its ticket, or one of another client, or one that another page of this browser has carried, by its place. */
  constructor(outside: Surroundings, from: Ticket | TakeOver | Place) {
    this.#outside = outside;
    if ('streamUrl' in from) {
      this.#clientId = crypto.randomUUID();
      this.#takesOver = 'takesOver' in from;
      // Of another client's session the output comes from wherever it is.
      this.#channel = new DataChannel('client', DEFAULT_LIMITS, this.#takesOver ? 0n : undefined);
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
      this.#sealedKey = from.sealedKey;
      if (from.sealedKey) {
        void this.#resumeWith(from.sealedKey);
      } else {
        this.#connection.resume();
      }
    }
  }

  get state(): State {
    return this.#state;
  }

  /** Whether client and agent encrypt it. */
  get isEncrypted(): boolean {
    return this.#cipher !== undefined;
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
      takesOver: () => this.#takesOver,
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
    if (this.#phase === 'waiting' && !this.#takesOver) {
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
        if (event.output === RESUMED_ELSEWHERE) {
          this.#fail({ code: 'taken' });
          break;
        }
        this.#closed = { reason: event.output, exitCode: event.exitCode ?? this.#exitCode };
        this.#endIfWritten();
        break;
      case 'place':
        this.#handlePlace(event.place);
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

  #handleStream(sequenceNumber: bigint, payloadType: number, received: Uint8Array): void {
    const payload = this.#opened(payloadType, received);
    if (!payload) {
      return;
    }
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
      case PayloadType.EncChallengeRequest:
        if (this.#cipher) {
          this.#send(PayloadType.EncChallengeResponse, this.#cipher.answer(payload));
        }
        break;
      case PayloadType.ExitCode:
        this.#exitCode = exitCodeFromText(payload);
        break;
      case PayloadType.Output:
      case PayloadType.StdErr:
      case PayloadType.Error:
        if (this.#phase !== 'running' && !this.#takesOver) {
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
      const request = handshakeRequest(payload);
      const asked = askedKey(request);
      this.#phase = 'handshaking';
      this.#assumeStartedAt = null;
      if (asked) {
        void this.#answerWithKey(request, asked);
      } else {
        this.#answer(request);
      }
    } catch {
      // Not a handshake: AWS's agent will give up waiting for an answer.
    }
  }

  #answer(request: HandshakeRequest, key?: SealedKey | string): void {
    const { response, kind, errors } = answer(request, this.#outside.clientVersion, key);
    this.#kind = kind;
    this.#send(PayloadType.HandshakeResponse, response);
    // The agent ends the session then, and says so; that text alone would not say what to do.
    errors.forEach((error) => this.#outside.message(error));
  }

  /** The agent says nothing before it has its answer, so nothing is missed meanwhile. */
  async #answerWithKey(request: HandshakeRequest, asked: AskedKey): Promise<void> {
    const generated = await this.#outside.generateKey(asked).catch((error: unknown) => `Error calling KMS GenerateDataKey API: ${String(error instanceof Error ? error.message : error)}`);
    if (this.#isOver() || this.#cipher) {
      return;
    }
    this.#isBarred = typeof generated === 'string' || !this.#takeKey(generated, asked);
    this.#answer(request, typeof generated === 'string' ? generated : (this.#sealedKey ?? undefined));
    this.#connection.pump();
  }

  #takeKey({ plain, ciphertext }: DataKey, { challenge }: AskedKey): boolean {
    try {
      this.#cipher = new SessionCipher(plain);
      this.#sealedKey = { ciphertext, challenge };
      return true;
    } catch {
      return false;
    }
  }

  /** The session is ours, and so are its numbers from here on. */
  #handlePlace(place: InputPlace): void {
    if (!this.#takesOver) {
      return;
    }
    if ('refused' in place) {
      this.#fail({ code: 'not-taken', reason: place.refused });
      return;
    }
    this.#takesOver = false;
    this.#channel.beginAt(place.first);
    this.#reservedUntil = place.next;
    this.#fillGap(place.next);
    this.#begin('terminal');
  }

  /** What was received, in clear; nothing if it is not what the agent sent. */
  #opened(payloadType: number, payload: Uint8Array): Uint8Array | undefined {
    try {
      return this.#cipher?.open(payloadType, payload) ?? payload;
    } catch (error) {
      if (!(error instanceof CipherError)) {
        throw error;
      }
      this.#fail({ code: 'undecipherable' });
      return undefined;
    }
  }

  async #resumeWith(sealed: SealedKey): Promise<void> {
    try {
      this.#cipher = new SessionCipher(await this.#outside.decryptKey(sealed));
    } catch (error) {
      this.#fail({ code: 'no-key', error });
      return;
    }
    if (!this.#isOver()) {
      this.#connection.resume();
    }
  }

  #handleHandshakeComplete(): void {
    if (this.#phase !== 'handshaking' || this.#isBarred) {
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
      const [clientId, sealedKey] = [this.#clientId, this.#sealedKey];
      this.#outside.reserve({ clientId, sealedKey, acknowledgedBefore: Number(first), unusedFrom: Number(this.#reservedUntil) });
    }
    this.#channel.send(payloadType, this.#cipher?.seal(payloadType, payload) ?? payload, newStamp());
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
