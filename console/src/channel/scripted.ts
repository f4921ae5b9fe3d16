// A server and an agent that tests script, for sessions in virtual time.

import { DataChannel } from './channel.ts';
import { encodeMessage, MessageType, PayloadType, type Stamp } from './message.ts';
import type { Ticket } from './state.ts';

export const utf8 = (text: string) => new TextEncoder().encode(text);
export const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
export const stamp = (): Stamp => ({ messageId: crypto.randomUUID(), createdMs: 1n });
export const TICKET: Ticket = { streamUrl: 'wss://server/v1/data-channel/alice-1', tokenValue: 'token-1' };

/** A websocket whose other end is the test. */
export class FakeSocket extends EventTarget {
  binaryType = '';
  bufferedAmount = 0;
  readonly sent: (string | Uint8Array)[] = [];
  isClosed = false;
  readonly url: string;

  constructor(url: string) {
    super();
    this.url = url;
  }

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(): void {
    this.isClosed = true;
  }

  open(): void {
    this.dispatchEvent(new Event('open'));
  }

  drop(): void {
    this.dispatchEvent(new Event('close'));
  }

  deliver(frame: Uint8Array): void {
    this.dispatchEvent(new MessageEvent('message', { data: frame.slice().buffer }));
  }
}

/** The agent's end, with what it got. */
export class Agent {
  readonly channel = new DataChannel('agent');
  readonly received: { readonly payloadType: number; readonly text: string; readonly payload: Uint8Array }[] = [];

  constructor() {
    this.channel.handleConnected();
  }

  say(payload: string | Uint8Array, payloadType: number = PayloadType.Output): void {
    this.channel.send(payloadType, typeof payload === 'string' ? utf8(payload) : payload, stamp());
  }

  /** Carries everything both ways until nothing moves. */
  exchange(socket: FakeSocket): void {
    for (let isMoving = true; isMoving; ) {
      isMoving = false;
      for (const data of socket.sent.splice(0)) {
        if (typeof data !== 'string') {
          this.channel.handleFrame(data, performance.now());
          isMoving = true;
        }
      }
      for (let event = this.channel.pollEvent(); event; event = this.channel.pollEvent()) {
        if (event.type === 'stream') {
          this.received.push({ payloadType: event.payloadType, text: text(event.payload), payload: event.payload });
          this.channel.acknowledge(event.sequenceNumber);
        }
      }
      for (let frame = this.channel.pollTransmit(performance.now(), stamp); frame; frame = this.channel.pollTransmit(performance.now(), stamp)) {
        socket.deliver(frame);
        isMoving = true;
      }
    }
  }

  get typed(): string {
    return this.received.filter(({ payloadType }) => payloadType === PayloadType.Output).map(({ text }) => text).join('');
  }

  /** What was typed, as it came. */
  get inputs(): Uint8Array[] {
    return this.received.filter(({ payloadType }) => payloadType === PayloadType.Output).map(({ payload }) => payload);
  }

  get sizes(): string[] {
    return this.received.filter(({ payloadType }) => payloadType === PayloadType.Size).map(({ text }) => text);
  }
}

export function notice(said: string): Uint8Array {
  const payload = utf8(JSON.stringify({ Text: said }));
  return encodeMessage({ messageType: MessageType.Notice, sequenceNumber: 0n, flags: 0n, payloadType: 0, payload, ...stamp() });
}

export function inputPlace(place: object): Uint8Array {
  const payload = utf8(JSON.stringify(place));
  return encodeMessage({ messageType: MessageType.InputPlace, sequenceNumber: 0n, flags: 0n, payloadType: 0, payload, ...stamp() });
}

export function closed(output: string): Uint8Array {
  const payload = utf8(JSON.stringify({ Output: output }));
  return encodeMessage({ messageType: MessageType.ChannelClosed, sequenceNumber: 0n, flags: 0n, payloadType: 0, payload, ...stamp() });
}
