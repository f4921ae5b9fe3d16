"""Sessions that carry one TCP connection to the node: under `ssh`, under `aws ssm start-session`, and by themselves."""

import json
import os
import shlex
import socket
import subprocess
import threading

import pytest
from harness.openssh import SshServer
from harness.peer import Peer
from harness.people import Person, allow
from harness.programs import SCRIPTS, binary, free_port
from harness.waiting import eventually

DOCUMENT = "AWS-StartSSHSession"


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65_536):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)
    connection.close()


@pytest.fixture
def peer(lab):
    def start(serve=echo) -> Peer:
        peer = Peer(serve)
        lab.closers.append(peer.close)
        return peer

    return start


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    server = SshServer(tmp_path_factory.mktemp("sshd"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def environment(server, tmp_path_factory):
    """With the AWS CLI and `postern` as its plugin."""
    directory = tmp_path_factory.mktemp("plugin")
    os.symlink(binary("postern"), directory / "session-manager-plugin")
    variables = server.client_environment()
    return variables | {"PATH": f"{directory}:{SCRIPTS}:{variables['PATH']}"}


def command(program: str, node, port: int) -> list[str]:
    words = {"postern": [binary("postern"), "start-session"], "aws": ["aws", "ssm", "start-session"]}[program]
    return [*words, "--target", node.node_id, "--document-name", DOCUMENT, "--parameters", f"portNumber={port}"]


def exchange(arguments: list[str], environment, given: bytes, within_s: float = 60) -> subprocess.CompletedProcess:
    return subprocess.run(arguments, env=environment, input=given, capture_output=True, timeout=within_s)


@pytest.mark.parametrize("program", ["postern", "aws"])
def test_only_the_connections_bytes_are_on_standard_output(node, environment, peer, program):
    every_byte = bytes(range(256)) * 4096
    done = exchange(command(program, node, peer().port), environment, every_byte)
    assert done.stdout == every_byte, done.stderr
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_end_of_each_direction_is_passed_on(node, environment, peer):
    """The far end reads to the end before it says anything, and says a last word after our end."""
    told = []

    def serve(connection):
        parts = []
        while data := connection.recv(65_536):
            parts.append(data)
        told.append(b"".join(parts))
        connection.sendall(b"I have heard all.")
        connection.close()

    done = exchange(command("postern", node, peer(serve).port), environment, b"one\ntwo\n")
    assert (told, done.stdout, done.returncode) == ([b"one\ntwo\n"], b"I have heard all.", 0)


def test_a_far_end_that_has_said_all_still_hears(lab, node, environment, peer):
    heard = []

    def serve(connection):
        connection.sendall(b"bye")
        connection.shutdown(socket.SHUT_WR)
        heard.append(connection.makefile("rb").read())

    arguments = command("postern", node, peer(serve).port)
    process = subprocess.Popen(arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    lab.closers.append(process.kill)
    assert process.stdout.read() == b"bye", "standard output ends while the session goes on"
    process.stdin.write(b"still here")
    process.stdin.close()
    assert process.wait(30) == 0
    eventually(lambda: heard == [b"still here"], "it was heard")


def test_a_far_end_that_does_not_read_holds_the_sender_up(lab, node, environment, peer, server):
    may_read, read = threading.Event(), []

    def serve(connection):
        may_read.wait(120)
        total = 0
        while data := connection.recv(1 << 20):
            total += len(data)
        read.append(total)
        connection.close()

    arguments = command("postern", node, peer(serve).port)
    process = subprocess.Popen(arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    lab.closers.append(process.kill)
    size, written = 64 << 20, 0

    def write():
        nonlocal written
        while written < size:
            written += process.stdin.write(bytes(1 << 20))
        process.stdin.close()

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    seen = [-1]

    def stands_still() -> bool:
        if written == seen[-1] and written > 0:
            seen.append(written)
        else:
            seen[:] = [written]
        return len(seen) > 50

    eventually(stands_still, "the writer waits", 60)
    assert written < 32 << 20, "what is on its way is bounded"
    may_read.set()
    assert process.wait(60) == 0
    eventually(lambda: read == [size], "all arrived")


@pytest.mark.parametrize("program", ["postern", "aws"])
def test_a_port_that_refuses_is_told(node, environment, program, server):
    done = exchange(command(program, node, free_port()), environment, b"hello")
    assert done.stdout == b""
    assert b"Unable to connect to specified port: " in done.stderr and b"refused" in done.stderr.lower()
    if program == "postern":
        assert done.returncode == 255
    history = server.client().describe_sessions(State="History")["Sessions"]
    failed = next(session for session in history if session["DocumentName"] == DOCUMENT)
    assert failed["Status"] == "Failed"


def test_a_connection_that_is_reset_ends_the_session(node, environment, peer):
    def serve(connection):
        connection.recv(5)
        # A reset instead of an end.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()

    arguments = command("postern", node, peer(serve).port)
    process = subprocess.Popen(arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(b"hello")
    process.stdin.flush()
    assert process.wait(30) == 255
    assert b"The connection was lost" in process.stderr.read()


def test_a_client_that_goes_away_closes_the_connection(lab, node, environment, peer):
    closed = threading.Event()

    def serve(connection):
        connection.sendall(b"hi")
        while connection.recv(100):
            pass
        closed.set()

    arguments = command("postern", node, peer(serve).port)
    process = subprocess.Popen(arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout.read(2) == b"hi"
    process.terminate()
    assert process.wait(20) == 128 + 15
    assert closed.wait(20)


def test_the_record_has_how_much_and_not_what(node, environment, peer, server):
    done = exchange(command("postern", node, peer().port), environment, b"a secret word\n")
    assert done.stdout == b"a secret word\n"
    ssm = server.client()

    def over():
        sessions = ssm.describe_sessions(State="History")["Sessions"]
        return next(session for session in sessions if session["DocumentName"] == DOCUMENT)

    session = eventually(lambda: over() if over()["Status"] == "Terminated" else None, "the session is over")
    cast = (server.data / "recordings" / f"{session['SessionId']}.cast").read_text()
    assert "secret" not in cast
    text = "".join(json.loads(line)[2] for line in cast.splitlines()[1:])
    assert text.startswith("A connection. What goes over it is not recorded.\r\n")
    assert " bytes to the node, " in text


def test_without_the_right_to_the_document_there_is_no_connection(server, node, peer):
    person = Person(server, allow("ssm:StartSession", ["arn:aws:ssm:*:*:managed-instance/*", "arn:aws:ssm:*:*:document/SSM-*"]))
    done = exchange(command("postern", node, peer().port), person.environment(), b"hello")
    assert (done.returncode, done.stdout) == (255, b"")
    assert b"AccessDenied" in done.stderr or b"not authorized" in done.stderr


@pytest.mark.parametrize("program", ["postern", "aws"])
def test_ssh_over_a_proxy_command(node, environment, sshd, program):
    options = sshd.options(shlex.join(command(program, node, sshd.port)))
    done = exchange(["ssh", *options, "node", "cat; echo to stderr >&2; exit 7"], environment, b"through the tunnel\n")
    assert (done.returncode, done.stdout) == (7, b"through the tunnel\n"), done.stderr
    assert b"to stderr" in done.stderr


@pytest.mark.parametrize("program", ["postern", "aws"])
def test_scp_and_sftp_over_a_proxy_command(node, environment, sshd, program, tmp_path):
    options = sshd.options(shlex.join(command(program, node, sshd.port)))
    content = os.urandom(3_000_000)
    (tmp_path / "there").write_bytes(content)
    done = exchange(["scp", *options, f"node:{tmp_path / 'there'}", str(tmp_path / "here")], environment, b"")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here").read_bytes() == content
    batch = f"put {tmp_path / 'here'} {tmp_path / 'back'}\n"
    done = exchange(["sftp", *options, "-b", "-", "node"], environment, batch.encode())
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "back").read_bytes() == content
