// Payloads of data channels, and the text frame that opens one. Mirrors crates/protocol/src/payload.rs.
//
// Source: aws/session-manager-plugin, src/message/clientmessage.go and src/service/openDataChannelInput.go. Keys are
// written with AWS's exact spelling and order, and read in any case, as Go's decoder does.

import { type AgentMessage, Flags, MessageType, PayloadType, type Stamp } from './message.ts';

/** Why a payload could not be read. Says nothing of the payload's content, which may be secret. */
export class PayloadError extends Error {
  override readonly name = 'PayloadError';
}

/** The version of the schema that opens channels. */
export const MESSAGE_SCHEMA_VERSION = '1.0';

/** The client's terminal in characters: payload type Size. */
export interface Size {
  cols: number;
  rows: number;
}

/** A number with a meaning: payload type Flag. */
export const Flag = { DisconnectToPort: 1, TerminateSession: 2, ConnectToPortError: 3 } as const;

/** Why a channel was closed. */
export interface ChannelClosed {
  /** For the user; often empty. From the server, but it may quote the node: text, never markup. */
  output: string;
  /** Ours: what the remote command exited with. */
  exitCode: number | null;
}

/** First text frame of a data channel. */
export interface OpenDataChannel {
  /** A new UUID for each connection. */
  requestId: string;
  /** What admits the sender, once. */
  tokenValue: string;
  /** A UUID of this client over all its connections; who sends one can shake hands. */
  clientId: string;
  clientVersion: string;
  /** Ours: the client's terminal, so that the shell starts with the right size. */
  size: Size | null;
  /** Ours: the client takes the session over from another one. */
  takesOver: boolean;
}

/** Where the input of a session stands, for a client that takes it over; or why it may not. */
export type InputPlace =
  | {
      /** Messages before this one the agent has acknowledged. */
      readonly first: bigint;
      /** No message from this one on was ever sent. */
      readonly next: bigint;
    }
  | { readonly refused: string };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** JSON as AWS's programs write it: no spaces, keys in the order of the object. */
export function toJson(value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(value));
}

/** One JSON object whose fields are found whatever the case of their keys; `null` is as good as absent. */
export class Fields {
  readonly #values: Map<string, unknown>;

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new PayloadError('an object was expected');
    }
    this.#values = new Map();
    for (const [key, field] of Object.entries(value)) {
      if (field !== null) {
        this.#values.set(key.toLowerCase(), field);
      }
    }
  }

  static parse(json: Uint8Array): Fields {
    let value: unknown;
    try {
      value = JSON.parse(decoder.decode(json));
    } catch {
      throw new PayloadError('not JSON');
    }
    return new Fields(value);
  }

  /** The field as it is; `undefined` if it is absent. */
  raw(key: string): unknown {
    return this.#values.get(key.toLowerCase());
  }

  text(key: string, absent = ''): string {
    const value = this.raw(key) ?? absent;
    if (typeof value !== 'string') {
      throw new PayloadError(`${key} is not a text`);
    }
    return value;
  }

  /** A whole number; `undefined` if it is absent. */
  integer(key: string): number | undefined {
    const value = this.raw(key);
    if (value !== undefined && !Number.isSafeInteger(value)) {
      throw new PayloadError(`${key} is not a whole number`);
    }
    return value as number | undefined;
  }
}

export function sizeToJson({ cols, rows }: Size): Uint8Array<ArrayBuffer> {
  return toJson({ cols, rows });
}

export function sizeFromJson(json: Uint8Array): Size {
  const fields = Fields.parse(json);
  const [cols, rows] = [fields.integer('cols'), fields.integer('rows')];
  if (cols === undefined || rows === undefined) {
    throw new PayloadError('cols or rows is missing');
  }
  return { cols, rows };
}

/** The acknowledgement of a stream message. */
export function acknowledgement(
  received: { messageType: string; messageId: string; sequenceNumber: bigint },
  stamp: Stamp,
): AgentMessage {
  // Numbers above 2^53 cannot come up: the inbox takes no gaps that wide.
  const payload = toJson({
    AcknowledgedMessageType: received.messageType,
    AcknowledgedMessageId: received.messageId,
    AcknowledgedMessageSequenceNumber: Number(received.sequenceNumber),
    IsSequentialMessage: true,
  });
  return controlMessage(MessageType.Acknowledge, Flags.SynFin, payload, stamp);
}

/** The number that an acknowledgement is about: all that senders look at. */
export function acknowledgedNumber(json: Uint8Array): bigint {
  const number = Fields.parse(json).integer('AcknowledgedMessageSequenceNumber');
  if (number === undefined) {
    throw new PayloadError('AcknowledgedMessageSequenceNumber is missing');
  }
  return BigInt(number);
}

/** Reads a `channel_closed`. The end is the message: AWS's plugin takes unreadable content for none, and so do we. */
export function channelClosed(json: Uint8Array): ChannelClosed {
  try {
    const fields = Fields.parse(json);
    return { output: fields.text('Output'), exitCode: fields.integer('ExitCode') ?? null };
  } catch (error) {
    if (error instanceof PayloadError) {
      return { output: '', exitCode: null };
    }
    throw error;
  }
}

/** The text of a `postern_notice`. */
export function noticeText(json: Uint8Array): string {
  return Fields.parse(json).text('Text');
}

/** Reads a `postern_input_place`. */
export function inputPlace(json: Uint8Array): InputPlace {
  const fields = Fields.parse(json);
  const taken = fields.raw('Taken');
  if (taken === undefined) {
    return { refused: fields.text('Refused') };
  }
  const numbers = new Fields(taken);
  const [first, next] = [numbers.integer('First'), numbers.integer('Next')];
  if (first === undefined || next === undefined || first < 0 || next < first) {
    throw new PayloadError('no place');
  }
  return { first: BigInt(first), next: BigInt(next) };
}

export function openDataChannelText(open: OpenDataChannel): string {
  return JSON.stringify({
    MessageSchemaVersion: MESSAGE_SCHEMA_VERSION,
    RequestId: open.requestId,
    TokenValue: open.tokenValue,
    ClientId: open.clientId,
    ClientVersion: open.clientVersion,
    ...(open.size && { Size: open.size }),
    ...(open.takesOver && { TakesOver: true }),
  });
}

export function flagToPayload(flag: number): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, flag);
  return payload;
}

/** The number in a payload of type ExitCode (`EXIT_CODE: n`), or `null`. */
export function exitCodeFromText(payload: Uint8Array): number | null {
  const digits = /^\s*EXIT_CODE:\s*(-?\d{1,10})\s*$/.exec(decoder.decode(payload))?.[1];
  return digits === undefined ? null : Number(digits);
}

function controlMessage(
  messageType: string,
  flags: bigint,
  payload: Uint8Array<ArrayBuffer>,
  stamp: Stamp,
): AgentMessage {
  return { messageType, flags, payload, sequenceNumber: 0n, payloadType: PayloadType.None, ...stamp };
}
