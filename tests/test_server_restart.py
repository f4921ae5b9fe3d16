"""A server that dies or is replaced in the middle of a session loses no byte of it."""

import hashlib
import json
import os
import subprocess

import pytest
import websockets.exceptions
from harness import channel
from harness.programs import SCRIPTS, binary
from harness.terminal import Terminal
from harness.waiting import eventually

# 16 bytes a line; what arrives is compared by its digest.
LINES = 400_000
COUNTED = "seq -f '%%015.0f' 1 %d"


def expected(lines: int) -> str:
    return hashlib.sha256(b"".join(b"%015d\n" % n for n in range(1, lines + 1))).hexdigest()


def digest(output: bytes) -> str:
    return hashlib.sha256(output.replace(b"\r\n", b"\n")).hexdigest()


@pytest.fixture
def own(lab):
    server = lab.server().start()
    return server, lab.node(server)


def replace(server, how: str) -> None:
    server.kill() if how == "SIGKILL" else server.stop()
    server.start()


def go_on(session, within_s: float = 30) -> None:
    """As the plugin does when its websocket is gone."""

    def resumed():
        try:
            session.resume()
            return True
        except (OSError, websockets.exceptions.WebSocketException):
            return False

    eventually(resumed, "resumed", within_s)


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_no_byte_is_lost_while_output_streams(lab, own, how):
    server, node = own
    session = lab.session(node)
    session.run("stty -echo; PS1=; true")
    session.type(f"echo be''gin; {COUNTED % LINES}; echo en''d\r")
    session.read_until(b"begin\r\n")
    received = b""
    restarts = 0
    while b"end\r\n" not in received:
        try:
            session.until(lambda: len(session.output) > 100_000 or b"end\r\n" in session.output, "output", 60)
            received += session.output
            session.output = b""
            if restarts < 2 and len(received) > 500_000 * (restarts + 1):
                restarts += 1
                replace(server, how)
        except (websockets.exceptions.ConnectionClosed, OSError):
            go_on(session)
    assert restarts == 2
    assert digest(received.partition(b"end\r\n")[0]) == expected(LINES)
    assert session.run("echo alive").endswith("alive\n")


@pytest.mark.parametrize("how", ["SIGKILL", "SIGTERM"])
def test_no_keystroke_is_lost(lab, own, how):
    server, node = own
    session = lab.session(node)
    session.run("stty -echo; PS1=; true")
    session.type("echo st''arted; cat | sha256sum; echo en''d\r")
    session.read_until(b"started\r\n")
    sent = b""
    for n in range(300):
        line = b"%06d typed\r" % n
        sent += line.replace(b"\r", b"\n")
        try:
            session.send(line)
            session.receive(0.001)
        except (websockets.exceptions.ConnectionClosed, OSError):
            go_on(session)
        if n in (100, 200):
            replace(server, how)
    try:
        session.receive(1)
    except (websockets.exceptions.ConnectionClosed, OSError):
        go_on(session)
    session.send(b"\x04")
    printed = session.read_until(b"end\r\n", 60)
    assert hashlib.sha256(sent).hexdigest().encode() in printed


def test_the_recording_goes_on_without_gap_or_repetition(lab, own):
    server, node = own
    session = lab.session(node)
    session.run("stty -echo; PS1=; true")
    session.type(f"echo be''gin; {COUNTED % 50_000}; echo en''d\r")
    received = b""
    restarted = False
    while b"end\r\n" not in received:
        try:
            session.until(lambda: len(session.output) > 50_000 or b"end\r\n" in session.output, "output", 60)
            received += session.output
            session.output = b""
            if not restarted and len(received) > 200_000:
                restarted = True
                replace(server, "SIGKILL")
        except (websockets.exceptions.ConnectionClosed, OSError):
            go_on(session)
    cast = server.data / "recordings" / f"{session.id}.cast"
    lines = [json.loads(line) for line in cast.read_text().splitlines()[1:]]
    recorded = "".join(data for _, kind, data in lines if kind == "o")
    body = recorded.partition("begin\r\n")[2].partition("end\r\n")[0]
    assert digest(body.encode()) == expected(50_000)


def test_postern_goes_on_by_itself(lab, own, tmp_path):
    """The whole way: Postern's client and agent, output into a file, the server killed on the way."""
    server, node = own
    out = tmp_path / "out"
    with out.open("wb") as stdout:
        process = subprocess.Popen(
            [binary("postern"), "start-session", "--target", node.node_id,
             "--document-name", "AWS-StartNonInteractiveCommand",
             "--parameters", f'{{"command":["sh -c \\"for i in 1 2 3 4 5 6; do {COUNTED % 50000}; sleep 0.3; done\\""]}}'],
            env=server.client_environment(), stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            eventually(lambda: out.stat().st_size > 100_000, "output comes")
            server.kill()
            server.start()
            assert process.wait(90) == 0, process.stderr.read()
        finally:
            process.kill()
    once = b"".join(b"%015d\n" % n for n in range(1, 50_001))
    assert hashlib.sha256(out.read_bytes()).hexdigest() == hashlib.sha256(once * 6).hexdigest()


def test_the_plugin_behind_the_aws_cli_goes_on(lab, own, tmp_path):
    server, node = own
    plugins = tmp_path / "bin"
    plugins.mkdir()
    os.symlink(binary("postern"), plugins / "session-manager-plugin")
    environment = server.client_environment()
    environment["PATH"] = f"{plugins}:{SCRIPTS}:{environment['PATH']}"
    terminal = Terminal(tmp_path, ["aws", "ssm", "start-session", "--target", node.node_id], environment)
    lab.closers.append(terminal.close)
    terminal.shows("Starting session with SessionId")
    terminal.line("PS1='rea''dy> '")
    terminal.shows("ready>")
    terminal.line("(for i in 1 2 3 4 5 6 7 8 9; do seq 1 20000; sleep 0.2; done) | tee /dev/tty | sha256sum")
    terminal.shows("19999")
    server.kill()
    server.start()
    once = b"".join(b"%d\n" % n for n in range(1, 20_001))
    terminal.shows(hashlib.sha256(once * 9).hexdigest(), 90)
    terminal.line("echo still-$((40+2))")
    terminal.shows_line("still-42")


def test_a_session_of_before_can_be_terminated_after(lab, own):
    server, node = own
    session = lab.session(node)
    session.run("true")
    replace(server, "SIGKILL")
    node.wait_until_connected()
    session.terminate()
    eventually(lambda: session.described()["Status"] == "Terminated", "terminated")


def test_a_restarted_server_tells_sigterm_apart_from_the_end(lab, own):
    """A server that drains closes websockets without `channel_closed`: the session is not over."""
    server, node = own
    session = lab.session(node)
    session.run("true")
    server.stop()
    with pytest.raises(websockets.exceptions.ConnectionClosed):
        session.until(lambda: False, "the connection's end")
    assert session.closed is None
    server.start()
    go_on(session)
    assert session.run("echo alive") == "alive\n"
    node.wait_until_connected()
    assert channel.start(server, node.node_id)["SessionId"]
