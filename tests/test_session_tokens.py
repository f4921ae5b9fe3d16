"""A session's token opens its session, once, on its side."""

import pytest
import websockets.exceptions
from harness import channel

REFUSED = (channel.Closed, websockets.exceptions.ConnectionClosed)


def test_a_token_is_used_up_by_its_first_use(lab, node):
    session = lab.session(node)
    session.run("true")
    again = channel.Session(node.server, {"SessionId": session.id, "StreamUrl": session.url, "TokenValue": session.token})
    lab.closers.append(again.close)
    with pytest.raises(REFUSED):
        again.until(lambda: False, "the refusal")
    assert session.run("echo mine") == "mine\n"


def test_a_token_of_another_session_opens_nothing(lab, node):
    first = channel.start(node.server, node.node_id)
    second = channel.start(node.server, node.node_id)
    mixed = channel.Session(node.server, first | {"TokenValue": second["TokenValue"]})
    lab.closers.append(mixed.close)
    with pytest.raises(REFUSED):
        mixed.until(lambda: False, "the refusal")
    # The session is not harmed: its owner asks for another token.
    token = node.server.client().resume_session(SessionId=first["SessionId"])
    assert token["SessionId"] == first["SessionId"]


def test_a_forged_token_is_told_why(lab, node):
    started = channel.start(node.server, node.node_id)
    forged = channel.Session(node.server, started | {"TokenValue": "AAEAA" + "x" * 60})
    lab.closers.append(forged.close)
    with pytest.raises(channel.Closed) as closed:
        forged.until(lambda: False, "the refusal")
    assert closed.value.output


def test_the_first_token_does_not_come_back_after_a_resume(lab, node):
    session = lab.session(node)
    session.run("true")
    session.drop()
    session.resume()
    assert session.run("echo resumed") == "resumed\n"
    stale = channel.Session(node.server, {"SessionId": session.id, "StreamUrl": session.url, "TokenValue": session.token})
    lab.closers.append(stale.close)
    with pytest.raises(REFUSED):
        stale.until(lambda: False, "the refusal")
    assert session.run("echo mine") == "mine\n"


def test_a_token_of_an_ended_session(lab, node):
    started = channel.start(node.server, node.node_id)
    node.server.client().terminate_session(SessionId=started["SessionId"])
    late = channel.Session(node.server, started)
    lab.closers.append(late.close)
    with pytest.raises(REFUSED):
        late.until(lambda: False, "the refusal")


def test_the_newest_connection_of_a_client_wins(lab, node):
    session = lab.session(node)
    session.run("kept=yes")
    old = session.socket
    session.resume()
    assert session.run("echo $kept") == "yes\n"
    with pytest.raises(websockets.exceptions.ConnectionClosed):
        while True:
            old.recv(timeout=20)
