"""What a stranger may make the server do: little, and not for long."""

import contextlib
import socket
import ssl
import time
from urllib.parse import urlsplit

import pytest
from harness import channel
from harness.requests import ssm_call
from harness.waiting import eventually


def raw(server, timeout_s: float = 20) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=timeout_s)
    return server.tls().wrap_socket(plain, server_hostname="127.0.0.1")


def status_of(connection) -> int | None:
    """The status of the answer, or `None` for a connection that was just closed."""
    try:
        head = connection.recv(4096)
    except (ConnectionError, ssl.SSLError):
        return None
    return int(head.split()[1]) if head else None


@pytest.fixture(autouse=True)
def unharmed(server):
    yield
    assert server.answers()


def test_a_header_that_does_not_end(server):
    with raw(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
        with pytest.raises((ConnectionError, ssl.SSLError)):
            for _ in range(64):
                connection.sendall(b"a" * 65536)
            assert status_of(connection) in (None, 400, 431)
            raise ConnectionError


def test_too_many_headers(server):
    with raw(server) as connection:
        lines = b"".join(b"X-%d: y\r\n" % n for n in range(5000))
        try:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + lines + b"\r\n")
        except (ConnectionError, ssl.SSLError):
            return
        assert status_of(connection) in (None, 400, 431)


def test_a_body_that_is_announced_too_big(server):
    with raw(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n")
        assert status_of(connection) in (400, 413)


def test_a_body_that_grows_too_big(server):
    with raw(server) as connection:
        head = b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSSM.RegisterManagedInstance\r\n"
        try:
            connection.sendall(head + b"Content-Type: application/x-amz-json-1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(1024):
                connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
        except (ConnectionError, ssl.SSLError):
            return
        assert status_of(connection) in (None, 400, 413)


def test_a_request_that_never_ends_is_given_up(lab):
    server = lab.server({"POSTERN_LIMITS_REQUEST_TIME_MAX": "1s"}).start()
    with raw(server) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        began = time.monotonic()
        assert status_of(connection) in (None, 400, 408, 413, 503)
        assert time.monotonic() - began < 15


def test_what_is_no_tls(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        answer = connection.recv(4096)
        # An alert record, or nothing.
        assert answer == b"" or answer[0] == 21 or answer.startswith(b"HTTP/1.1 400")


def test_what_is_no_http(server):
    with raw(server) as connection:
        connection.sendall(b"\x00\xff" * 5000)
        assert status_of(connection) in (None, 400)


def test_old_tls_is_refused(server):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as plain:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            context.wrap_socket(plain)


UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def upgraded(server, node) -> ssl.SSLSocket:
    """A websocket of a session that waits for its client, to which nothing has been said yet."""
    url = urlsplit(channel.start(server, node.node_id)["StreamUrl"])
    connection = raw(server, 60)
    connection.sendall(UPGRADE.format(path=f"{url.path}?{url.query}").encode())
    assert connection.recv(4096).startswith(b"HTTP/1.1 101 ")
    return connection


def until_closed(connection) -> None:
    try:
        while connection.recv(65536):
            pass
    except (ConnectionError, ssl.SSLError):
        pass


def test_a_websocket_without_an_opening_is_closed(server, node):
    with upgraded(server, node) as connection:
        began = time.monotonic()
        until_closed(connection)
        assert time.monotonic() - began < 45


@pytest.mark.parametrize("opcode", [1, 2])
def test_an_opening_that_is_too_big(server, node, opcode):
    before = server.program.resident_bytes()
    with upgraded(server, node) as connection:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            connection.sendall(bytes([0x80 | opcode, 0xFF]) + (1 << 40).to_bytes(8) + bytes(4))
            for _ in range(512):
                connection.sendall(b"x" * 65536)
        connection.settimeout(45)
        until_closed(connection)
    assert server.program.resident_bytes() - before < 16 << 20, "of 32 MB next to nothing is kept"


def registration():
    """A call that anybody may make, with an activation that does not exist."""
    return ssm_call(
        "RegisterManagedInstance",
        {
            "ActivationId": "11111111-2222-3333-4444-555555555555",
            "ActivationCode": "A" * 20,
            "PublicKey": "A" * 392,
            "PublicKeyType": "Rsa",
            "Fingerprint": "x",
        },
    )


def test_registrations_of_one_address_are_limited(lab):
    server = lab.server({"POSTERN_LIMITS_UNSIGNED_CALLS_PER_MINUTE_MAX": "5"}).start()
    call = registration()
    codes = [call.send(server).code for _ in range(8)]
    assert codes[-1] in ("ThrottlingException", "TooManyUpdates"), codes
    assert server.client("sts").get_caller_identity()["Account"], "signed calls go on"


def test_strangers_do_not_fill_the_trail(lab):
    server = lab.server({"POSTERN_LIMITS_UNSIGNED_CALLS_PER_MINUTE_MAX": "5"}).start()
    call = registration()
    began = time.monotonic()
    for _ in range(400):
        call.send(server)
    # 120 at once and as many in a minute, besides those that were admitted.
    recorded_max = 120 + 2 * (time.monotonic() - began) + 5 + 1
    asked = [{"AttributeKey": "EventName", "AttributeValue": "RegisterManagedInstance"}]
    pages = server.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=asked)
    recorded = sum(len(page["Events"]) for page in pages)
    assert 5 < recorded <= recorded_max, f"{recorded} records"


def test_many_silent_connections_do_not_keep_others_out(server):
    silent = [socket.create_connection(("127.0.0.1", server.port), timeout=20) for _ in range(200)]
    try:
        assert server.client("sts").get_caller_identity()["Account"]
        # A handshake that never begins is given up.
        silent[0].settimeout(60)
        assert eventually(lambda: silent[0].recv(1) == b"", "the silent connection is closed", 60)
    finally:
        for each in silent:
            each.close()
