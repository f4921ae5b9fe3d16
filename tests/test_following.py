"""Somebody else's session is watched while it runs: by leave, from the beginning, and on the record."""

import contextlib
import json
import subprocess
import time
import urllib.parse

import pytest
import websockets.exceptions
from harness.people import Person, allow
from harness.programs import ACCOUNT, binary
from harness.sockets import connect
from harness.waiting import eventually
from test_recordings_api import call, cast, ended, records
from test_server_restart import go_on


class Watcher:
    """A websocket that shows a session."""

    def __init__(self, server, url: str, headers=None):
        self.socket = connect(url, server.tls(), headers)
        self.shown = ""

    def next(self, within_s: float = 20) -> str:
        return self.socket.recv(within_s)

    def until(self, expected: str, within_s: float = 20) -> None:
        deadline = time.monotonic() + within_s
        while expected not in self.text():
            message = self.next(deadline - time.monotonic())
            assert message.endswith("\n"), message
            self.shown += message

    def events(self) -> list:
        return [json.loads(line) for line in self.shown.splitlines()[1:]]

    def text(self) -> str:
        return "".join(data for _, code, data in self.events() if code == "o")

    def closed(self, within_s: float = 20) -> int:
        """The code with which the server closes."""
        with pytest.raises(websockets.exceptions.ConnectionClosed) as closed:
            deadline = time.monotonic() + within_s
            while True:
                self.next(deadline - time.monotonic())
        return closed.value.rcvd.code


def attach(who, session_id: str) -> str:
    answer = call(who, "AttachSession", SessionId=session_id)
    assert answer.status == 200, answer.body
    told = answer.json()
    assert told["Url"].endswith(told["Ticket"]) and told["Url"].startswith("wss://")
    assert 0 < told["ExpiresAt"] - time.time() <= 31
    return told["Url"]


@pytest.fixture
def watch(server, lab):
    def watch(session, who=None) -> Watcher:
        watcher = Watcher(server, attach(who or server, session.id))
        lab.closers.append(watcher.socket.close)
        return watcher

    return watch


def refused(server, url: str, headers=None) -> int:
    """The status with which a websocket is refused."""
    with pytest.raises(websockets.exceptions.InvalidStatus) as refused:
        connect(url, server.tls(), headers)
    return refused.value.response.status_code


def test_a_watcher_sees_the_beginning_then_what_comes_then_the_end(server, session, watch):
    session.run("echo be''fore")
    watcher = watch(session)
    watcher.until("before\r\n")
    assert json.loads(watcher.shown.splitlines()[0])["version"] == 3
    delays = []
    for number in range(20):
        session.run(f"echo li''ne-{number}")
        since = time.monotonic()
        watcher.until(f"line-{number}\r\n")
        delays.append(time.monotonic() - since)
    assert sorted(delays)[-2] < 0.2, delays
    ended(session)
    last = ""
    while not last.startswith('{"ended"'):
        last = watcher.next()
        watcher.shown += "" if last.startswith('{"ended"') else last
    assert watcher.shown == cast(server, session.id).read_text()
    end = json.loads(last)["ended"]
    assert end["status"] == "Terminated" and end["reason"] == session.described()["Details"], end
    assert watcher.closed() == 1000


def test_who_may_not_gets_no_ticket(server, session):
    session.run("echo he''re")
    everything_else = Person(server, allow(["ssm:*", "postern:GetSessionRecording", "postern:ListSessionRecordings"]))
    answer = call(everything_else, "AttachSession", SessionId=session.id)
    assert answer.code == "AccessDeniedException" and "postern:AttachSession" in answer.json()["Message"]


def test_watching_by_the_tags_of_the_node(server, node, session, watch):
    session.run("echo he''re")
    condition = {"StringEquals": {"ssm:resourceTag/team": "watched"}}
    person = Person(server, allow("postern:AttachSession", f"arn:aws:ssm:*:{ACCOUNT}:session/*", Condition=condition))
    assert call(person, "AttachSession", SessionId=session.id).code == "AccessDeniedException"
    tag = {"ResourceType": "ManagedInstance", "ResourceId": node.node_id}
    server.client().add_tags_to_resource(**tag, Tags=[{"Key": "team", "Value": "watched"}])
    watcher = watch(session, person)
    watcher.until("here\r\n")
    server.client().remove_tags_from_resource(**tag, TagKeys=["team"])
    assert watcher.closed(within_s=3) == 1008


def test_a_ticket_opens_once(server, session):
    session.run("echo he''re")
    url = attach(server, session.id)
    Watcher(server, url).socket.close()
    assert refused(server, url) in (400, 403)
    assert refused(server, url[:-1] + ("A" if url[-1] != "A" else "B")) in (400, 403)
    assert refused(server, url.rpartition("/")[0] + "/") in (400, 403)


def test_a_page_of_another_site_cannot_use_a_ticket(server, session):
    session.run("echo he''re")
    for origin in ["https://evil.example", "null", server.local_url.replace("https", "http"), server.local_url + "0"]:
        url = attach(server, session.id)
        assert refused(server, url, {"Origin": origin}) in (400, 403)
    own = urllib.parse.urlsplit(attach(server, session.id))
    watcher = Watcher(server, own.geturl(), {"Origin": f"https://{own.netloc}"})
    watcher.until("here\r\n")
    watcher.socket.close()


