"""Peers that are gone without a word."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import websockets.exceptions
from harness import channel
from harness.waiting import eventually, is_alive


def test_a_client_that_vanishes_can_come_back(session):
    session.run("kept=yes")
    session.drop()
    eventually(lambda: session.described()["Status"] == "Disconnected", "disconnected", 60)
    session.resume()
    assert session.run("echo $kept") == "yes\n"
    assert session.described()["Status"] == "Connected"


def test_output_while_the_client_is_away_waits_for_it(session):
    session.run("true")
    session.type("sleep 1; seq 1 20000; echo en''d\r")
    session.drop()
    eventually(lambda: session.described()["Status"] == "Disconnected", "disconnected", 60)
    session.resume()
    printed = session.read_until(b"end\r\n", 60).replace(b"\r\n", b"\n")
    assert b"".join(b"%d\n" % n for n in range(1, 20001)) in printed


def test_an_agent_that_stops_ends_its_sessions_and_their_processes(lab, server):
    node = lab.node(server)
    session = lab.session(node)
    child = int(session.run("sleep 1000 & echo $!").split()[-1])
    assert node.stop() == 0
    assert not is_alive(child)
    session.reason(60)


def test_the_end_of_a_shell_waits_for_a_client_that_is_away(session):
    shell = int(session.run("echo $$"))
    session.type("echo lea''ving; sleep 1; echo last wo''rds; exit\r")
    session.read_until(b"leaving\r\n")
    session.drop()
    eventually(lambda: session.described()["Status"] == "Disconnected", "disconnected", 60)
    eventually(lambda: not is_alive(shell), "the shell has ended")
    session.resume()
    session.reason()
    assert b"last words\r\n" in session.output
    eventually(lambda: session.described()["Status"] == "Terminated", "terminated")
    assert not session.server.client().resume_session(SessionId=session.id).get("TokenValue")


def test_a_closed_connection_is_no_end(lab, node):
    session = lab.session(node)
    session.run("kept=yes")
    session.socket.close(1000, "bye")
    with pytest.raises(websockets.exceptions.ConnectionClosed):
        session.until(lambda: False, "nothing")
    session.resume()
    assert session.run("echo $kept") == "yes\n"


def an_agent_that_is_killed_ends_its_sessions(lab, server, _node):
    node = lab.node(server)
    session = lab.session(node)
    child = int(session.run("sleep 1000 & echo $!").split()[-1])
    node.kill()
    eventually(lambda: not node.is_connected(), "not connected", 60)
    node.start()
    assert session.reason(60)
    assert session.described()["Status"] in ("Terminated", "Failed", "Terminating")
    eventually(lambda: not is_alive(child), "what the dead agent ran is gone")


def a_node_whose_connection_freezes_is_noticed_within_45_seconds(lab, server, _node):
    """Stopped, not closed: only missing answers to pings tell."""
    node = lab.node(server)
    node.program.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    try:
        eventually(lambda: not node.is_connected(), "not connected", 60)
    finally:
        node.program.process.send_signal(signal.SIGCONT)
    assert time.monotonic() - began < 50
    node.wait_until_connected()


def a_client_whose_connection_freezes_is_noticed_within_45_seconds(lab, _server, node):
    """A client that answers no ping: websockets' reader is stopped by a full queue."""
    session = lab.session(node)
    session.run("true")
    session.type("yes\r")
    began = time.monotonic()
    eventually(lambda: session.described()["Status"] == "Disconnected", "disconnected", 70)
    assert time.monotonic() - began < 60
    session.terminate()


def sessions_that_no_client_ever_opens_do_not_stay(lab, _server, node):
    started = channel.start(node.server, node.node_id)
    ssm = node.server.client()

    def status():
        for state in ("Active", "History"):
            found = ssm.describe_sessions(State=state, Filters=[{"key": "SessionId", "value": started["SessionId"]}])
            if found["Sessions"]:
                return found["Sessions"][0]["Status"]
        return None

    assert status() in ("Connecting", "Connected", "Disconnected")
    eventually(lambda: status() in ("Failed", "Terminated"), "the session is given up", 150)


SLOW = [
    an_agent_that_is_killed_ends_its_sessions,
    a_node_whose_connection_freezes_is_noticed_within_45_seconds,
    a_client_whose_connection_freezes_is_noticed_within_45_seconds,
    sessions_that_no_client_ever_opens_do_not_stay,
]


@pytest.fixture(scope="module")
def under_way(shared_lab, server, node):
    """All that takes the better part of a minute, at once: they wait, and have nothing else in common."""
    with ThreadPoolExecutor(len(SLOW)) as threads:
        yield {slow: threads.submit(slow, shared_lab, server, node) for slow in SLOW}


@pytest.mark.parametrize("slow", SLOW, ids=lambda slow: slow.__name__)
def test_it_takes_its_time(under_way, slow):
    under_way[slow].result()
