// The shared test vectors, in both directions: `vectors/data-channel/`, as crates/protocol/tests/vectors.rs.

import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { answer, handshakeRequest } from './handshake.ts';
import { type AgentMessage, DecodeError, decodeMessage, encodeMessage } from './message.ts';
import {
  acknowledgedNumber,
  acknowledgement,
  channelClosed,
  Fields,
  openDataChannelText,
  sizeFromJson,
  sizeToJson,
} from './payload.ts';

interface MessageVector {
  readonly name: string;
  readonly writes: boolean;
  readonly message: {
    readonly messageType: string;
    readonly createdMs: number | string;
    readonly sequenceNumber: number | string;
    readonly flags: number | string;
    readonly messageId: string;
    readonly payloadType: number;
    readonly payloadText?: string;
    readonly payloadHex?: string;
  };
  readonly frame: readonly (readonly [string, string])[];
}

interface Vectors {
  readonly messages: readonly MessageVector[];
  readonly refused: readonly { readonly name: string; readonly error: string; readonly frame: string }[];
}

interface PayloadVectors {
  readonly payloads: readonly { readonly type: string; readonly writes: boolean; readonly json: string }[];
}

const directory = `${import.meta.dirname}/../../../vectors/data-channel/`;
const { messages, refused } = JSON.parse(readFileSync(`${directory}agent-messages.json`, 'utf8')) as Vectors;
const { payloads } = JSON.parse(readFileSync(`${directory}payloads.json`, 'utf8')) as PayloadVectors;

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const utf8 = (text: string) => new TextEncoder().encode(text);

function messageOf({ message }: MessageVector): AgentMessage {
  const { payloadText, payloadHex } = message;
  return {
    messageType: message.messageType,
    createdMs: BigInt(message.createdMs),
    sequenceNumber: BigInt(message.sequenceNumber),
    flags: BigInt(message.flags),
    messageId: message.messageId,
    payloadType: message.payloadType,
    payload: payloadHex === undefined ? utf8(payloadText ?? '') : bytes(payloadHex),
  };
}

describe('every frame is read, and ours are written', () => {
  test.each(messages.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
    const frame = bytes(vector.frame.map(([, piece]) => piece).join(''));
    const message = messageOf(vector);
    const read = decodeMessage(frame);
    expect({ ...read, payload: hex(read.payload) }).toEqual({ ...message, payload: hex(message.payload) });
    expect(read.payload.buffer).toBe(frame.buffer);
    if (vector.writes) {
      expect(hex(encodeMessage(message))).toBe(hex(frame));
    }
  });
});

describe('bad frames are refused', () => {
  test.each(refused.map((vector) => [vector.name, vector] as const))('%s', (_, { error, frame }) => {
    const decode = () => decodeMessage(bytes(frame));
    expect(decode).toThrow(DecodeError);
    expect(decode).toThrow(expect.objectContaining({ kind: error }));
  });
});

test('a view into a larger buffer is read in its own bounds', () => {
  const frame = bytes(messages[0]?.frame.map(([, piece]) => piece).join('') ?? '');
  const buffer = new Uint8Array(frame.length + 20).fill(0xff);
  buffer.set(frame, 7);
  expect(hex(decodeMessage(buffer.subarray(7, 7 + frame.length)).payload)).toBe('6c730d');
});

describe('payloads of a client', () => {
  const vectors = (type: string) => payloads.filter((vector) => vector.type === type);

  test.each(vectors('Size'))('$json', ({ json, writes }) => {
    const size = sizeFromJson(utf8(json));
    expect(size).toEqual({ cols: 132, rows: 43 });
    expect(!writes || new TextDecoder().decode(sizeToJson(size)) === json).toBe(true);
  });

  test.each(vectors('Acknowledge'))('$json', ({ json, writes }) => {
    expect(acknowledgedNumber(utf8(json))).toBe(7n);
    const received = {
      messageType: 'output_stream_data',
      messageId: '01234567-89ab-4def-8123-456789abcdef',
      sequenceNumber: 7n,
    };
    const { payload } = acknowledgement(received, { messageId: crypto.randomUUID(), createdMs: 1n });
    expect(!writes || new TextDecoder().decode(payload) === json).toBe(true);
  });

  test.each(vectors('ChannelClosed'))('$json', ({ json }) => {
    const value = JSON.parse(json) as Record<string, unknown>;
    expect(channelClosed(utf8(json))).toEqual({ output: value['Output'] ?? '', exitCode: value['ExitCode'] ?? null });
  });

  test.each(vectors('HandshakeRequest'))('$json', ({ json }) => {
    const request = handshakeRequest(utf8(json));
    expect(request.agentVersion).toBe('3.3.987.0');
    expect(request.requestedClientActions[0]?.actionType).toBe('SessionType');
    expect(answer(request, 'postern/0.1.0').kind).toBe(json.includes('"Port"') ? 'port' : 'terminal');
  });

  test('the answer to a shell is what the plugin writes', () => {
    const plain = vectors('HandshakeRequest')[0]?.json ?? '';
    const { response } = answer(handshakeRequest(utf8(plain)), '1.2.0.0');
    expect(vectors('HandshakeResponse').map(({ json }) => json)).toContain(new TextDecoder().decode(response));
  });

  test('opening is written as Postern’s own client writes it', () => {
    const ours = vectors('OpenDataChannel').find(({ json }) => json.includes('postern/'))?.json ?? '';
    const fields = Fields.parse(utf8(ours));
    const text = openDataChannelText({
      takesOver: false,
      requestId: fields.text('RequestId'),
      tokenValue: fields.text('TokenValue'),
      clientId: fields.text('ClientId'),
      clientVersion: fields.text('ClientVersion'),
      size: sizeFromJson(utf8(JSON.stringify(fields.raw('Size')))),
    });
    expect(text).toBe(ours);
  });
});
