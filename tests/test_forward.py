"""`postern forward`: any number of connections of any kind through one session of a node."""

import hashlib
import json
import os
import re
import socket
import stat
import struct
import subprocess
import threading

import pytest
from harness.forward import Forward, order
from harness.node import Node
from harness.peer import all_at_once, echo, exchange
from harness.people import Person, allow
from harness.programs import binary, free_port
from harness.terminal import Terminal
from harness.waiting import eventually

DOCUMENT = "Postern-StartTunnelSession"
SESSIONS = allow(["ssm:TerminateSession", "ssm:ResumeSession", "ssmmessages:*"])


def answer_at_the_end(connection: socket.socket) -> None:
    """Says what it got when nothing more comes, as `nc -N` and HTTP/1.0 do it."""
    with connection:
        digest = hashlib.sha256()
        while data := connection.recv(1 << 20):
            digest.update(data)
        connection.sendall(digest.hexdigest().encode())


def read_all(connection: socket.socket) -> bytes:
    return connection.makefile("rb").read()


def is_closed(connection: socket.socket) -> bool:
    """Whether nothing comes any more; what was refused or cut off is reset."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def unix(path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(60)
    connection.connect(str(path))
    return connection


@pytest.fixture
def forward(lab, node, server):
    def start(*words, environment=None, nodes=None) -> Forward:
        nodes = [node.node_id] if nodes is None else nodes
        return Forward(lab, environment or server.client_environment(), *nodes, *words)

    return start


@pytest.fixture
def short_path(tmp_path_factory):
    """Paths of sockets are short by the rules of the kernel."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="fwd-") as directory:
        yield lambda name: os.path.join(directory, name)


def check_transfers(connect) -> None:
    """Some megabytes each way, and the end of one direction before the other."""
    data = os.urandom(1 << 20) * 8
    connection = connect(echo)
    assert hashlib.sha256(exchange(connection, data)).digest() == hashlib.sha256(data).digest()
    connection.close()
    connection = connect(answer_at_the_end)
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)
    assert read_all(connection).decode() == hashlib.sha256(data).hexdigest()


def test_a_port_leads_to_a_port_of_the_nodes(forward, peer):
    peers = {echo: peer(echo).port, answer_at_the_end: peer(answer_at_the_end).port}
    words = [word for port in peers.values() for word in ("-L", f"0:127.0.0.1:{port}")]
    forwarded = forward(*words)
    check_transfers(lambda serve: forwarded.connect("-L", list(peers).index(serve)))
    opened = forwarded.event("opened")
    assert opened["address"] == opened["destination"] == f"127.0.0.1:{peers[echo]}"
    assert re.fullmatch(r"127\.0\.0\.1:\d+", opened["source"])
    closed = forwarded.event("closed", connection=opened["connection"])
    assert closed["sent"] == closed["received"] == 8 << 20
    assert len(forwarded.all("started")) == 1


def test_two_hundred_connections_at_once(forward, peer):
    far = peer()
    forwarded = forward("-L", f"0:localhost:{far.port}")
    all_at_once(forwarded.connect, 200, 50_000)
    assert len(far.connections) == 200


def test_a_connection_that_nobody_reads_holds_up_no_other(forward, peer):
    def pour(connection):
        with connection:
            while True:
                try:
                    connection.sendall(bytes(1 << 16))
                except OSError:
                    return

    forwarded = forward("-L", f"0:localhost:{peer(pour).port}", "-L", f"0:localhost:{peer().port}")
    stopped = forwarded.connect("-L", 0)
    assert stopped.recv(10)
    data = os.urandom(1 << 20) * 8
    assert exchange(forwarded.connect("-L", 1), data) == data


def test_what_cannot_be_reached_is_told_with_the_reason(forward, peer):
    refused, far = free_port(), peer()
    forwarded = forward(
        "-L", f"0:localhost:{refused}", "-L", "0:169.254.169.254:80", "-L", "0:nowhere.invalid:80", "-L", f"0:localhost:{far.port}"
    )  # fmt: skip
    for index, (reason, word) in enumerate([("refused", "refused"), ("forbidden", "forbidden"), ("not-found", "not found")]):
        assert is_closed(forwarded.connect("-L", index))
        told = forwarded.event("refused", reason=reason)
        assert told["destination"] in told["forward"]
        eventually(lambda: f"{told['destination']}: {word}" in forwarded.told, forwarded.told)  # noqa: B023
    assert exchange(forwarded.connect("-L", 3), b"the session lives") == b"the session lives"


