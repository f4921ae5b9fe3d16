// Two ends of a data channel, without a socket and in virtual time. The properties are those of
// crates/protocol/tests/lossy_link.rs: whatever the link does, everything arrives once and in order, in both directions.

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { DataChannel } from './channel.ts';
import { type ChannelLimits, DEFAULT_LIMITS } from './limits.ts';
import { decodeMessage, encodeMessage, Flags, MessageType, PayloadType, type Stamp } from './message.ts';

const stamp = (): Stamp => ({ messageId: '00000000-0000-4000-8000-000000000009', createdMs: 1n });
const utf8 = (text: string) => new TextEncoder().encode(text);

function connected(role: 'client' | 'agent', limits?: ChannelLimits): DataChannel {
  const channel = new DataChannel(role, limits);
  channel.handleConnected();
  return channel;
}

function frames(channel: DataChannel, now = 0): Uint8Array[] {
  const all = [];
  for (let frame = channel.pollTransmit(now, stamp); frame; frame = channel.pollTransmit(now, stamp)) {
    all.push(frame);
  }
  return all;
}

const numbers = (all: Uint8Array[]) => all.map((frame) => Number(decodeMessage(frame).sequenceNumber));

function output(sequenceNumber: bigint, payload = 'x'): Uint8Array {
  const { OutputStreamData } = MessageType;
  const payloadType = PayloadType.Output;
  return encodeMessage({ messageType: OutputStreamData, sequenceNumber, flags: 0n, payloadType, payload: utf8(payload), ...stamp() });
}

function control(messageType: string, payload: string): Uint8Array {
  return encodeMessage({ messageType, sequenceNumber: 0n, flags: Flags.SynFin, payloadType: 0, payload: utf8(payload), ...stamp() });
}

function received(channel: DataChannel): number[] {
  const all = [];
  for (let event = channel.pollEvent(); event; event = channel.pollEvent()) {
    if (event.type === 'stream') {
      all.push(Number(event.sequenceNumber));
    }
  }
  return all;
}

test('a message is acknowledged once it is consumed', () => {
  const client = connected('client');
  client.handleFrame(output(0n), 0);
  expect(received(client)).toEqual([0]);
  expect(frames(client)).toEqual([]);
  client.handleFrame(output(0n), 0);
  expect(frames(client), 'a duplicate of what is not consumed says nothing').toEqual([]);

  client.acknowledge(0n);
  client.acknowledge(0n);
  const [acknowledge, ...more] = frames(client);
  expect(more).toEqual([]);
  const message = decodeMessage(acknowledge ?? new Uint8Array());
  expect([message.messageType, message.flags]).toEqual(['acknowledge', 3n]);
  expect(new TextDecoder().decode(message.payload)).toBe(
    '{"AcknowledgedMessageType":"output_stream_data","AcknowledgedMessageId":"00000000-0000-4000-8000-000000000009","AcknowledgedMessageSequenceNumber":0,"IsSequentialMessage":true}',
  );
  client.handleFrame(output(0n), 0);
  expect(frames(client), 'a duplicate of what is consumed is acknowledged again').toHaveLength(1);
});

test('what comes too early is kept within limits', () => {
  const client = connected('client', { ...DEFAULT_LIMITS, outOfOrderMessagesMax: 2, outOfOrderBytesMax: 100 });
  for (const number of [3n, 2n, 2n, 1n]) {
    client.handleFrame(output(number), 0);
  }
  client.handleFrame(output(0n), 0);
  expect(received(client), 'the third early message found no room').toEqual([0]);
  client.handleFrame(output(1n), 0);
  expect(received(client)).toEqual([1, 2, 3]);
});

test('what the application does not consume is bounded', () => {
  const client = connected('client', { ...DEFAULT_LIMITS, unconsumedMessagesMax: 4 });
  for (let number = 0n; number < 6n; number += 1n) {
    client.handleFrame(output(number), 0);
  }
  expect(received(client)).toEqual([0, 1, 2, 3]);
  client.acknowledge(0n);
  client.handleFrame(output(4n), 0);
  expect(received(client), 'the fifth was kept as an early one').toEqual([4, 5]);
});

test('only the oldest message is resent, as the same bytes', () => {
  const client = connected('client');
  for (let count = 0; count < 3; count += 1) {
    client.send(PayloadType.Output, utf8('x'), stamp());
  }
  const sent = frames(client, 0);
  expect(numbers(sent)).toEqual([0, 1, 2]);
  expect(frames(client, 199)).toEqual([]);
  expect(client.pollTimeout()).toBe(200);
  expect(frames(client, 200)).toEqual([sent[0]]);
});

