"""Each connection inside a session is asked of the policies and on the audit trail, whatever carries it."""

import json
import os
import socket
import struct
import threading

import pytest
from harness import channel
from harness.forward import Forward
from harness.peer import exchange
from harness.people import Person, allow, deny
from harness.waiting import eventually
from harness.wire import PayloadType

LOCAL = "AWS-StartPortForwardingSession"
SESSIONS = allow(["ssm:TerminateSession", "ssm:ResumeSession", "ssmmessages:*"])
SYN, FIN, PSH = 0, 1, 2


def smux(command: int, stream: int, data: bytes = b"") -> bytes:
    return struct.pack("<BBHI", 1, command, len(data), stream) + data


@pytest.fixture
def forward(lab, node, server):
    def start(*words, environment=None) -> Forward:
        return Forward(lab, environment or server.client_environment(), node.node_id, *words)

    return start


@pytest.fixture
def multiplexed(lab, node):
    """A session of a client that knows smux only, as AWS's plugin."""

    def start(port: int):
        session = lab.session(node, document=LOCAL, parameters={"portNumber": [str(port)]})
        session.until(
            lambda: any(m.payload_type == PayloadType.HANDSHAKE_COMPLETE for m in session.frames), "a handshake", 20
        )
        return session

    return start


def records(server, name: str, session: str) -> list[dict]:
    """Those of the session, the first first."""
    trail = server.client("cloudtrail")
    pages = trail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}]
    )
    found = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    return [record for record in reversed(found) if record["serviceEventDetails"]["sessionId"] == session]


def connections(server, name: str, session: str) -> list[dict]:
    return [record["serviceEventDetails"]["connection"] for record in records(server, name, session)]


def lines_of(server, session: str) -> str:
    recording = (server.data / "recordings" / f"{session}.cast").read_text()
    return "".join(json.loads(line)[2] for line in recording.splitlines()[1:])


def test_a_connection_of_our_own_client_from_its_opening_to_its_end(forward, peer, server, node):
    far = peer()
    forwarded = forward("-L", f"0:localhost:{far.port}")
    session = forwarded.event("started")["session"]
    with forwarded.connect() as connection:
        assert exchange(connection, b"hello") == b"hello"
        [opened] = eventually(lambda: connections(server, "ConnectionOpened", session), "it is on record")
        assert not connections(server, "ConnectionClosed", session)
        source = "{}:{}".format(*connection.getsockname())
    expected = {"direction": "local", "protocol": "tcp", "host": "localhost", "port": far.port, "source": source}
    assert expected.items() <= opened.items()
    [record] = eventually(lambda: records(server, "ConnectionClosed", session), "its end is on record")
    assert record["eventType"] == "AwsServiceEvent"
    assert record["serviceEventDetails"]["target"] == node.node_id
    assert record["serviceEventDetails"]["documentName"] == "Postern-StartTunnelSession"
    closed = record["serviceEventDetails"]["connection"]
    assert expected.items() <= closed.items() and closed["id"] == opened["id"]
    assert (closed["bytesIn"], closed["bytesOut"], closed["endReason"]) == (5, 5, "client")
    assert closed["address"].endswith(f":{far.port}")
    assert closed["openedAt"] == opened["openedAt"] <= closed["closedAt"]
    assert "bytesCountedSince" not in closed
    said = lines_of(server, session)
    assert f"Connection {opened['id']} to localhost:{far.port}, from {source}." in said
    assert "ended (client): 5 bytes to the node, 5 bytes from it." in said


def test_what_policies_deny_is_on_record_and_the_session_lives(forward, peer, server):
    allowed, denied = peer(), peer()
    there = {"postern:DestinationHost": "localhost", "postern:DestinationPort": str(allowed.port)}
    start = allow("ssm:StartSession", Condition={"StringEquals": there})
    # What the client is to declare would be denied at the start; SOCKS declares nothing.
    anywhere = allow("ssm:StartSession", Condition={"Null": {"postern:DestinationHost": "true"}})
    person = Person(server, start, anywhere, SESSIONS)
    forwarded = forward("-D", "0", environment=person.environment())
    session = forwarded.event("started")["session"]

    def through_socks(host: bytes, port: int) -> tuple[socket.socket, int]:
        connection = forwarded.connect("-D")
        connection.sendall(b"\5\1\0\5\1\0\3" + bytes([len(host)]) + host + port.to_bytes(2, "big"))
        answer = connection.makefile("rb", buffering=0).read(2) + connection.recv(2)
        return connection, answer[3]

    assert through_socks(b"localhost", denied.port)[1] == 2, "not allowed by ruleset"
    assert through_socks(b"LOCALHOST", allowed.port)[1] == 0, "names are compared in one form"
    assert through_socks(b"2130706433", allowed.port)[1] == 2, "an address in disguise"
    assert len(denied.connections) == 0 and len(allowed.connections) == 1
    refused = eventually(
        lambda: len(found := records(server, "ConnectionDenied", session)) == 2 and found, "the denials are on record"
    )
    details = refused[0]["serviceEventDetails"]["connection"]
    assert (details["host"], details["port"]) == ("localhost", denied.port)
    assert refused[0]["errorCode"] == "AccessDenied" and "ssm:StartSession" in refused[0]["errorMessage"]
    assert refused[0]["additionalEventData"]["decision"] == {"result": "IMPLICIT_DENY", "layer": "identity"}
    assert refused[0]["userIdentity"]["userName"] == person.name
    assert [found["host"] for found in connections(server, "ConnectionOpened", session)] == ["localhost"]
    assert f"to localhost:{denied.port}" in lines_of(server, session) and "was denied: User:" in lines_of(
        server, session
    )


