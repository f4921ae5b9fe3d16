"""Frames that no honest client or node would send: the session lives or ends cleanly, and nobody else notices."""

import contextlib
import json
import os
import struct
import time

import pytest
import websockets.exceptions
from harness import channel, wire
from harness.sockets import connect
from harness.waiting import eventually
from harness.wire import Message, PayloadType


@pytest.fixture
def bystander(lab, node):
    """Another session, which must not notice anything."""
    other = lab.session(node)
    other.run("true")
    yield other
    assert other.run("echo undisturbed") == "undisturbed\n"


def stream(number: int, payload: bytes, kind: int = PayloadType.OUTPUT) -> bytes:
    return Message(wire.INPUT, number, 0, kind, payload).encode()


GOOD = stream(0, b"echo never\r")

SPOILED = {
    "empty": b"",
    "short": b"short",
    "one byte short of a header": GOOD[:115],
    "cut before the payload's length": GOOD[:118],
    "header length beyond the end": b"\x00\x01\x00\x00" + GOOD[4:],
    "header length of 4 GiB": b"\xff\xff\xff\xff" + GOOD[4:],
    "header length of nothing": bytes(4) + GOOD[4:],
    "wrong digest": GOOD[:80] + bytes([GOOD[80] ^ 1]) + GOOD[81:],
    "no date": GOOD[:40] + bytes(8) + GOOD[48:],
    "no type": GOOD[:4] + b" " * 32 + GOOD[36:],
    "type that is no text": GOOD[:4] + b"\xff" * 32 + GOOD[36:],
    "unknown type": Message("make_coffee", 0, 0, 0, b"{}").encode(),
    "output from a client": Message(wire.OUTPUT, 0, 0, 1, b"forged output\n").encode(),
    "end from a client": Message(wire.CHANNEL_CLOSED, 0, 0, 0, b'{"Output":"forged"}').encode(),
    "node's state from a client": Message("agent_session_state", 0, 3, 0, b'{"SessionState":"Terminating"}').encode(),
    "task's end from a client": Message("agent_task_complete", 0, 0, 0, b"{}").encode(),
    "acknowledgement of nothing": Message(wire.ACKNOWLEDGE, 0, 3, 0, b"{}").encode(),
    "acknowledgement that is no JSON": Message(wire.ACKNOWLEDGE, 0, 3, 0, b"{").encode(),
    "acknowledgement of the future": wire.acknowledge(Message(wire.OUTPUT, 1 << 40)).encode(),
    "acknowledgement of a negative number": wire.acknowledge(Message(wire.OUTPUT, -1)).encode(),
    "negative number": stream(-5, b"x"),
    "greatest number": stream((1 << 63) - 1, b"x"),
    "noise": os.urandom(500),
    "deep JSON": Message(wire.ACKNOWLEDGE, 0, 3, 0, b"[" * 100_000).encode(),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_frame_harms_nobody(lab, node, bystander, name):
    session = lab.session(node)
    session.run("true")
    try:
        session.send_frame(SPOILED[name])
        assert session.run("echo alive") == "alive\n"
    except channel.Closed as closed:
        assert closed.output, "a session that ends for this says why"
        assert "forged" not in closed.output
    except websockets.exceptions.ConnectionClosed:
        # Cut off: the session itself may be resumed by an honest connection.
        session.resume()
        assert session.run("echo alive") == "alive\n"
    assert b"forged output" not in session.output


@pytest.mark.parametrize("name", ["size", "flag", "handshake", "exit code", "unknown"])
def test_a_payload_of_the_wrong_kind_or_form_harms_nobody(lab, node, bystander, name):
    kind, payload = {
        "size": (PayloadType.SIZE, b'{"cols":-1,"rows":1e99}'),
        "flag": (PayloadType.FLAG, b"\x00"),
        "handshake": (PayloadType.HANDSHAKE_RESPONSE, b"[]"),
        "exit code": (PayloadType.EXIT_CODE, b"EXIT_CODE: 0"),
        "unknown": (4_000_000_000, b"x"),
    }[name]
    session = lab.session(node)
    session.run("true")
    session.send(payload, kind)
    try:
        assert session.run("echo alive") == "alive\n"
    except channel.Closed as closed:
        assert closed.output


def test_frames_out_of_order_are_put_in_order(session):
    session.run("stty -echo")
    first = session.next_out
    frames = [stream(first + n, text) for n, text in enumerate([b"echo o", b"ne-", b"two", b"-three\r"])]
    session.next_out += len(frames)
    for frame in [frames[3], frames[1], frames[2], frames[0]]:
        session.send_frame(frame)
    session.read_until(b"one-two-three\r\n")


def test_duplicates_are_taken_once_and_acknowledged_again(session):
    session.run("stty -echo; count=0")
    frame = stream(session.next_out, b"count=$((count+1)); echo is-$count\r")
    number = session.next_out
    session.next_out += 1
    session.send_frame(frame)
    session.read_until(b"is-1\r\n")
    for _ in range(5):
        session.send_frame(frame)

    def acknowledgements():
        session.receive(0.1)
        return [
            each
            for each in session.frames
            if each.message_type == wire.ACKNOWLEDGE and each.json()["AcknowledgedMessageSequenceNumber"] == number
        ]

    eventually(lambda: len(acknowledgements()) >= 2, "a second acknowledgement")
    assert session.run("echo $count") == "1\n"


def test_a_gap_that_is_never_filled_is_bounded(lab, node, bystander):
    session = lab.session(node)
    session.run("true")
    before = node.program.resident_bytes()
    payload = b"y" * 1024
    with contextlib.suppress(websockets.exceptions.ConnectionClosed, OSError):
        for n in range(40_000):
            session.send_frame(stream(session.next_out + 1 + n, payload))
        session.receive(2)
    grown = node.program.resident_bytes() - before
    assert grown < 24 << 20, f"40 MB out of order made the agent grow by {grown} bytes"


def test_a_client_that_never_acknowledges_stops_only_itself(lab, node, bystander):
    session = lab.session(node, acknowledges=False)
    session.type("yes\r")
    sizes = {}
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (message := session.receive(3)) is not None:
        if message.message_type == wire.OUTPUT:
            sizes[message.sequence_number] = len(message.payload)
    assert 0 < sum(sizes.values()) < 64 << 20, "output without acknowledgements is bounded"
    session.terminate()
    session.reason(30)


def test_a_client_that_reads_nothing_stops_only_itself(lab, node, bystander):
    session = lab.session(node)
    session.run("true")
    session.type("yes\r")
    assert bystander.run("echo still here") == "still here\n"
    session.terminate()


def test_a_message_that_is_too_big_is_not_kept(lab, node, bystander):
    session = lab.session(node)
    session.run("true")
    with pytest.raises((websockets.exceptions.ConnectionClosed, OSError)):
        session.send_frame(stream(session.next_out, b"z" * (64 << 20)))
        # What was on its way before: a prompt in pieces, acknowledgements.
        for _ in range(20):
            session.receive(30)
    # Only the connection is over: an honest one may go on with the session.
    session.resume()
    assert session.run("echo alive") == "alive\n"


def test_text_after_the_opening_is_ignored(session):
    session.run("true")
    for text in ["ping", "{}", "x" * 1000]:
        session.send_frame(text)
    assert session.run("echo alive") == "alive\n"


@pytest.mark.parametrize(
    "opening",
    [
        "",
        "no json",
        "[]",
        "{}",
        json.dumps({"TokenValue": None}),
        json.dumps({"TokenValue": "x" * 100_000}),
        json.dumps({"MessageSchemaVersion": "9.9", "TokenValue": "forged"}),
        "[" * 200_000,
        struct.pack(">I", 116) * 100,
    ],
    ids=["empty", "no json", "list", "no token", "null token", "long token", "forged token", "deep", "binary"],
)
def test_an_opening_without_the_token_gets_nothing(server, node, bystander, opening):
    started = channel.start(server, node.node_id)
    with connect(started["StreamUrl"], server.tls()) as socket:
        try:
            socket.send(opening)
            message = wire.decode(socket.recv(timeout=20))
            assert message.message_type == wire.CHANNEL_CLOSED
            assert message.json()["Output"]
            socket.recv(timeout=20)
            raise AssertionError("the connection stays open")
        except websockets.exceptions.ConnectionClosed:
            pass
    # The real token has not been used up by it.
    session = channel.Session(server, started)
    assert session.run("echo in") == "in\n"
    session.terminate()