test('a new connection makes everything unacknowledged due at once', () => {
  const client = connected('client');
  for (let count = 0; count < 4; count += 1) {
    client.send(PayloadType.Output, utf8('x'), stamp());
  }
  frames(client);
  client.handleFrame(control(MessageType.Acknowledge, '{"AcknowledgedMessageSequenceNumber":2}'), 30);
  expect(client.rttMs).toBe(30);
  client.handleDisconnected();
  expect([frames(client, 900), client.pollTimeout()]).toEqual([[], null]);
  client.handleConnected();
  expect(numbers(frames(client, 900))).toEqual([0, 1, 3]);
});

test('a full outbox takes nothing', () => {
  const client = connected('client', { ...DEFAULT_LIMITS, unacknowledgedMessagesMax: 1 });
  expect(client.send(PayloadType.Output, utf8('x'), stamp())).toBe(0n);
  expect([client.hasRoom(), client.send(PayloadType.Output, utf8('x'), stamp())]).toEqual([false, null]);
});

test('a probe is a message that the peer has had', () => {
  const client = connected('client');
  client.send(PayloadType.Output, utf8('x'), stamp());
  const [frame] = frames(client);
  expect(client.probe()).toBeNull();
  client.handleFrame(control(MessageType.Acknowledge, '{"AcknowledgedMessageSequenceNumber":0}'), 1);
  expect(client.probe()).toBe(frame);
});

test('only the agent’s first message carries SYN', () => {
  const flags = (role: 'client' | 'agent') => {
    const channel = connected(role);
    channel.send(PayloadType.Output, utf8('x'), stamp());
    channel.send(PayloadType.Output, utf8('x'), stamp());
    return frames(channel).map((frame) => decodeMessage(frame).flags);
  };
  expect([flags('agent'), flags('client')]).toEqual([[1n, 0n], [0n, 0n]]);
});

test('events outside the stream are told, within a bound', () => {
  const client = connected('client');
  client.handleFrame(control('start_publication', '{}'), 0);
  client.handleFrame(control('new_in_2030', '{}'), 0);
  client.handleFrame(control('channel_closed', '{"Output":"bye","ExitCode":3}'), 0);
  client.handleFrame(control('channel_closed', '{"Output":"again"}'), 0);
  expect([client.pollEvent(), client.pollEvent(), client.pollEvent()]).toEqual([
    { type: 'start-publication' },
    { type: 'closed', output: 'bye', exitCode: 3 },
    undefined,
  ]);
  for (let count = 0; count < 1000; count += 1) {
    client.handleFrame(control('pause_publication', '{}'), 0);
  }
  let told = 0;
  while (client.pollEvent()) {
    told += 1;
  }
  expect(told).toBe(32);
});

test('hostile numbers change nothing', () => {
  const client = connected('client');
  client.send(PayloadType.Output, utf8('x'), stamp());
  frames(client);
  for (const number of [-(2n ** 63n), -1n, 2n ** 63n - 1n]) {
    client.handleFrame(output(number), 0);
    client.acknowledge(number);
  }
  for (const number of ['-1', '1', '9007199254740991']) {
    client.handleFrame(control(MessageType.Acknowledge, `{"AcknowledgedMessageSequenceNumber":${number}}`), 0);
  }
  expect(() => client.handleFrame(control(MessageType.Acknowledge, '{}'), 0)).toThrow('acknowledge');
  expect([received(client), frames(client), client.isDrained()]).toEqual([[], [], false]);
});

/** What the link does with one frame. */
type Fate =
  | { readonly kind: 'arrives'; readonly after: readonly number[] }
  /** The connection breaks, with everything on its way, and comes back. */
  | { readonly kind: 'disconnects'; readonly for: number };

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 4, arbitrary: fc.nat(300).map((after): Fate => ({ kind: 'arrives', after: [after] })) },
  { weight: 1, arbitrary: fc.tuple(fc.nat(300), fc.nat(900)).map((after): Fate => ({ kind: 'arrives', after })) },
  { weight: 2, arbitrary: fc.constant<Fate>({ kind: 'arrives', after: [] }) },
  { weight: 1, arbitrary: fc.nat(3000).map((time): Fate => ({ kind: 'disconnects', for: time })) },
);

/** One end with its application, which consumes after a while. */
class End {
  readonly received: string[] = [];
  holds: { readonly at: number; readonly number: bigint }[] = [];
  readonly channel: DataChannel;
  readonly toSend: string[];

  constructor(role: 'client' | 'agent', limits: ChannelLimits, payloads: readonly string[]) {
    this.channel = new DataChannel(role, limits);
    this.toSend = [...payloads];
  }

