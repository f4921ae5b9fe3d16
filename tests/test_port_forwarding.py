"""Sessions that forward connections: a port of this machine leads through the node to one of its own or of another host."""

import hashlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading

import botocore.exceptions
import pytest
from harness import channel
from harness.peer import all_at_once, exchange
from harness.people import Person, allow
from harness.programs import SCRIPTS, binary, free_port
from harness.waiting import eventually
from harness.wire import PayloadType

LOCAL = "AWS-StartPortForwardingSession"
REMOTE = "AWS-StartPortForwardingSessionToRemoteHost"
TO_SOCKET = "AWS-StartPortForwardingSessionToSocket"


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    """A directory in which `postern` is the plugin of the AWS CLI."""
    directory = tmp_path_factory.mktemp("plugin")
    os.symlink(binary("postern"), directory / "session-manager-plugin")
    return directory


class Forward:
    """A client that forwards, and everything that it said."""

    def __init__(self, lab, plugin, node, program: str, document: str, parameters: dict, environment=None):
        variables = environment or node.server.client_environment()
        variables = variables | {"PATH": f"{plugin}:{SCRIPTS}:{variables['PATH']}"}
        words = {"postern": [binary("postern"), "start-session"], "aws": ["aws", "ssm", "start-session"]}[program]
        given = json.dumps({name: [str(value)] for name, value in parameters.items()})
        self.process = subprocess.Popen(
            [*words, "--target", node.node_id, "--document-name", document, "--parameters", given],
            env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        lab.closers.append(self._kill)
        self.said = ""
        threading.Thread(target=self._listen, daemon=True).start()

    def _kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def _listen(self) -> None:
        for line in self.process.stdout:
            self.said += line.decode(errors="replace")

    @property
    def port(self) -> int:
        found = eventually(lambda: re.search(r"Port (\d+) ", self.said) or self.process.poll(), f"a port: {self.said}", 60)
        assert not isinstance(found, int), self.said
        return int(found[1])

    def connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        return connection

    def interrupt(self) -> int:
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(30)


@pytest.fixture
def forward(lab, plugin, node):
    def start(port: int, program="postern", document=LOCAL, environment=None, **parameters) -> Forward:
        parameters = {"portNumber": port, "localPortNumber": 0} | parameters
        given = {name: value for name, value in parameters.items() if value is not None}
        return Forward(lab, plugin, node, program, document, given, environment)

    return start


def read_all(connection: socket.socket) -> bytes:
    return connection.makefile("rb").read()


def is_closed(connection: socket.socket) -> bool:
    """Whether nothing comes any more; between our own ends, what was refused or cut off is reset."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("program", ["postern", "aws"])
def test_connections_one_after_the_other_and_at_once(forward, peer, program):
    forwarded = forward(peer().port, program)
    every_byte = bytes(range(256)) * 1000
    first, second = forwarded.connect(), forwarded.connect()
    assert exchange(first, every_byte) == every_byte
    assert exchange(second, b"ping") == b"ping"
    first.close()
    assert exchange(second, b"still here") == b"still here"
    assert exchange(forwarded.connect(), b"again") == b"again"


def test_the_words_are_awss_plugins(forward, peer):
    forwarded = forward(peer().port, "aws")
    with forwarded.connect() as connection:
        assert exchange(connection, b"x") == b"x"
    forwarded.interrupt()
    session = re.search(r"SessionId: (\S+)", forwarded.said)[1]
    for expected in [
        f"Port {forwarded.port} opened for sessionId {session}.\nWaiting for connections...\n",
        f"\nConnection accepted for session [{session}]\n",
        "Terminate signal received, exiting.\n",
        f"\n\nExiting session with sessionId: {session}.\n\n",
    ]:
        assert expected in forwarded.said, forwarded.said


def test_ctrl_c_ends_the_session_and_its_connections(forward, peer, server):
    closed = threading.Event()

    def serve(connection):
        connection.sendall(b"hi")
        assert is_closed(connection)
        closed.set()

    forwarded = forward(peer(serve).port)
    connection = forwarded.connect()
    assert connection.recv(2) == b"hi"
    assert forwarded.interrupt() == 128 + signal.SIGINT
    assert closed.wait(20) and is_closed(connection)
    session = re.search(r"Starting session (\S+)", forwarded.said)[1]
    history = server.client().describe_sessions(State="History", Filters=[{"key": "SessionId", "value": session}])
    assert [found["Status"] for found in history["Sessions"]] == ["Terminated"]


def test_another_host_and_a_given_local_port(forward, peer):
    port = free_port()
    forwarded = forward(peer().port, document=REMOTE, host="127.0.0.1", localPortNumber=port)
    assert forwarded.port == port
    assert exchange(forwarded.connect(), b"through") == b"through"


def test_a_socket_file(forward, peer, tmp_path):
    path = tmp_path / "forwarded"
    forwarded = forward(peer().port, document=TO_SOCKET, localPortNumber=None, localUnixSocket=path)
    eventually(lambda: f"Unix socket {path} " in forwarded.said, f"it listens: {forwarded.said}", 60)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(str(path))
        connection.sendall(b"hello")
        assert connection.recv(5) == b"hello"
    forwarded.interrupt()
    assert not path.exists()


def test_a_large_download_arrives_whole(forward, peer):
    block = os.urandom(1 << 20)
    digest = hashlib.sha256(block * 50).hexdigest()

    def serve(connection):
        with connection:
            for _ in range(50):
                connection.sendall(block)

    got = hashlib.sha256(read_all(forward(peer(serve).port).connect())).hexdigest()
    assert got == digest


def test_a_large_upload_arrives_whole(forward, peer):
    got = []

    def serve(connection):
        digest = hashlib.sha256()
        while data := connection.recv(1 << 20):
            digest.update(data)
        got.append(digest.hexdigest())

    block = os.urandom(1 << 20)
    connection = forward(peer(serve).port).connect()
    for _ in range(50):
        connection.sendall(block)
    connection.close()
    eventually(lambda: got == [hashlib.sha256(block * 50).hexdigest()], "all arrived", 60)


def test_a_hundred_connections_at_once(forward, peer):
    far = peer()
    forwarded = forward(far.port)
    all_at_once(forwarded.connect, 100, 200_000)
    assert len(far.connections) == 100


def test_an_end_on_either_side_and_a_reset_are_met_on_the_other(forward, peer):
    told = []

    def serve(connection):
        with connection:
            try:
                command = connection.recv(5)
                if command == b"close":
                    connection.sendall(b"bye")
                elif command == b"reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                else:
                    told.append(connection.makefile("rb").read())
            except ConnectionResetError:
                told.append(b"")

    far = peer(serve)
    forwarded = forward(far.port)
    connection = forwarded.connect()
    connection.sendall(b"close")
    assert read_all(connection) == b"bye"
    connection = forwarded.connect()
    connection.sendall(b"reset")
    assert is_closed(connection)
    connection = forwarded.connect()
    connection.sendall(b"waits")
    connection.sendall(b"more")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    eventually(lambda: len(far.connections) == 3, "it leads there")
    connection.close()
    eventually(lambda: len(told) == 1, "the node's side is closed")


@pytest.mark.parametrize("program", ["postern", "aws"])
def test_a_port_that_refuses_is_told_and_the_session_lives(lab, forward, program):
    port = free_port()
    forwarded = forward(port, program)
    assert is_closed(forwarded.connect())
    words = {"postern": "the node could not connect", "aws": "Connection to destination port failed, check SSM Agent logs."}
    eventually(lambda: words[program] in forwarded.said, f"it is told: {forwarded.said}")
    listener = socket.create_server(("127.0.0.1", port))
    lab.closers.append(listener.close)
    connection = forwarded.connect()
    far, _ = listener.accept()
    far.sendall(b"now")
    assert connection.recv(3) == b"now"


@pytest.mark.parametrize("program", ["postern", "aws"])
def test_a_local_port_in_use_is_told(forward, peer, program):
    taken = peer()
    forwarded = forward(taken.port, program, localPortNumber=taken.port)
    assert forwarded.process.wait(60) != 0
    eventually(lambda: f"cannot listen on localhost:{taken.port}" in forwarded.said, forwarded.said)


@pytest.mark.parametrize("host", ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1%lo"])
def test_metadata_and_link_local_addresses_are_forbidden(forward, host):
    forwarded = forward(80, document=REMOTE, host=host)
    assert forwarded.process.wait(60) != 0
    eventually(lambda: f"Forwarding to IP address {host} is forbidden." in forwarded.said, forwarded.said)


def test_the_nodes_own_rules(lab, plugin, server, peer):
    denied, open_to_all = peer(), peer()
    rules = {"POSTERN_AGENT_DENY_DESTINATIONS": f"127.0.0.1:{denied.port},[::1]:{denied.port}"}
    node = lab.agent(server, rules).register().start()
    for host in ["localhost", "127.0.0.1", "::ffff:127.0.0.1"]:
        forwarded = Forward(lab, plugin, node, "postern", REMOTE, {"portNumber": denied.port, "host": host})
        assert forwarded.process.wait(60) != 0
        eventually(lambda: "is forbidden." in forwarded.said, forwarded.said)  # noqa: B023
    assert len(denied.connections) == 0
    forwarded = Forward(lab, plugin, node, "postern", LOCAL, {"portNumber": open_to_all.port})
    assert exchange(forwarded.connect(), b"hello") == b"hello"


def test_policies_limit_destinations(forward, peer, server):
    far, other = peer(), peer()
    leads_there = {"postern:DestinationHost": "localhost", "postern:DestinationPort": str(far.port)}
    start = allow("ssm:StartSession", Condition={"StringEquals": leads_there})
    person = Person(server, start, allow(["ssm:TerminateSession", "ssm:ResumeSession", "ssmmessages:*"]))
    forwarded = forward(far.port, environment=person.environment())
    assert exchange(forwarded.connect(), b"hello") == b"hello"
    for parameters in [{"port": other.port}, {"port": far.port, "document": REMOTE, "host": "127.0.0.1"}]:
        refused = forward(environment=person.environment(), **parameters)
        assert refused.process.wait(60) != 0
        eventually(lambda: "not authorized" in refused.said, refused.said)  # noqa: B023


def test_hosts_that_hide_which_address_they_are_are_refused(server, node):
    for host in ["2130706433", "0x7f.1", "127.000.0.1"]:
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            channel.start(server, node.node_id, REMOTE, {"portNumber": ["80"], "host": [host]})
        assert refused.value.response["Error"]["Code"] == "InvalidParameters"


def test_the_trail_says_where_it_leads(forward, peer, server):
    far = peer()
    assert exchange(forward(far.port, document=REMOTE, host="localhost").connect(), b"x") == b"x"
    trail = server.client("cloudtrail")

    def found():
        events = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "StartSession"}])
        records = [json.loads(event["CloudTrailEvent"]) for event in events["Events"]]
        asked = [record["requestParameters"].get("parameters") for record in records]
        return {"host": ["localhost"], "portNumber": [str(far.port)], "localPortNumber": ["0"]} in asked

    eventually(found, "the event")


def frame(command: int, stream: int, data: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<BBHI", 1, command, len(data) if length is None else length, stream) + data


SYN, FIN, PSH, NOP = 0, 1, 2, 3


@pytest.fixture
def scripted(lab, node):
    """A client that multiplexes by hand."""

    def start(port: int):
        session = lab.session(node, document=LOCAL, parameters={"portNumber": [str(port)]})
        session.until(lambda: any(m.payload_type == PayloadType.HANDSHAKE_COMPLETE for m in session.frames), "a handshake", 20)
        return session

    return start


def test_a_hostile_client_cannot_do_more_than_end_its_session(scripted, peer, node):
    far = peer()
    session = scripted(far.port)
    # A stream that is opened twice, data for nobody, an end of nothing, and an update of a window that no one has.
    session.send(frame(SYN, 3) + frame(SYN, 3) + frame(PSH, 99, b"lost") + frame(FIN, 77) + frame(4, 3, b"\0" * 8))
    session.send(frame(PSH, 3, b"hello"))
    session.read_until(frame(PSH, 3, b"hello"))
    # A length that says more than comes belongs to what comes next.
    session.send(frame(PSH, 3, b"half", length=8))
    session.send(b"full")
    session.until(lambda: session.output.count(b"half") == 1 and b"full" in session.output, "both halves", 20)
    # No number is too strange, and a closed one can be opened again.
    session.send(frame(SYN, 0xFFFFFFFF) + frame(FIN, 3) + frame(SYN, 3) + frame(PSH, 3, b"again"))
    session.read_until(frame(PSH, 3, b"again"))
    # What is no frame at all ends the session, and nothing else.
    session.send(b"\x07" + bytes(7))
    assert "cannot be told apart" in session.reason()
    assert node.is_connected()


def test_streams_beyond_the_limit_are_closed_at_once(scripted, peer):
    far = peer()
    session = scripted(far.port)
    session.send(b"".join(frame(SYN, number) for number in range(3, 3 + 2 * 1500, 2)))
    session.until(lambda: session.output.count(frame(FIN, 0)[:2]) >= 400, "refusals", 60)
    assert len(far.connections) <= 1024
    session.send(frame(PSH, 3, b"the first lives"))
    session.read_until(frame(PSH, 3, b"the first lives"), 60)


def test_a_connection_that_takes_nothing_is_given_up_for_the_others(scripted, peer):
    """The client ignores that it should wait, as AWS's plugin does."""
    stuck, release = [], threading.Event()

    def serve(connection):
        if connection.recv(1) == b"s":
            stuck.append(connection)
            release.wait(60)
            return
        connection.sendall(b"moving")

    session = scripted(peer(serve).port)
    session.send(frame(SYN, 3) + frame(PSH, 3, b"s"))
    eventually(lambda: stuck, "it is connected")
    block = frame(PSH, 3, bytes(32_000))
    for _ in range(800):
        session.send(block)
    session.send(frame(SYN, 5) + frame(PSH, 5, b"m"))
    session.read_until(frame(FIN, 3), 60)
    release.set()

    # What found no room comes again, as every client sends what is not acknowledged.
    def moves() -> bool:
        for unacknowledged in list(session.unacknowledged.values()):
            session.send_frame(unacknowledged)
        while session.receive(0.5):
            pass
        return frame(PSH, 5, b"moving") in session.output

    eventually(moves, "the other goes on", 60)


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_connections_outlive_the_server(lab, plugin, peer, how):
    server = lab.server().start()
    node = lab.node(server)
    forwarded = Forward(lab, plugin, node, "postern", LOCAL, {"portNumber": peer().port})
    connection = forwarded.connect()
    assert exchange(connection, b"before") == b"before"
    data, got = os.urandom(30 << 20), []
    reader = threading.Thread(target=lambda: got.append(exchange(connection, data)), daemon=True)
    reader.start()
    server.kill() if how == "SIGKILL" else server.stop()
    server.start()
    reader.join(90)
    assert got == [data]
    assert exchange(connection, b"after") == b"after"
    assert exchange(forwarded.connect(), b"a new one") == b"a new one"


BRIDGE = """
import asyncio, os, sys
from aws_ssm_bridge import PortForwarder, SessionManager

async def main(target, port):
    manager = await SessionManager.new(region="us-east-1")
    session = await manager.start_port_forward(target, int(port), reason="bridge")
    forwarder = await PortForwarder.bind("127.0.0.1:0")
    running = asyncio.ensure_future(forwarder.forward(session))
    async def exchange(data):
        reader, writer = await asyncio.open_connection("127.0.0.1", forwarder.port)
        writer.write(data)
        got = await asyncio.wait_for(reader.readexactly(len(data)), 30)
        writer.close()
        return got == data
    done = await asyncio.gather(*(exchange(os.urandom(100_000)) for _ in range(10)))
    print("equal", done.count(True))
    sys.stdout.flush()
    os._exit(0)

asyncio.run(main(sys.argv[1], sys.argv[2]))
"""


def test_aws_ssm_bridge_forwards(shared_lab, peer, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("giving the server a name of AWS's needs root: a hosts file in a mount namespace")
    name = "ssmmessages.us-east-1.amazonaws.com"
    server = shared_lab.server(public_name=name).start()
    node = shared_lab.agent(server)
    command = node.register_command(server.activation())
    command[command.index("--endpoint") + 1] = server.local_url
    node.directory.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(command, env=node.environment, capture_output=True, text=True, check=True, timeout=60)
    node.node_id = re.search(r"mi-[0-9a-f]{17}", done.stdout).group()
    node.start()
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {name}\n")
    environment = server.client_environment(
        SSL_CERT_FILE=str(server.ca_file), AWS_CA_BUNDLE=str(server.ca_file), AWS_REGION="us-east-1"
    )
    in_namespace = f'mount --bind {hosts} /etc/hosts && exec "$@"'
    words = ["unshare", "--mount", "sh", "-c", in_namespace, "sh"]
    arguments = [*words, sys.executable, "-c", BRIDGE, node.node_id, str(peer().port)]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout == "equal 10\n", done
