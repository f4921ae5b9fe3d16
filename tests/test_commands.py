"""Sessions that run one command, and what becomes of its exit code and its two outputs."""

import contextlib

import pytest
import websockets.exceptions
from harness import channel
from harness.waiting import eventually, is_alive


def test_output_and_errors_and_exit_code_of_a_command_without_a_terminal(lab, node):
    session = lab.session(node, **channel.command("NonInteractive", "sh -c 'echo out; echo err >&2; exit 7'"))
    session.reason()
    assert b"out\n" in session.output
    assert b"err\n" in session.output + session.error_output
    assert session.described()["Status"] == "Terminated"


def test_a_command_without_a_terminal_has_none(lab, node):
    session = lab.session(node, **channel.command("NonInteractive", "sh -c 'test -t 0 || test -t 1 || echo none'"))
    session.reason()
    assert session.output == b"none\n"


def test_words_are_not_given_to_a_shell(lab, node):
    session = lab.session(node, **channel.command("NonInteractive", "echo $HOME '*' ; true"))
    session.reason()
    assert session.output == b"$HOME * ; true\n"


def test_a_command_that_is_not_there(lab, node):
    session = lab.session(node, **channel.command("NonInteractive", "/no/such/command"))
    session.reason()
    assert b"No such file" in session.output + session.error_output


def test_an_interrupt_reaches_a_command_without_a_terminal(lab, node):
    line = "sh -c 'trap \"echo caught; exit 3\" INT; echo ready; while :; do sleep 0.1; done'"
    session = lab.session(node, **channel.command("NonInteractive", line))
    # Its output may be held back until its end, so there is nothing to wait for but the handshake.
    session.until(lambda: session.next_out >= 2, "the handshake")
    eventually(lambda: _interrupted(session), "the command ends", 20)
    assert b"caught" in session.output


def _interrupted(session) -> bool:
    if session.closed is None:
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            session.type("\x03")
        session.receive(0.2)
    return session.closed is not None


def test_a_command_in_a_terminal_has_one_and_a_shell(lab, node):
    session = lab.session(node, **channel.command("Interactive", "test -t 0 && test -t 1 && echo tty; echo $((6 * 7))"))
    session.reason()
    assert session.output == b"tty\r\n42\r\n"


def test_a_command_in_a_terminal_takes_input(lab, node):
    session = lab.session(node, **channel.command("Interactive", "read -r name; echo hello $name"))
    session.type("world\r")
    session.reason()
    assert session.output.endswith(b"hello world\r\n")


def test_much_output_of_a_short_command_arrives_whole(lab, node):
    session = lab.session(node, **channel.command("NonInteractive", "seq 1 200000"))
    session.reason(60)
    assert session.output == b"".join(b"%d\n" % n for n in range(1, 200001))


@pytest.mark.parametrize("kind", ["Interactive", "NonInteractive"])
def test_children_do_not_outlive_the_session(lab, node, kind, tmp_path):
    pid_file = tmp_path / "pid"
    line = f"sh -c 'sleep 1000 & echo $! > {pid_file}; wait'"
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:3]:
        parent.chmod(0o755)
    session = lab.session(node, **channel.command(kind, line))
    session.until(lambda: pid_file.exists() and pid_file.read_text().strip(), "the child's id")
    session.terminate()
    session.reason()
    eventually(lambda: not is_alive(int(pid_file.read_text())), "the child is gone")