  get isDone(): boolean {
    return this.toSend.length === 0 && this.channel.isDrained();
  }

  run(now: number, consumeAfter: number): void {
    while (this.toSend.length > 0 && this.channel.send(PayloadType.Output, utf8(this.toSend[0] ?? ''), stamp()) !== null) {
      this.toSend.shift();
    }
    for (let event = this.channel.pollEvent(); event; event = this.channel.pollEvent()) {
      if (event.type === 'stream') {
        this.received.push(new TextDecoder().decode(event.payload));
        this.holds.push({ at: now + consumeAfter, number: event.sequenceNumber });
      }
    }
    const consumed = this.holds.filter(({ at }) => at <= now);
    this.holds = this.holds.filter(({ at }) => at > now);
    consumed.forEach(({ number }) => this.channel.acknowledge(number));
  }
}

/** Runs both ends until everything is acknowledged, in virtual time. */
function carry(input: string[], outputs: string[], limits: ChannelLimits, fates: Fate[], consumeAfter: number) {
  const LATENCY = 20;
  const client = new End('client', limits, input);
  const agent = new End('agent', limits, outputs);
  const ends = [client, agent];
  let onTheWay: { at: number; to: End; frame: Uint8Array }[] = [];
  let connectsAt: number | null = 0;
  let now = 0;
  const transmit = (from: End, to: End) => {
    for (let frame = from.channel.pollTransmit(now, stamp); frame; frame = from.channel.pollTransmit(now, stamp)) {
      const sent = frame;
      const fate = fates.shift() ?? { kind: 'arrives', after: [LATENCY] };
      if (fate.kind === 'arrives') {
        fate.after.forEach((after) => onTheWay.push({ at: now + after, to, frame: sent }));
      } else {
        onTheWay = [];
        connectsAt = now + fate.for;
        ends.forEach((end) => end.channel.handleDisconnected());
      }
    }
  };
  while (!ends.every((end) => end.isDone)) {
    if (connectsAt !== null && connectsAt <= now) {
      connectsAt = null;
      ends.forEach((end) => end.channel.handleConnected());
    }
    const arrived = onTheWay.filter(({ at }) => at <= now).sort((a, b) => a.at - b.at);
    onTheWay = onTheWay.filter(({ at }) => at > now);
    arrived.forEach(({ to, frame }) => to.channel.handleFrame(frame, now));
    ends.forEach((end) => end.run(now, consumeAfter));
    transmit(client, agent);
    transmit(agent, client);
    const next = [
      ...onTheWay.map(({ at }) => at),
      ...ends.flatMap((end) => end.holds.map(({ at }) => at)),
      ...ends.map((end) => end.channel.pollTimeout() ?? Number.POSITIVE_INFINITY),
      connectsAt ?? Number.POSITIVE_INFINITY,
    ].reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    if (next < 3_600_000) {
      now = next;
    } else if (!ends.every((end) => end.isDone)) {
      throw new Error('nothing gets through any more');
    }
  }
  return { input: agent.received, output: client.received, now };
}

/** Limits so small that all of them are reached. */
const NARROW: ChannelLimits = {
  unacknowledgedBytesMax: 2000,
  unacknowledgedMessagesMax: 8,
  outOfOrderMessagesMax: 3,
  outOfOrderBytesMax: 100,
  unconsumedMessagesMax: 5,
  unconsumedBytesMax: 200,
};

describe('a bad link', () => {
  const payloads = fc.array(fc.string({ maxLength: 40 }), { maxLength: 40 });

  test('delivers all once in order', () => {
    const consumeAfter = fc.oneof(fc.constant(0), fc.nat(2000));
    fc.assert(
      fc.property(payloads, payloads, fc.array(fate, { maxLength: 300 }), consumeAfter, fc.boolean(), (input, outputs, fates, after, narrow) => {
        const carried = carry(input, outputs, narrow ? NARROW : DEFAULT_LIMITS, [...fates], after);
        expect(carried.input).toEqual(input);
        expect(carried.output).toEqual(outputs);
      }),
    );
  }, 60_000);

  test('that lost a thousand messages has them one latency after the next connection', () => {
    const outputs = Array.from({ length: 1000 }, (_, number) => String(number));
    const lost: Fate[] = Array.from({ length: 999 }, () => ({ kind: 'arrives', after: [] }));
    const carried = carry([], outputs, DEFAULT_LIMITS, [...lost, { kind: 'disconnects', for: 500 }], 0);
    expect(carried.output).toEqual(outputs);
    expect(carried.now).toBeLessThan(600);
  });
});
