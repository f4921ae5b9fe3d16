"""Agent messages, written and read independently of the Rust decoder.

Layout: `AgentMessage` in aws/amazon-ssm-agent, agent/session/contracts/agentmessage.go. Integers are big-endian.
"""

import hashlib
import json
import struct
import time
import uuid
from dataclasses import dataclass, field, replace

HEADER_LENGTH = 116
# HeaderLength, MessageType, SchemaVersion, CreatedDate, SequenceNumber, Flags, MessageId, PayloadDigest, PayloadType,
# PayloadLength.
_HEAD = struct.Struct(">I32sIQqQ16s32sII")
assert _HEAD.size == HEADER_LENGTH + 4

INPUT = "input_stream_data"
OUTPUT = "output_stream_data"
ACKNOWLEDGE = "acknowledge"
CHANNEL_CLOSED = "channel_closed"
START_PUBLICATION = "start_publication"
PAUSE_PUBLICATION = "pause_publication"

SYN, FIN = 1, 2


class PayloadType:
    NONE = 0
    OUTPUT = 1
    ERROR = 2
    SIZE = 3
    PARAMETER = 4
    HANDSHAKE_REQUEST = 5
    HANDSHAKE_RESPONSE = 6
    HANDSHAKE_COMPLETE = 7
    ENC_CHALLENGE_REQUEST = 8
    ENC_CHALLENGE_RESPONSE = 9
    FLAG = 10
    STD_ERR = 11
    EXIT_CODE = 12


class Malformed(ValueError):
    """A frame that is no agent message."""


def _swap(sixteen: bytes) -> bytes:
    """A message id stands on the wire with its low half first."""
    return sixteen[8:] + sixteen[:8]


@dataclass
class Message:
    message_type: str
    sequence_number: int = 0
    flags: int = 0
    payload_type: int = PayloadType.NONE
    payload: bytes = b""
    message_id: uuid.UUID = field(default_factory=uuid.uuid4)
    created_ms: int = field(default_factory=lambda: int(time.time() * 1000))
    schema_version: int = 1
    digest: bytes | None = None  # None: the right one

    def encode(self) -> bytes:
        digest = hashlib.sha256(self.payload).digest() if self.digest is None else self.digest
        head = _HEAD.pack(
            HEADER_LENGTH,
            self.message_type.encode().ljust(32),
            self.schema_version,
            self.created_ms,
            self.sequence_number,
            self.flags,
            _swap(self.message_id.bytes),
            digest,
            self.payload_type,
            len(self.payload),
        )
        return head + self.payload

    def json(self):
        return json.loads(self.payload)

    def with_digest(self, digest: bytes) -> "Message":
        return replace(self, digest=digest)


def decode(frame: bytes) -> Message:
    if len(frame) < HEADER_LENGTH:
        raise Malformed(f"{len(frame)} bytes are too few")
    (header_length,) = struct.unpack_from(">I", frame)
    if not 112 <= header_length <= 4096 or header_length + 4 > len(frame):
        raise Malformed(f"header length {header_length} in a frame of {len(frame)} bytes")
    message_type, schema, created, sequence, flags, message_id, digest = struct.unpack_from(">32sIQqQ16s32s", frame, 4)
    # AWS's service sends `channel_closed` with a header of 112 bytes, which has no payload type.
    payload_type = struct.unpack_from(">I", frame, 112)[0] if header_length >= HEADER_LENGTH else 0
    payload = frame[header_length + 4 :]
    name = message_type.strip(b"\0").strip().decode("ascii")
    if not name or created == 0:
        raise Malformed("no message type or no date")
    if name in (INPUT, OUTPUT, ACKNOWLEDGE) and hashlib.sha256(payload).digest() != digest:
        raise Malformed("the digest is not the payload's")
    return Message(
        name, sequence, flags, payload_type, payload, uuid.UUID(bytes=_swap(message_id)), created, schema, digest
    )


def acknowledge(received: Message) -> Message:
    payload = {
        "AcknowledgedMessageType": received.message_type,
        "AcknowledgedMessageId": str(received.message_id),
        "AcknowledgedMessageSequenceNumber": received.sequence_number,
        "IsSequentialMessage": True,
    }
    return Message(ACKNOWLEDGE, 0, SYN | FIN, PayloadType.NONE, _compact(payload))


def size(columns: int, rows: int) -> bytes:
    return _compact({"cols": columns, "rows": rows})


def _compact(value) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
