"""A shell on a node: the terminal it has, and what it lives in."""

import pytest
from harness.waiting import eventually, is_alive


def test_it_is_a_login_shell_in_a_terminal_of_the_right_size(lab, node):
    session = lab.session(node, size=(123, 45))
    assert session.run("stty size; tty > /dev/null && echo tty").splitlines() == ["45 123", "tty"]
    assert session.run("echo $TERM; locale charmap").splitlines() == ["xterm-256color", "UTF-8"]


def test_the_size_is_right_before_the_first_prompt(lab, node):
    session = lab.session(node, size=(101, 33))
    assert session.run("stty size") == "33 101\n"


def test_a_new_size_is_signalled(session):
    session.run("trap 'echo resized; stty size' WINCH")
    session.send_size(90, 20)

    def is_told() -> bool:
        # The shell looks for signals when a line is typed.
        session.type("\r")
        session.receive(0.5)
        return b"resized\r\n20 90\r\n" in session.output

    eventually(is_told, "the new size")


def test_it_has_a_controlling_terminal_and_job_control(session):
    session.type("sh -c 'echo st\"\"arted; exec cat'\r")
    session.read_until(b"started\r\n")
    session.type("echoed\r")
    session.read_until(b"echoed\r\nechoed\r\n")
    session.type("\x1a")
    session.read_until(b"topped")
    assert "cat" in session.run("jobs")
    assert session.run("kill %1; wait 2>/dev/null; echo gone").endswith("gone\n")


def test_ctrl_c_and_ctrl_backslash_and_ctrl_d(session):
    for key, status in [("\x03", "130"), ("\x1c", "131")]:
        session.type("sh -c 'echo st\"\"arted; exec sleep 1000'\r")
        session.read_until(b"started\r\n")
        session.type(key)
        session.type("echo status-$?\r")
        session.read_until(f"status-{status}\r\n".encode())
    session.type("PS1='pro''mpt> '\r")
    session.read_until(b"prompt> ")
    session.type("\x04")
    session.reason()


def test_bytes_are_carried_as_they_are(session):
    session.run("stty -echo")
    assert session.run("printf '\\344\\370\\026 \\342\\202\\254'").encode() != b""
    session.type("printf 'a\\377\\200b\\316\\261\\346\\274\\242\\001c'; echo end''\r")
    assert b"a\xff\x80b\xce\xb1\xe6\xbc\xa2\x01cend\r\n" in session.read_until(b"end\r\n")


def test_everything_under_the_session_ends_with_it(session):
    pids = session.run("sleep 1001 & echo $!; setsid sleep 1002 & echo $!; nohup sleep 1003 >/dev/null 2>&1 & echo $!")
    pids = [int(word) for word in pids.split() if word.isdigit()]
    assert len(pids) >= 3
    session.terminate()
    session.reason()
    for pid in pids:
        eventually(lambda pid=pid: not is_alive(pid), f"{pid} is gone")


def test_sessions_of_one_node_do_not_meet(lab, node):
    first, second = lab.session(node), lab.session(node)
    first.run("mine=first")
    assert second.run("echo [$mine]") == "[]\n"
    second.type("exit\r")
    second.reason()
    assert first.run("echo $mine") == "first\n"


def test_at_most_so_many_at_once(lab, server):
    """The limit of the node is its own, told to the one who is over it."""
    agent = lab.agent(server, {"POSTERN_AGENT_MAX_SESSIONS": "2"}).register().start()
    kept = [lab.session(agent) for _ in range(2)]
    for session in kept:
        session.run("true")
    refused = lab.session(agent)
    assert "2" in refused.reason()
    kept[0].type("exit\r")
    kept[0].reason()
    assert lab.session(agent).run("echo in") == "in\n"


@pytest.mark.parametrize("code", [0, 9])
def test_the_exit_code_of_a_shell_is_told_to_those_who_ask(lab, node, code):
    session = lab.session(node)
    session.type(f"exit {code}\r")
    session.reason()
    assert session.closed.json().get("ExitCode", code) == code