def test_a_reset_is_met_on_the_other_side(forward, peer):
    ended = []

    def serve(connection):
        try:
            ended.append(read_all(connection))
        except ConnectionResetError:
            ended.append("reset")

    forwarded = forward("-L", f"0:localhost:{peer(serve).port}")
    connection = forwarded.connect()
    forwarded.event("opened")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    eventually(lambda: ended == ["reset"], f"the node's side is reset: {ended}")


def test_socket_files_on_either_side(forward, peer, lab, short_path):
    far = short_path("far.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(far)
    # Sessions run as their own user, who is to be allowed.
    os.chmod(os.path.dirname(far), 0o755)
    os.chmod(far, 0o666)
    listener.listen()
    lab.closers.append(listener.close)

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer_at_the_end, args=[connection], daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    both, ours = short_path("both.sock"), short_path("ours.sock")
    forwarded = forward("-L", f"{both}:{far}", "-L", f"{ours}:localhost:{peer().port}", "-L", f"0:{far}")
    port = forwarded.address("-L", 2)[1]
    data = os.urandom(1 << 20) * 4
    for connection in [unix(both), socket.create_connection(("127.0.0.1", port), timeout=60)]:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection).decode() == hashlib.sha256(data).hexdigest()
    assert exchange(unix(ours), b"to a port") == b"to a port"
    assert {stat.S_IMODE(os.stat(path).st_mode) for path in (both, ours)} == {0o600}
    forwarded.interrupt()
    assert not os.path.exists(both) and not os.path.exists(ours)


def test_a_port_of_the_nodes_leads_here(forward, peer, lab, short_path):
    here = short_path("here.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(here)
    listener.listen()
    lab.closers.append(listener.close)
    peers = {echo: peer(echo).port, answer_at_the_end: peer(answer_at_the_end).port}
    words = [word for port in peers.values() for word in ("-R", f"0:localhost:{port}")]
    forwarded = forward(*words, "-R", f"0:{here}")
    check_transfers(lambda serve: forwarded.connect("-R", list(peers).index(serve)))
    connection = forwarded.connect("-R", 2)
    connection.sendall(b"to a socket")
    accepted, _ = listener.accept()
    assert accepted.recv(20) == b"to a socket"
    accepted.sendall(b"and back")
    assert connection.recv(20) == b"and back"


def test_a_port_of_the_nodes_that_is_in_use_is_told(forward, peer):
    taken = peer()
    forwarded = forward("-R", f"{taken.port}:localhost:1")
    assert forwarded.wait() == 1
    assert forwarded.event("not-listening")["reason"] == "in-use"
    assert f"-R 127.0.0.1:{taken.port}:localhost:1: in use" in forwarded.told


def socks5(connection: socket.socket, host: str, port: int) -> int:
    connection.sendall(b"\x05\x01\x00")
    assert connection.recv(2) == b"\x05\x00"
    name = host.encode()
    connection.sendall(b"\x05\x01\x00\x03" + bytes([len(name)]) + name + struct.pack(">H", port))
    answer = connection.makefile("rb", buffering=0).read(10)
    return answer[1]


def test_socks_with_names_that_the_node_looks_up(forward, peer):
    far = peer()
    forwarded = forward("-D", "0")
    connection = forwarded.connect("-D")
    assert socks5(connection, "localhost", far.port) == 0
    data = os.urandom(1 << 20) * 4
    assert exchange(connection, data) == data
    assert socks5(forwarded.connect("-D"), "localhost", free_port()) == 5
    assert socks5(forwarded.connect("-D"), "169.254.169.254", 80) == 2
    assert socks5(forwarded.connect("-D"), "nowhere.invalid", 80) == 4
    old = forwarded.connect("-D")
    old.sendall(b"\x04\x01" + struct.pack(">H", far.port) + b"\0\0\0\1me\0localhost\0")
    assert old.recv(8)[:2] == b"\0\x5a"
    assert exchange(old, b"SOCKS 4a") == b"SOCKS 4a"


def test_curl_through_socks(forward, peer):
    def serve(connection):
        with connection:
            connection.recv(65_536)
            connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")

    forwarded = forward("-D", "0")
    proxy = f"socks5h://127.0.0.1:{forwarded.address('-D')[1]}"
    url = f"http://localhost:{peer(serve).port}/"
    done = subprocess.run(["curl", "-sS", "--proxy", proxy, url], capture_output=True, timeout=60)
    assert done.stdout == b"hello", done.stderr


def test_datagrams_of_several_programs(forward, lab):
    far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    far.bind(("127.0.0.1", 0))
    lab.closers.append(far.close)

    def serve():
        while True:
            try:
                question, source = far.recvfrom(65_535)
            except OSError:
                return
            far.sendto(b"answer to " + question, source)

    threading.Thread(target=serve, daemon=True).start()
    forwarded = forward("-U", f"0:localhost:{far.getsockname()[1]}")
    address = forwarded.address("-U")
    programs = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for turn in range(3):
        for index, program in enumerate(programs):
            program.settimeout(60)
            program.sendto(f"{turn}.{index}".encode(), address)
        for index, program in enumerate(programs):
            assert program.recv(1000) == f"answer to {turn}.{index}".encode()
    # Bounds are kept, and the longest fits.
    long = os.urandom(60_000)
    programs[0].sendto(long, address)
    assert programs[0].recv(65_535) == b"answer to " + long
    programs[0].sendto(b"", address)
    assert programs[0].recv(1000) == b"answer to "
    assert len(forwarded.all("opened")) == 3


def test_all_that_cannot_be_listened_on_is_told_before_anything_starts(forward, peer, server, short_path):
    first, second, path = peer(), peer(), short_path("there")
    open(path, "w").close()
    before = len(server.client().describe_sessions(State="Active")["Sessions"])
    forwarded = forward("-L", f"{first.port}:localhost:1", "-L", f"{path}:localhost:1", "-D", second.port)
    assert forwarded.wait() == 1
    for place in [f"127.0.0.1:{first.port}:localhost:1", path, f"-D 127.0.0.1:{second.port}"]:
        eventually(lambda: place in forwarded.told, forwarded.told)  # noqa: B023
    assert forwarded.events == []
    assert len(server.client().describe_sessions(State="Active")["Sessions"]) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["NODE", "-L", "8080:db"], '-L 8080:db: "db" is no port'),
        (["NODE", "-L", "8080", "-D", "x"], '-D x: "x" is no port'),
        (["NODE"], "nothing is forwarded to"),
        (["-D", "1080"], "no node is named"),
        (["-O", "check"], "--control"),
    ],
)
def test_wrong_words_are_told(forward, node, words, told):
    forwarded = forward(*(word.replace("NODE", node.node_id) for word in words), nodes=[])
    assert forwarded.wait() == 2
    eventually(lambda: told in forwarded.told, forwarded.told)


