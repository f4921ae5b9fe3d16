// The agent message: the one frame format of data channels. Mirrors crates/protocol/src/message.rs.
//
// Source: `ClientMessage` in aws/session-manager-plugin, src/message/messageparser.go, and `AgentMessage` in
// aws/amazon-ssm-agent, agent/session/contracts/agentmessage.go. All integers are big-endian.

import { sha256 } from '@noble/hashes/sha2.js';

/** Where each field starts, and how long it is; every field follows the one before it. */
const FIELDS = {
  HeaderLength: [0, 4],
  MessageType: [4, 32],
  SchemaVersion: [36, 4],
  CreatedDate: [40, 8],
  SequenceNumber: [48, 8],
  Flags: [56, 8],
  MessageId: [64, 16],
  PayloadDigest: [80, 32],
  PayloadType: [112, 4],
  PayloadLength: [116, 4],
} as const;

type Field = keyof typeof FIELDS;

/** Bytes before the payload-length field, and the value that we write into the header-length field. */
export const HEADER_LENGTH = FIELDS.PayloadLength[0];
/** Bytes before the payload of a message that we write. */
export const PAYLOAD_OFFSET = HEADER_LENGTH + 4;
/** AWS's service sends `channel_closed` with a header that ends before the payload type. We never do. */
const HEADER_LENGTH_MIN = FIELDS.PayloadType[0];
/** Room for fields that a later version may add. No known writer exceeds 116. */
const HEADER_LENGTH_MAX = 4096;
const SCHEMA_VERSION = 1;

/** The message types that a data channel carries. Others are told by their name, and ignored. */
export const MessageType = {
  InputStreamData: 'input_stream_data',
  OutputStreamData: 'output_stream_data',
  Acknowledge: 'acknowledge',
  ChannelClosed: 'channel_closed',
  StartPublication: 'start_publication',
  PausePublication: 'pause_publication',
  AgentSessionState: 'agent_session_state',
  /** Ours, server to client: a text for the user that is no part of the stream. */
  Notice: 'postern_notice',
  /** Ours, server to client, to one that takes a session over: where the input stands. */
  InputPlace: 'postern_input_place',
} as const;

/** How to read the payload of a stream message. An unknown number survives as that number. */
export const PayloadType = {
  None: 0,
  Output: 1,
  Error: 2,
  Size: 3,
  Parameter: 4,
  HandshakeRequest: 5,
  HandshakeResponse: 6,
  HandshakeComplete: 7,
  EncChallengeRequest: 8,
  EncChallengeResponse: 9,
  Flag: 10,
  StdErr: 11,
  ExitCode: 12,
} as const;

/** Bit 0 is SYN, bit 1 is FIN. Decoration: no reader of AWS looks at it. */
export const Flags = { None: 0n, Syn: 1n, SynFin: 3n } as const;

/** One frame of a data channel. */
export interface AgentMessage {
  messageType: string;
  /** When its writer made it, in milliseconds since the Unix epoch. */
  createdMs: bigint;
  /** Position in its direction of the stream; 0 for messages that are not part of the stream. */
  sequenceNumber: bigint;
  flags: bigint;
  /** A random UUID, never used twice except in a resent message, which is the same bytes again. */
  messageId: string;
  payloadType: number;
  /** The content, encrypted already if the session is. */
  payload: Uint8Array;
}

/** What a new message needs from outside: an ID and the time. */
export interface Stamp {
  messageId: string;
  createdMs: bigint;
}

/** Why a frame is not an agent message. */
export type DecodeErrorKind =
  | 'TooShort'
  | 'HeaderLength'
  | 'MessageType'
  | 'CreatedDateZero'
  | 'PayloadDigest'
  | 'Payload';

export class DecodeError extends Error {
  override readonly name = 'DecodeError';
  readonly kind: DecodeErrorKind;

