// One end of a data channel: numbering, acknowledging, resending and putting in order, over any number of connections.
// No socket and no clock: mirrors crates/protocol/src/channel.rs. Times are milliseconds of one monotonic clock.
//
// The driver owns the websocket and the clock. After every `handle…`, `send` and `acknowledge` it drains `pollEvent` and
// `pollTransmit`, then waits for a frame, its own data or `pollTimeout`.

import { Inbox, type StreamMessage } from './inbox.ts';
import { type ChannelLimits, DEFAULT_LIMITS } from './limits.ts';
import { DecodeError, decodeMessage, encodeMessage, MessageType, type Stamp } from './message.ts';
import { Outbox } from './outbox.ts';
import { acknowledgedNumber, acknowledgement, type ChannelClosed, channelClosed, type InputPlace, inputPlace, noticeText, PayloadError } from './payload.ts';
import { Queue } from './queue.ts';

/** The peer controls how many of these arrive. More than a few pending ones say nothing new. */
const CONTROL_EVENTS_MAX = 32;

/** The user's side sends input; the node's side sends output. Browsers are clients; tests need both. */
export type Role = 'client' | 'agent';

/** What happened, in the order in which it happened. */
export type ChannelEvent =
  /** The next message of the stream; to be acknowledged when it is consumed. */
  | ({ type: 'stream' } & StreamMessage)
  /** The session is over. */
  | ({ type: 'closed' } & ChannelClosed)
  /** The other side is there. */
  | { type: 'start-publication' }
  /** The other side is away. What is sent waits. */
  | { type: 'pause-publication' }
  /** The server tells the user something. */
  | { type: 'notice'; text: string }
  /** Where the input stands, for a client that takes the session over. */
  | { type: 'place'; place: InputPlace };

export class DataChannel {
  readonly #receives: string;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #events = new Queue<ChannelEvent>();
  #controlEvents = 0;
  #connected = false;
  #closed = false;
  #rttMs: number | null = null;

  /**
   * A data channel without a connection: tell it by `handleConnected`. With `sendsFrom` it takes the place of one that is
   * gone: it sends from that number on, and receives from wherever the peer is.
   */
  constructor(role: Role, limits: ChannelLimits = DEFAULT_LIMITS, sendsFrom?: bigint) {
    const { InputStreamData, OutputStreamData } = MessageType;
    const [sends, receives] =
      role === 'client' ? [InputStreamData, OutputStreamData] : [OutputStreamData, InputStreamData];
    this.#receives = receives;
    this.#outbox = new Outbox(sends, limits.unacknowledgedBytesMax, limits.unacknowledgedMessagesMax, sendsFrom);
    this.#inbox = new Inbox(limits, sendsFrom === undefined ? 'at-zero' : 'in-the-middle');
  }

  /** What is sent has numbers from that one on. Nothing may have been sent yet. */
  beginAt(first: bigint): void {
    this.#outbox.beginAt(first);
  }

  /** Whether `send` would take a message. While it would not, do not read the source. */
  hasRoom(): boolean {
    return this.#outbox.hasRoom();
  }

  /** Adds a message to the stream and gives its number, or `null` if too much awaits acknowledgement. */
  send(payloadType: number, payload: Uint8Array, stamp: Stamp): bigint | null {
    return this.#outbox.push(payloadType, payload, stamp);
  }

  /**
   * Takes a binary frame from the websocket. Types that have no business here are ignored, as AWS's programs do. A frame
   * that cannot be read throws a `DecodeError`; it changed nothing: note it and go on.
   */
  handleFrame(frame: Uint8Array, now: number): void {
    const message = decodeMessage(frame);
    switch (message.messageType) {
      case this.#receives:
        for (const inTurn of this.#inbox.handleMessage(message)) {
          this.#events.push({ type: 'stream', ...inTurn });
        }
        break;
      case MessageType.Acknowledge:
        this.#rttMs = this.#outbox.handleAcknowledge(readAcknowledged(message.payload), now) ?? this.#rttMs;
        break;
      case MessageType.ChannelClosed:
        if (!this.#closed) {
          this.#closed = true;
          this.#controlEvents += 1;
          this.#events.push({ type: 'closed', ...channelClosed(message.payload) });
        }
        break;
      case MessageType.StartPublication:
        this.#pushControlEvent({ type: 'start-publication' });
        break;
      case MessageType.Notice:
        this.#pushControlEvent({ type: 'notice', text: noticeText(message.payload) });
        break;
      case MessageType.InputPlace:
        this.#pushControlEvent({ type: 'place', place: readPlace(message.payload) });
        break;
      case MessageType.PausePublication:
        this.#pushControlEvent({ type: 'pause-publication' });
        break;
    }
  }

  /** The next thing that happened. */
  pollEvent(): ChannelEvent | undefined {
    const event = this.#events.shift();
    if (event && event.type !== 'stream') {
      this.#controlEvents -= 1;
    }
    return event;
  }

  /** The application consumed the stream message of that number. The peer takes this as the sign to send more. */
  acknowledge(sequenceNumber: bigint): void {
    this.#inbox.consume(sequenceNumber);
  }

  /** The next frame to write: acknowledgements first, then the stream. */
  pollTransmit(now: number, stamp: () => Stamp): Uint8Array<ArrayBuffer> | null {
    if (!this.#connected) {
      return null;
    }
    const due = this.#inbox.pollDue();
    if (due) {
      return encodeMessage(acknowledgement({ messageType: this.#receives, ...due }, stamp()));
    }
    return this.#outbox.pollTransmit(now);
  }

  /** When to call `pollTransmit` again if nothing else happens first. */
  pollTimeout(): number | null {
    return this.#outbox.pollTimeout();
  }

  /** A frame that asks for an answer and changes nothing; `null` before anything was acknowledged. */
  probe(): Uint8Array<ArrayBuffer> | null {
    return this.#outbox.probe();
  }

  /** A new connection is open: everything unacknowledged is due again, in order. */
  handleConnected(): void {
    this.#connected = true;
    this.#outbox.handleConnected();
  }

  /** The connection is lost: nothing is due until the next one. */
  handleDisconnected(): void {
    this.#connected = false;
    this.#outbox.handleDisconnected();
  }

  /** The numbers of the oldest message that is not acknowledged, and of the next one. */
  get window(): { readonly first: bigint; readonly next: bigint } {
    return { first: this.#outbox.first, next: this.#outbox.next };
  }

  /** Whether the peer acknowledged everything that was sent. */
  isDrained(): boolean {
    return this.#outbox.isEmpty();
  }

  /** From sending the last acknowledged message to its acknowledgement by the agent; `null` before the first. */
  get rttMs(): number | null {
    return this.#rttMs;
  }

  #pushControlEvent(event: ChannelEvent): void {
    if (this.#controlEvents < CONTROL_EVENTS_MAX) {
      this.#controlEvents += 1;
      this.#events.push(event);
    }
  }
}

function readPlace(payload: Uint8Array): InputPlace {
  try {
    return inputPlace(payload);
  } catch (error) {
    if (error instanceof PayloadError) {
      throw new DecodeError('Payload', `payload of postern_input_place cannot be read: ${error.message}`);
    }
    throw error;
  }
}

function readAcknowledged(payload: Uint8Array): bigint {
  try {
    return acknowledgedNumber(payload);
  } catch (error) {
    if (error instanceof PayloadError) {
      throw new DecodeError('Payload', `payload of acknowledge cannot be read: ${error.message}`);
    }
    throw error;
  }
}