def test_policies_decide_before_and_during_a_session(forward, peer, server):
    far, other = peer(), peer()
    there = {"postern:DestinationHost": "localhost", "postern:DestinationPort": str(far.port)}
    start = allow("ssm:StartSession", Condition={"StringEquals": there})
    person = Person(server, start, SESSIONS)
    # What is declared is asked for at the start, and the reason told.
    refused = forward("-L", f"0:localhost:{other.port}", environment=person.environment())
    assert refused.wait() == 255
    eventually(lambda: "not authorized" in refused.told, refused.told)
    # What comes later is asked for when it is opened.
    control = forward("-L", f"0:localhost:{far.port}", environment=person.environment())
    assert exchange(control.connect(), b"allowed") == b"allowed"
    person.put(allow("ssm:StartSession"), SESSIONS)
    socks = forward("-D", "0", environment=person.environment())
    socks.event("started")
    person.put(
        allow("ssm:StartSession", Condition={"StringEqualsIfExists": there}),
        SESSIONS,
    )
    assert socks5(socks.connect("-D"), "localhost", far.port) == 0
    assert socks5(socks.connect("-D"), "localhost", other.port) == 2
    assert socks.event("refused")["reason"] == "denied"
    assert len(other.connections) == 0


def test_several_nodes_at_once(lab, forward, peer, server, node):
    denied = peer()
    rules = {"POSTERN_AGENT_DENY_DESTINATIONS": f"127.0.0.1:{denied.port},[::1]:{denied.port}"}
    second = lab.agent(server, rules).register().start()
    forwarded = forward(
        "-L", f"0:127.0.0.1:{denied.port}", "-L", f"{second.node_id}/0:127.0.0.1:{denied.port}",
        nodes=[node.node_id, second.node_id],
    )  # fmt: skip
    places = {}
    for each in [node.node_id, second.node_id]:
        places[each] = int(forwarded.event("listening", node=each)["address"].rpartition(":")[2])
    first = socket.create_connection(("127.0.0.1", places[node.node_id]), timeout=60)
    assert exchange(first, b"through the first") == b"through the first"
    assert is_closed(socket.create_connection(("127.0.0.1", places[second.node_id]), timeout=60))
    assert forwarded.event("refused")["node"] == second.node_id
    assert forwarded.event("refused")["reason"] == "forbidden"
    sessions = {event["session"] for event in forwarded.all("started")}
    assert len(sessions) == 2
    assert forwarded.interrupt() == 130


