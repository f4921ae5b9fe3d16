// One session of the type Port as a stream of bytes, the way AWS's plugin carries SSH: what is sent and received are the bytes
// of one connection at the node. Mirrors the stream mode of crates/client.
//
// A page cannot listen on a port, so this is for protocols that are spoken in the page itself.

import { type ChannelEvent, DataChannel } from './channel.ts';
import { Connection, newStamp } from './connection.ts';
import { answer, handshakeRequest, type Kind } from './handshake.ts';
import { PayloadType } from './message.ts';
import { Flag, flagToPayload } from './payload.ts';
import type { Failure, Network, State, Ticket } from './state.ts';
import { Queue } from './queue.ts';

/** The largest message that we send; as the Rust client. */
const CHUNK_BYTES = 32 * 1024;
/** How long the agent may take to end the session when it is asked to. */
const END_WITHIN_MS = 5000;

/** What a stream needs from outside. */
export interface StreamSurroundings extends Network {
  /** Takes the next bytes. They are acknowledged when this returns: whoever asks for more than it can hold has itself to blame. */
  readonly received: (bytes: Uint8Array) => void;
  readonly changed: (state: State) => void;
}

export class PortStream {
  readonly #outside: StreamSurroundings;
  readonly #channel = new DataChannel('client');
  readonly #connection: Connection;
  readonly #waiting = new Queue<Uint8Array>();
  #state: State = { kind: 'connecting' };
  #phase: 'waiting' | 'handshaking' | 'running' = 'waiting';
  #kind: Kind | null = null;
  #isNodeAway = false;
  /** What the agent wanted and we could not do. It ends the session then. */
  #refused: readonly string[] = [];
  #endTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(outside: StreamSurroundings, ticket: Ticket) {
    this.#outside = outside;
    this.#connection = new Connection(outside, this.#channel, crypto.randomUUID(), {
      size: () => null,
      opened: () => this.#tellConnected(),
      lost: (since) => this.#handleLost(since),
      handle: (event) => this.#handleEvent(event),
      fill: () => this.#takeWaiting(),
      dueAt: () => null,
      handleDue: () => {},
      over: () => this.#stop({ kind: 'ended', reason: '', exitCode: null }),
      failed: (why) => this.#fail(why),
    });
    this.#connection.begin(ticket);
  }

  get state(): State {
    return this.#state;
  }

  /** Sends, in order. What waits is not bounded here but by the protocol on top, which waits for answers. */
  send(bytes: Uint8Array): void {
    if (this.#isOver() || this.#endTimer !== undefined) {
      return;
    }
    for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
      this.#waiting.push(bytes.subarray(start, start + CHUNK_BYTES));
    }
    this.#connection.pump();
  }

  /** Tries to connect at once, if it is waiting to: the network is back, somebody looks at the page again. */
  hurry(): void {
    this.#connection.hurry();
  }

  /** Ends the session at the node. What still waits is not sent. Says whether the node could be told. */
  end(): boolean {
    if (this.#isOver() || this.#endTimer !== undefined) {
      return true;
    }
    if (this.#phase !== 'running' || !this.#connection.isOpen || !this.#channel.hasRoom()) {
      this.#fail({ code: 'left' });
      return false;
    }
    while (this.#waiting.shift()) {
      // Dropped.
    }
    this.#endTimer = setTimeout(() => this.#fail({ code: 'left' }), END_WITHIN_MS);
    this.#channel.send(PayloadType.Flag, flagToPayload(Flag.TerminateSession), newStamp());
    this.#connection.pump();
    return true;
  }

  #handleLost(since: number): void {
    if (this.#state.kind === 'connected') {
      this.#tell({ kind: 'reconnecting', since });
    }
  }

  #handleEvent(event: ChannelEvent): void {
    if (this.#isOver()) {
      return;
    }
    switch (event.type) {
      case 'stream':
        this.#handleStream(event.payloadType, event.payload);
        this.#channel.acknowledge(event.sequenceNumber);
        break;
      case 'closed':
        if (this.#refused.length > 0) {
          this.#fail({ code: 'unsupported', errors: this.#refused });
        } else {
          this.#stop({ kind: 'ended', reason: event.output, exitCode: event.exitCode });
        }
        break;
      case 'start-publication':
      case 'pause-publication':
        this.#isNodeAway = event.type === 'pause-publication';
        this.#tellConnected();
        break;
    }
  }

  #handleStream(payloadType: number, payload: Uint8Array): void {
    if (payloadType === PayloadType.HandshakeRequest) {
      this.#handleHandshakeRequest(payload);
    } else if (payloadType === PayloadType.HandshakeComplete && this.#phase === 'handshaking') {
      this.#begin();
    } else if (payloadType === PayloadType.Output && this.#phase === 'running') {
      this.#outside.received(payload);
    }
  }

  #handleHandshakeRequest(payload: Uint8Array): void {
    try {
      const { response, kind, errors } = answer(handshakeRequest(payload), this.#outside.clientVersion);
      this.#kind = kind;
      this.#phase = 'handshaking';
      this.#channel.send(PayloadType.HandshakeResponse, response, newStamp());
      this.#refused = errors;
    } catch {
      // Not a handshake: the agent will give up waiting for an answer.
    }
  }

  #begin(): void {
    if (this.#kind === 'port') {
      this.#phase = 'running';
      this.#tellConnected();
    } else {
      this.#fail({ code: 'unsupported', errors: [] });
    }
  }

  #takeWaiting(): void {
    while (this.#phase === 'running' && this.#waiting.length > 0 && this.#channel.hasRoom()) {
      this.#channel.send(PayloadType.Output, this.#waiting.shift() ?? new Uint8Array(), newStamp());
    }
  }

  #fail(why: Failure): void {
    this.#stop({ kind: 'failed', why });
  }

  #stop(state: State): void {
    if (!this.#isOver()) {
      clearTimeout(this.#endTimer);
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
