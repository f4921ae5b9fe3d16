// The receiving half of a data channel: it puts messages in order, drops duplicates, and says which to acknowledge.
// Mirrors crates/protocol/src/inbox.rs.
//
// A message is acknowledged once the application has consumed it, so acknowledgements tell the sender how fast the
// receiver is. Everything that does not fit is dropped without an acknowledgement: its sender will send it again.

import type { AgentMessage } from './message.ts';
import { Queue } from './queue.ts';

/** How much an inbox holds. */
export interface InboxLimits {
  /** Messages that wait for an earlier one. */
  outOfOrderMessagesMax: number;
  /** Their payloads. */
  outOfOrderBytesMax: number;
  /** Messages in order that the application has not consumed. */
  unconsumedMessagesMax: number;
  /** Their payloads. */
  unconsumedBytesMax: number;
}

/** A message of the stream, in its turn. */
export interface StreamMessage {
  /** Its position; to be acknowledged when it is consumed. */
  sequenceNumber: bigint;
  payloadType: number;
  payload: Uint8Array;
}

/** An acknowledgement that is due. */
export interface Due {
  sequenceNumber: bigint;
  messageId: string;
}

interface Delivered {
  messageId: string;
  payloadBytes: number;
  consumed: boolean;
}

/** Stream messages from their arrival to their consumption. */
export class Inbox {
  readonly #limits: InboxLimits;
  /** In order, consumed or not, from the first that is not consumed. */
  readonly #delivered = new Queue<Delivered>();
  /** The number of the first of them, or the next expected number if there is none. */
  #first = 0n;
  /** Whether the first message that comes says where the stream is. */
  #isFirstUnknown: boolean;
  #deliveredBytes = 0;
  /** Messages that came too early. */
  readonly #early = new Map<bigint, AgentMessage>();
  #earlyBytes = 0;
  readonly #due = new Queue<Due>();

  /**
   * An inbox that expects number 0, or, `in-the-middle`, the number of whatever comes first: after a new connection a
   * sender begins with its oldest message that is not acknowledged.
   */
  constructor(limits: InboxLimits, begins: 'at-zero' | 'in-the-middle' = 'at-zero') {
    this.#limits = limits;
    this.#isFirstUnknown = begins === 'in-the-middle';
  }

  /** Takes a stream message, and gives those whose turn it is. */
  handleMessage(message: AgentMessage): StreamMessage[] {
    if (this.#isFirstUnknown && message.sequenceNumber >= 0n) {
      this.#isFirstUnknown = false;
      this.#first = message.sequenceNumber;
    }
    const expected = this.#expected();
    if (message.sequenceNumber < expected) {
      this.#handleDuplicate(message);
      return [];
    }
    if (message.sequenceNumber > expected) {
      this.#keep(message);
      return [];
    }
    if (!this.hasRoom()) {
      return [];
    }
    const inTurn = [this.#deliver(message)];
    for (let next = this.#early.get(this.#expected()); next; next = this.#early.get(this.#expected())) {
      this.#early.delete(next.sequenceNumber);
      this.#earlyBytes -= next.payload.length;
      inTurn.push(this.#deliver(next));
    }
    return inTurn;
  }

  /** The application consumed that message: its acknowledgement is due. Twice changes nothing. */
  consume(sequenceNumber: bigint): void {
    const delivered = this.#find(sequenceNumber);
    if (!delivered || delivered.consumed) {
      return;
    }
    delivered.consumed = true;
    this.#deliveredBytes -= delivered.payloadBytes;
    while (this.#delivered.front()?.consumed) {
      this.#delivered.shift();
      this.#first += 1n;
    }
    this.#makeDue({ sequenceNumber, messageId: delivered.messageId });
  }

  /** The next acknowledgement to send. */
  pollDue(): Due | undefined {
    return this.#due.shift();
  }

  /** Whether the next message in order would be taken. The last one may exceed the limit in bytes. */
  hasRoom(): boolean {
    return (
      this.#delivered.length < this.#limits.unconsumedMessagesMax &&
      this.#deliveredBytes < this.#limits.unconsumedBytesMax
    );
  }

  #expected(): bigint {
    return this.#first + BigInt(this.#delivered.length);
  }

  #find(sequenceNumber: bigint): Delivered | undefined {
    return sequenceNumber < this.#first ? undefined : this.#delivered.at(Number(sequenceNumber - this.#first));
  }

  /**
   * Acknowledges again what was consumed: its acknowledgement got lost. What is still to be consumed will be
   * acknowledged then.
   */
  #handleDuplicate({ sequenceNumber, messageId }: AgentMessage): void {
    const isConsumed = this.#find(sequenceNumber)?.consumed ?? true;
    if (isConsumed && sequenceNumber >= 0n) {
      this.#makeDue({ sequenceNumber, messageId });
    }
  }

  #keep(message: AgentMessage): void {
    const bytes = this.#earlyBytes + message.payload.length;
    const hasRoom = this.#early.size < this.#limits.outOfOrderMessagesMax && bytes <= this.#limits.outOfOrderBytesMax;
    if (hasRoom && !this.#early.has(message.sequenceNumber)) {
      this.#early.set(message.sequenceNumber, message);
      this.#earlyBytes = bytes;
    }
  }

  #deliver({ messageId, payloadType, payload }: AgentMessage): StreamMessage {
    const sequenceNumber = this.#expected();
    this.#deliveredBytes += payload.length;
    this.#delivered.push({ messageId, payloadBytes: payload.length, consumed: false });
    return { sequenceNumber, payloadType, payload };
  }

  /** An acknowledgement for which there is no room is forgotten: the sender will ask for it by a duplicate. */
  #makeDue(due: Due): void {
    if (this.#due.length < this.#limits.unconsumedMessagesMax) {
      this.#due.push(due);
    }
  }
}