def test_forwards_come_and_go_while_it_runs(forward, peer, node, server, short_path):
    first, second = peer(), peer()
    control, environment = short_path("control"), server.client_environment()
    forwarded = forward("--control", control)
    forwarded.event("started")
    eventually(lambda: os.path.exists(control), "the control socket")
    assert stat.S_IMODE(os.stat(control).st_mode) == 0o600
    state = eventually(lambda: json.loads(order(environment, control, "check", "--json").stdout), "its state")
    assert (state["pid"], state["nodes"][0]["node"]) == (forwarded.process.pid, node.node_id)
    eventually(lambda: json.loads(order(environment, control, "check", "--json").stdout)["nodes"][0]["connected"], "connected")
    added = order(environment, control, "forward", "-L", f"0:localhost:{first.port}", "-R", f"0:localhost:{second.port}", "-D", "0")
    assert added.returncode == 0, added.stderr
    kept = forwarded.connect("-L")
    assert exchange(kept, b"added") == b"added"
    assert exchange(forwarded.connect("-R"), b"added there") == b"added there"
    shown = order(environment, control, "check").stdout
    assert f"-L 127.0.0.1:0:localhost:{first.port} on 127.0.0.1:" in shown, shown
    # By the port that it got, or as it was typed.
    ports = {option: forwarded.address(option)[1] for option in ("-L", "-R")}
    for words in [["-L", f"{ports['-L']}:localhost:{first.port}"], ["-R", f"0:localhost:{second.port}"]]:
        gone = order(environment, control, "cancel", *words)
        assert gone.returncode == 0, gone.stderr
    for port in ports.values():

        def refused():
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()  # noqa: B023
            except ConnectionRefusedError:
                return True

        eventually(refused, "nobody listens")
    assert exchange(kept, b"goes on") == b"goes on"
    again = order(environment, control, "cancel", "-L", f"{ports['-L']}:localhost:{first.port}")
    assert again.returncode == 1 and "nothing like it is forwarded" in again.stderr
    wrong = order(environment, control, "forward", "-L", f"nowhere/0:localhost:{first.port}")
    assert wrong.returncode == 1 and "no node has the name" in wrong.stderr
    taken = order(environment, control, "forward", "-L", f"{first.port}:localhost:1")
    assert taken.returncode == 1 and "cannot listen" in taken.stderr
    other = forward("--control", control)
    assert other.wait() == 1 and "cannot make the control socket" in other.told
    assert order(environment, control, "exit").returncode == 0
    assert forwarded.wait() == 0
    assert not os.path.exists(control)
    nobody = order(environment, control, "check")
    assert nobody.returncode == 255 and "no command takes orders" in nobody.stderr


def test_ctrl_c_ends_the_session(forward, peer, server):
    forwarded = forward("-L", f"0:localhost:{peer().port}")
    connection = forwarded.connect()
    assert exchange(connection, b"hi") == b"hi"
    assert forwarded.interrupt() == 130
    assert is_closed(connection)
    session = forwarded.event("started")["session"]
    history = server.client().describe_sessions(State="History", Filters=[{"key": "SessionId", "value": session}])
    assert [(found["Status"], found["DocumentName"]) for found in history["Sessions"]] == [("Terminated", DOCUMENT)]


def test_a_session_that_is_terminated_ends_it_with_the_reason(forward, peer, server):
    forwarded = forward("-L", f"0:localhost:{peer().port}")
    forwarded.event("listening")
    server.client().terminate_session(SessionId=forwarded.event("started")["session"])
    assert forwarded.wait() == 255
    assert forwarded.event("ended")["reason"]


def test_a_node_that_was_away_is_waited_for(lab, forward, peer, server):
    own = lab.node(server)
    forwarded = forward("--reconnect", "-L", f"0:localhost:{peer().port}", "-R", f"0:localhost:{peer().port}", nodes=[own.node_id])
    assert exchange(forwarded.connect(), b"before") == b"before"
    own.kill()
    own.start()
    server.client().terminate_session(SessionId=forwarded.event("started")["session"])
    eventually(lambda: len(forwarded.all("started")) > 1, f"another session: {forwarded.told}", 90)
    assert exchange(forwarded.connect(), b"the same listener") == b"the same listener"
    eventually(lambda: len([e for e in forwarded.all("listening") if e["forward"].startswith("-R")]) == 2, "the node listens again")
    assert exchange(forwarded.connect("-R", 1), b"and the node's") == b"and the node's"
    assert forwarded.interrupt() == 130


