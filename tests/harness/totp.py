"""Codes of a virtual MFA device (RFC 6238), as an authenticator app makes them."""

import base64
import hmac
import struct

STEP_S = 30


def code_at(seed: str, time_s: float) -> str:
    """The six digits that the app shows at that time, from the base32 text of its seed."""
    key = base64.b32decode(seed + "=" * (-len(seed) % 8))
    mac = hmac.new(key, struct.pack(">Q", int(time_s) // STEP_S), "sha1").digest()
    offset = mac[19] & 15
    return f"{(struct.unpack('>I', mac[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