  constructor(kind: DecodeErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}

/**
 * Reads one frame. The payload is a view of `frame`: nothing is copied.
 *
 * Readers of AWS take the payload from `HeaderLength + 4` to the end of the frame, whatever `PayloadLength` says; so
 * does this one. The digest is verified for stream messages and acknowledgements only, because AWS's service sends its
 * own messages with wrong digests. An empty payload needs no digest.
 */
export function decodeMessage(frame: Uint8Array): AgentMessage {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const at = (field: Field): number => {
    const [start, length] = FIELDS[field];
    if (frame.length < start + length) {
      throw new DecodeError('TooShort', `frame ends before the end of ${field}`);
    }
    return start;
  };
  const bytes = (field: Field): Uint8Array => frame.subarray(at(field), at(field) + FIELDS[field][1]);

  const headerLength = view.getUint32(at('HeaderLength'));
  const messageType = readName(bytes('MessageType'));
  const createdMs = view.getBigUint64(at('CreatedDate'));
  const sequenceNumber = view.getBigInt64(at('SequenceNumber'));
  const flags = view.getBigUint64(at('Flags'));
  const messageId = readMessageId(bytes('MessageId'));
  const digest = bytes('PayloadDigest');
  if (headerLength < HEADER_LENGTH_MIN || headerLength > HEADER_LENGTH_MAX) {
    throw new DecodeError('HeaderLength', `HeaderLength ${headerLength} is not one that a writer would send`);
  }
  const payloadStart = headerLength + 4;
  const payloadType = payloadStart >= PAYLOAD_OFFSET ? view.getUint32(at('PayloadType')) : PayloadType.None;
  if (frame.length < payloadStart) {
    throw new DecodeError('TooShort', 'frame ends before the end of PayloadLength');
  }
  // Both are so in AWS's readers; its plugin lets publication messages pass without any check.
  if (createdMs === 0n && !isPublication(messageType)) {
    throw new DecodeError('CreatedDateZero', 'CreatedDate is zero');
  }
  const payload = frame.subarray(payloadStart);
  const needsDigest = isStream(messageType) || messageType === MessageType.Acknowledge;
  if (needsDigest && payload.length > 0 && !isHexadecimalText(digest) && !equal(sha256(payload), digest)) {
    throw new DecodeError('PayloadDigest', 'payload does not have the SHA-256 digest that PayloadDigest gives');
  }
  return { messageType, createdMs, sequenceNumber, flags, messageId, payloadType, payload };
}

/** Writes the frame, with schema version 1 and the digest of the payload. A name that is too long is cut. */
export function encodeMessage(message: AgentMessage): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(PAYLOAD_OFFSET + message.payload.length);
  const view = new DataView(frame.buffer);
  const [nameStart, nameLength] = FIELDS.MessageType;
  view.setUint32(FIELDS.HeaderLength[0], HEADER_LENGTH);
  frame.fill(0x20, nameStart, nameStart + nameLength);
  frame.set(new TextEncoder().encode(message.messageType).subarray(0, nameLength), nameStart);
  view.setUint32(FIELDS.SchemaVersion[0], SCHEMA_VERSION);
  view.setBigUint64(FIELDS.CreatedDate[0], message.createdMs);
  view.setBigInt64(FIELDS.SequenceNumber[0], message.sequenceNumber);
  view.setBigUint64(FIELDS.Flags[0], message.flags);
  frame.set(writeMessageId(message.messageId), FIELDS.MessageId[0]);
  frame.set(sha256(message.payload), FIELDS.PayloadDigest[0]);
  view.setUint32(FIELDS.PayloadType[0], message.payloadType);
  view.setUint32(FIELDS.PayloadLength[0], message.payload.length);
  frame.set(message.payload, PAYLOAD_OFFSET);
  return frame;
}

/** Whether messages of this type are numbered and acknowledged. */
export function isStream(messageType: string): boolean {
  return messageType === MessageType.InputStreamData || messageType === MessageType.OutputStreamData;
}

function isPublication(messageType: string): boolean {
  return messageType === MessageType.StartPublication || messageType === MessageType.PausePublication;
}

/**
 * Writers pad with spaces, AWS's service with NULs: readers trim NULs first, then white space. A name that cannot be
 * printed safely is of no use to anybody.
 */
function readName(padded: Uint8Array): string {
  const name = String.fromCharCode(...padded)
    .replace(/^\0+|\0+$/g, '')
    .trim();
  if (!/^[\x21-\x7e]+$/.test(name)) {
    throw new DecodeError('MessageType', 'MessageType is not a name');
  }
  return name;
}

/** A message ID is written low half first: bytes 8..16 of the UUID, then bytes 0..8. */
function readMessageId(bytes: Uint8Array): string {
  const hex = [...bytes.subarray(8), ...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function writeMessageId(id: string): Uint8Array {
  const hex = id.replaceAll('-', '');
  const uuid = Uint8Array.from({ length: 16 }, (_, index) => Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16));
  const swapped = new Uint8Array(16);
  swapped.set(uuid.subarray(8), 0);
  swapped.set(uuid.subarray(0, 8), 8);
  return swapped;
}

/**
 * npm's `ssm-session` writes the first 32 hexadecimal digits of the digest instead of its 32 bytes, and for some
 * payloads those of another text. There is nothing to verify then, as in AWS's agent, which verifies no digest. A digest
 * of bytes looks like this once in 10^38 times.
 */
function isHexadecimalText(digest: Uint8Array): boolean {
  return digest.every((byte) => (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x66));
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
