// The sending half of a data channel: it numbers messages, keeps each until the peer acknowledges it, and says what to
// send next. Mirrors crates/protocol/src/outbox.rs. Times are milliseconds of one monotonic clock.
//
// A message is here before it is sent, so its acknowledgement always finds it. (AWS's programs do it the other way
// round and lose acknowledgements that are fast.)

import { encodeMessage, Flags, MessageType, type Stamp } from './message.ts';
import { Queue } from './queue.ts';
import { Rto } from './rto.ts';

interface Entry {
  /** Absent once acknowledged. */
  frame: Uint8Array<ArrayBuffer> | null;
  /** On this connection. */
  firstSentAt: number | null;
  lastSentAt: number;
}

/** Stream messages from their making to their acknowledgement. */
export class Outbox {
  readonly #messageType: string;
  readonly #bytesMax: number;
  readonly #messagesMax: number;
  /** The oldest first; the first of them is not acknowledged. */
  readonly #entries = new Queue<Entry>();
  /** The number of the first entry, or of the next message if there is none. */
  #first: bigint;
  /** Entries from here on have not been sent on this connection. */
  #unsent = 0;
  #bytes = 0;
  #connected = false;
  #lastAcknowledged: Uint8Array<ArrayBuffer> | null = null;
  readonly #rto = new Rto();

  /** An outbox whose next message has the number `first`. */
  constructor(messageType: string, bytesMax: number, messagesMax: number, first = 0n) {
    this.#first = first;
    this.#messageType = messageType;
    this.#bytesMax = bytesMax;
    this.#messagesMax = messagesMax;
  }

  /** The next message has that number. Nothing may have been sent yet. */
  beginAt(first: bigint): void {
    if (this.#entries.length === 0) {
      this.#first = first;
    }
  }

  /** Whether `push` would take a message. The last one may exceed the limit in bytes. */
  hasRoom(): boolean {
    return this.#bytes < this.#bytesMax && this.#entries.length < this.#messagesMax;
  }

  /** Numbers a payload and keeps it for sending; `null` if too much awaits acknowledgement. */
  push(payloadType: number, payload: Uint8Array, stamp: Stamp): bigint | null {
    if (!this.hasRoom()) {
      return null;
    }
    const sequenceNumber = this.next;
    const isFirstOfAgent = this.#messageType === MessageType.OutputStreamData && sequenceNumber === 0n;
    const flags = isFirstOfAgent ? Flags.Syn : Flags.None;
    const frame = encodeMessage({ messageType: this.#messageType, sequenceNumber, flags, payloadType, payload, ...stamp });
    this.#bytes += frame.length;
    this.#entries.push({ frame, firstSentAt: null, lastSentAt: 0 });
    return sequenceNumber;
  }

  /**
   * Forgets that message, and gives the time that its acknowledgement took. Late and repeated acknowledgements are
   * normal and change nothing; nor do those of messages that were never sent.
   */
  handleAcknowledge(sequenceNumber: bigint, now: number): number | null {
    const entry = this.#entries.at(Number(sequenceNumber - this.#first));
    if (!entry?.frame || entry.firstSentAt === null) {
      return null;
    }
    this.#bytes -= entry.frame.length;
    this.#lastAcknowledged = entry.frame;
    entry.frame = null;
    // From the first sending, as the plugin does: after a resend nobody knows which one was acknowledged, and a slow
    // link is never mistaken for a fast one this way.
    const sampleMs = now - entry.firstSentAt;
    this.#rto.handleSample(sampleMs);
    for (let front = this.#entries.front(); front && !front.frame; front = this.#entries.front()) {
      this.#entries.shift();
      this.#first += 1n;
      this.#unsent = Math.max(0, this.#unsent - 1);
    }
    return sampleMs;
  }

  /** The next message that is due: those never sent on this connection, then the oldest one if it waited too long. */
  pollTransmit(now: number): Uint8Array<ArrayBuffer> | null {
    if (!this.#connected) {
      return null;
    }
    for (let entry = this.#entries.at(this.#unsent); entry; entry = this.#entries.at(this.#unsent)) {
      this.#unsent += 1;
      if (entry.frame) {
        entry.firstSentAt = now;
        entry.lastSentAt = now;
        return entry.frame;
      }
    }
    const timeout = this.pollTimeout();
    const head = this.#entries.front();
    if (timeout === null || now < timeout || !head) {
      return null;
    }
    head.lastSentAt = now;
    return head.frame;
  }

  /** When the oldest message is to be resent. */
  pollTimeout(): number | null {
    const head = this.#entries.front();
    const isSent = this.#connected && this.#unsent > 0 && head !== undefined && head.firstSentAt !== null;
    return isSent ? head.lastSentAt + this.#rto.resendAfterMs : null;
  }

  /**
   * A message that the peer has had already. Whoever gets it acknowledges it again and does nothing else: a question
   * whether anybody is there, for clients that cannot send pings.
   */
  probe(): Uint8Array<ArrayBuffer> | null {
    return this.#connected ? this.#lastAcknowledged : null;
  }

  /** A new connection is there: everything is due again, in order. */
  handleConnected(): void {
    this.#connected = true;
    this.#unsent = 0;
  }

  /** Nothing is due until there is a connection. */
  handleDisconnected(): void {
    this.#connected = false;
  }

  isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** The number of the oldest message that is not acknowledged, or of the next one. */
  get first(): bigint {
    return this.#first;
  }

  /** The number of the next message. */
  get next(): bigint {
    return this.#first + BigInt(this.#entries.length);
  }

  /** Size of the frames that await acknowledgement. */
  get bytes(): number {
    return this.#bytes;
  }
}