def test_a_watcher_has_nothing_to_say(server, session, watch):
    watcher = watch(session)
    watcher.socket.send("echo in''trusion\r")
    assert watcher.closed() == 1008
    assert "intrusion" not in session.run("echo untouched")


def test_a_watcher_goes_when_the_right_is_taken_away(server, session, watch):
    session.run("echo he''re")
    person = Person(server, allow("postern:AttachSession"))
    watcher = watch(session, person)
    watcher.until("here\r\n")
    person.put(allow("ssm:DescribeSessions"))
    since = time.monotonic()
    assert watcher.closed(within_s=3) == 1008
    assert time.monotonic() - since < 2
    assert session.run("echo goes''-on").endswith("goes-on\n")


def test_a_watcher_goes_with_its_key(server, session, watch):
    session.run("echo he''re")
    person = Person(server, allow("postern:AttachSession"))
    watcher = watch(session, person)
    watcher.until("here\r\n")
    person.iam.update_access_key(UserName=person.name, AccessKeyId=person.key, Status="Inactive")
    assert watcher.closed(within_s=3) == 1008


def test_watching_is_on_the_trail(server, session):
    session.run("echo he''re")
    person = Person(server, allow("postern:AttachSession"))
    url = attach(person, session.id)
    watcher = Watcher(server, url)
    watcher.until("here\r\n")
    [asked], [begun] = records(server, session.id, "AttachSession"), records(server, session.id, "FollowSession")
    watcher.socket.close()
    [over] = eventually(lambda: records(server, session.id, "FollowSessionEnded"), "the end is on the trail")
    for record in [asked, begun, over]:
        assert record["userIdentity"]["userName"] == person.name and record["eventSource"] == "postern"
        assert record["eventCategory"] == "Data" and record["managementEvent"] is False
        assert record["resources"][0]["ARN"].endswith(f"session/{session.id}")
        assert url.rpartition("/")[2] not in json.dumps(record)
    assert begun["requestParameters"] == {"sessionId": session.id} and begun["sourceIPAddress"] == "127.0.0.1"
    details = over["serviceEventDetails"]
    assert details["endReason"] == "left" and details["bytes"] == len(watcher.shown.encode())


def test_a_session_that_is_over_is_not_followed(server, session):
    session.run("echo he''re")
    session_id = ended(session)
    assert call(server, "AttachSession", SessionId=session_id).code == "SessionEndedException"
    nothing = call(server, "AttachSession", SessionId="admin-0a1b2c3d4e5f60718")
    assert nothing.code == "RecordingNotFoundException"


def test_a_watcher_that_reads_nothing_slows_nobody(server, session, watch):
    watcher = watch(session)
    memory = server.program.resident_bytes()
    for number in range(4):
        assert session.run(f"head -c 4000000 /dev/zero | tr '\\0' 'x'; echo; echo ro''und-{number}", within_s=60)
    assert server.program.resident_bytes() - memory < 64 << 20
    watcher.until("round-3\r\n", within_s=60)
    assert len(watcher.text()) > 16_000_000


def test_who_follows_leaves_when_the_removal_of_the_recording_begins(server, session, watch):
    session.run("head -c 16000000 /dev/zero | tr '\\0' 'x'; echo ro''und", within_s=60)
    slow = watch(session)
    session_id = ended(session)
    # It has read little so far; what it has not read yet is not shown any more.
    removed = call(server, "DeleteSessionRecording", SessionId=session_id, Reason="it was a secret")
    assert removed.status == 200, removed.body
    assert slow.closed(within_s=30) == 1008


@contextlib.contextmanager
def command_line(server, session_id: str):
    """`postern sessions follow`, which has begun."""
    follower = subprocess.Popen(
        [binary("postern"), "sessions", "follow", session_id],
        env=server.client_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        eventually(lambda: records(server, session_id, "FollowSession"), "it follows")
        yield follower
    finally:
        follower.kill()
        follower.wait()


def test_the_command_line_goes_on_after_a_restart(lab):
    server = lab.server().start()
    session = lab.session(lab.node(server))
    session.run("echo be''fore")
    with command_line(server, session.id) as follower:
        server.kill()
        server.start()
        go_on(session)
        eventually(lambda: len(records(server, session.id, "FollowSession")) == 2, "it follows again")
        session.run("echo af''ter", within_s=60)
        ended(session)
        shown, told = follower.communicate(timeout=60)
    assert follower.returncode == 0, told
    assert shown.count(b"before\r\n") == 1 and shown.count(b"after\r\n") == 1, shown
    assert session.id.encode() in told


def test_the_command_line_follows(server, session):
    session.run("echo be''fore")
    with command_line(server, session.id) as follower:
        session.run("printf '\\033]0;ti''tle\\007'; echo li''ve")
        ended(session)
        shown, told = follower.communicate(timeout=20)
    assert follower.returncode == 0, told
    assert b"before\r\n" in shown and b"live\r\n" in shown and b"\x1b]0;title" not in shown
    assert session.id.encode() in told
    nobody = Person(server)
    refused = subprocess.run(
        [binary("postern"), "sessions", "follow", session.id],
        env=nobody.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    assert refused.returncode == 1 and b"AccessDenied" in refused.stderr