def test_what_is_declared_is_asked_at_the_start(server, node):
    leads_there = {"postern:DestinationHost": "db.internal"}
    person = Person(server, allow("ssm:StartSession", Condition={"StringEquals": leads_there}), SESSIONS)
    document = "Postern-StartTunnelSession"

    def start(*destinations: str) -> str:
        try:
            channel.start(person, node.node_id, document, {"destinations": list(destinations)})
            return "started"
        except person.client().exceptions.ClientError as error:
            return error.response["Error"]["Code"]

    assert start("local:tcp:DB.internal:5432") == "started"
    assert start("local:tcp:db.internal:5432", "local:udp:other:53") == "AccessDeniedException"
    assert start("local:unix:/run/docker.sock") == "AccessDeniedException"
    assert start() == "AccessDeniedException"
    assert start("local:tcp:0x7f.1:22") in ("AccessDeniedException", "InvalidParameters")


def test_a_port_that_the_node_listens_on_is_asked_for_and_on_record(forward, peer, server):
    far = peer()
    forwarded = forward("-R", f"127.0.0.1:0:localhost:{far.port}")
    session = forwarded.event("started")["session"]
    with forwarded.connect("-R") as connection:
        assert exchange(connection, b"hello") == b"hello"
    listener, accepted = eventually(
        lambda: len(found := connections(server, "ConnectionOpened", session)) == 2 and found, "both are on record"
    )
    assert listener["isListener"] and listener["direction"] == accepted["direction"] == "remote"
    assert accepted["listener"] == listener["id"]
    [closed] = eventually(lambda: connections(server, "ConnectionClosed", session), "its end is on record")
    assert (closed["id"], closed["bytesIn"], closed["bytesOut"]) == (accepted["id"], 5, 5)


def test_connections_of_awss_clients_are_on_record_too(multiplexed, peer, server):
    far = peer()
    session = multiplexed(far.port)
    session.send(smux(SYN, 3) + smux(PSH, 3, b"hello"))
    session.read_until(smux(PSH, 3, b"hello"))
    assert [found["id"] for found in connections(server, "ConnectionOpened", session.id)] == ["3"]
    session.send(smux(SYN, 5) + smux(FIN, 3))
    [closed] = eventually(lambda: connections(server, "ConnectionClosed", session.id), "its end is on record")
    assert {
        "id": "3",
        "host": "localhost",
        "port": far.port,
        "protocol": "tcp",
        "bytesIn": 5,
        "bytesOut": 5,
    }.items() <= closed.items()
    session.terminate()
    ends = eventually(
        lambda: len(found := connections(server, "ConnectionClosed", session.id)) == 2 and found, "so is the other's"
    )
    assert (ends[1]["id"], ends[1]["endReason"]) == ("5", "session-ended")


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_a_restart_under_open_connections(lab, peer, how):
    server = lab.server().start()
    node = lab.node(server)
    far = peer()
    forwarded = Forward(lab, server.client_environment(), node.node_id, "-L", f"0:localhost:{far.port}")
    session = forwarded.event("started")["session"]
    first, second = forwarded.connect(), forwarded.connect()
    assert exchange(first, b"before") == exchange(second, b"before") == b"before"
    sent, got = os.urandom(4 << 20), []
    reader = threading.Thread(target=lambda: got.append(exchange(first, sent)))
    reader.start()
    server.kill() if how == "SIGKILL" else server.stop()
    server.start()
    reader.join(90)
    assert got == [sent], "it stalled and went on"
    first.close()
    [closed] = eventually(lambda: connections(server, "ConnectionClosed", session), "its end is on record", 30)
    assert closed["bytesCountedSince"] and closed["host"] == "localhost"
    assert exchange(second, b"after") == b"after"
    assert exchange(forwarded.connect(), b"new") == b"new"
    opened = connections(server, "ConnectionOpened", session)
    assert len(opened) == len({found["id"] for found in opened}) == 3, "none is on record twice"


def test_connections_that_are_not_allowed_any_more_are_cut_off(forward, peer, server):
    kept, lost = peer(), peer()
    person = Person(server, allow("ssm:StartSession"), SESSIONS)
    forwarded = forward(
        "-L", f"0:localhost:{kept.port}", "-L", f"0:localhost:{lost.port}", environment=person.environment()
    )
    session = forwarded.event("started")["session"]
    stays, goes = forwarded.connect("-L", 0), forwarded.connect("-L", 1)
    assert exchange(stays, b"one") == exchange(goes, b"one") == b"one"
    there = {"postern:DestinationPort": str(lost.port)}
    person.put(allow("ssm:StartSession"), SESSIONS, deny("ssm:StartSession", Condition={"StringEquals": there}))
    [closed] = eventually(lambda: connections(server, "ConnectionClosed", session), "its end is on record")
    assert (closed["port"], closed["endReason"]) == (lost.port, "permission-revoked")
    assert exchange(stays, b"two") == b"two", "the other goes on"
    with pytest.raises(ConnectionResetError):
        while True:
            goes.sendall(b"too late")
            assert goes.recv(100) == b"", "nothing of it passes"
    ended = forwarded.event("closed")
    assert "the permission for it was revoked" in json.dumps(ended), ended
    # The node was told as well.
    eventually(lambda: lost.connections[0].fileno() == -1, "the node has closed its end")