def test_a_node_that_is_not_there_yet_is_waited_for_or_told(lab, forward, peer, server):
    away = lab.node(server)
    away.kill()
    eventually(lambda: not away.is_connected(), "it is away", 60)
    words = ["-L", f"0:localhost:{peer().port}"]
    told = forward(*words, nodes=[away.node_id])
    assert told.wait() == 255 and "TargetNotConnected" in told.told
    waits = forward("--reconnect", *words, nodes=[away.node_id])
    waits.event("waiting")
    away.start()
    assert exchange(waits.connect(), b"there") == b"there"


def test_an_agent_that_cannot_is_told_with_what_works_instead(forward, peer, server):
    other = Node(server).joined().connected()
    forwarded = forward("-L", f"0:localhost:{peer().port}", nodes=[other.id])
    assert forwarded.wait() == 255
    eventually(lambda: "hint: " in forwarded.told, forwarded.told)
    assert "needs postern-agent" in forwarded.told and "AWS-StartPortForwardingSession" in forwarded.told
    assert "needs postern-agent" in forwarded.event("failed")["message"]


def test_what_the_node_may_not_listen_on_is_forbidden(forward, peer):
    forwarded = forward("-R", f"*:0:localhost:{peer().port}", "-L", f"0:localhost:{peer().port}")
    assert forwarded.event("not-listening")["reason"] == "forbidden"
    assert exchange(forwarded.connect(), b"the rest goes on") == b"the rest goes on"


def test_a_server_that_restarts_under_a_transfer(lab, peer):
    server = lab.server().start()
    node = lab.node(server)
    block, blocks = os.urandom(1 << 20), 64
    digest = hashlib.sha256(block * blocks).hexdigest()
    got, half = [], threading.Event()

    def serve(connection):
        with connection:
            for index in range(blocks):
                connection.sendall(block)
                if index == blocks // 4:
                    half.set()

    def take(connection):
        got.append(hashlib.sha256(read_all(connection)).hexdigest())

    up = peer(answer_at_the_end)
    words = ["-L", f"0:localhost:{peer(serve).port}", "-L", f"0:localhost:{up.port}"]
    forwarded = Forward(lab, server.client_environment(), node.node_id, *words)
    sending = forwarded.connect("-L", 1)
    sending.sendall(block)
    thread = threading.Thread(target=take, args=[forwarded.connect("-L", 0)])
    thread.start()
    assert half.wait(60)
    server.kill()
    server.start()
    thread.join(120)
    assert got == [digest]
    for _ in range(blocks - 1):
        sending.sendall(block)
    sending.shutdown(socket.SHUT_WR)
    assert read_all(sending).decode() == digest
    assert len(forwarded.all("started")) == 1


def test_a_port_session_between_our_own_ends_has_half_close(lab, node, server, peer):
    """`postern start-session` speaks the dialect, too; AWS's programs do not have it."""
    far = peer(answer_at_the_end)
    words = ["--document-name", "AWS-StartPortForwardingSession", "--parameters", f"portNumber={far.port}"]
    process = subprocess.Popen(
        [binary("postern"), "start-session", node.node_id, *words],
        env=server.client_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    lab.closers.append(process.kill)
    found = None
    while not found:
        line = process.stdout.readline().decode()
        assert line, "it ended"
        found = re.search(r"Port (\d+) ", line)
    connection = socket.create_connection(("127.0.0.1", int(found[1])), timeout=60)
    data = os.urandom(1 << 20) * 4
    connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)
    assert read_all(connection).decode() == hashlib.sha256(data).hexdigest()


def test_a_terminal_shows_how_much_is_carried(lab, node, server, peer, tmp_path):
    port, far = free_port(), peer()
    words = [binary("postern"), "forward", node.node_id, "-L", f"{port}:localhost:{far.port}"]
    # The shell around it outlives Ctrl-C, so that what is left of the screen can be read.
    outliving = ["sh", "-c", 'trap : INT; "$@"; echo "ended with $?"; sleep 60', "sh", *words]
    terminal = Terminal(tmp_path, outliving, server.client_environment(), (120, 20))
    lab.closers.append(terminal.close)
    terminal.shows(f"Listening on 127.0.0.1:{port}")
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    data = os.urandom(1 << 20)
    assert exchange(connection, data) == data
    terminal.shows("1 open, up ")
    terminal.shows("(1.0 MiB), down ")
    connection.close()
    terminal.shows("0 open, up ")
    terminal.keys("C-c")
    terminal.shows("ended with 130")
    assert " open, up " not in terminal.screen()
