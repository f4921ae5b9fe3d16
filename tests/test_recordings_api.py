"""Recordings are read and removed through the server: policies decide, and the audit trail tells of it."""

import base64
import hashlib
import json
import subprocess
from pathlib import Path

import botocore.credentials
import pytest
from harness import requests
from harness.people import Person, allow
from harness.programs import ACCOUNT, REGION, binary
from harness.waiting import eventually

REMOVED = "SessionRecordingsRemoved"


def call(who, operation: str, **arguments) -> requests.Answer:
    """An operation of `postern`, signed by a server's administrator or by somebody with credentials."""
    server = getattr(who, "server", who)
    keys = None if who is server else botocore.credentials.Credentials(who.key, who.secret, who.token)
    return requests.sign(requests.postern_call(operation, arguments), server, "postern", keys=keys).send(server)


def read(who, session_id: str, max_bytes: int | None = None) -> bytes:
    """All there is of a recording."""
    limit = {"MaxBytes": max_bytes} if max_bytes else {}
    whole, offset = b"", 0
    while True:
        answer = call(who, "GetSessionRecording", SessionId=session_id, Offset=offset, **limit)
        assert answer.status == 200, answer.body
        part = answer.json()
        assert part["Offset"] == offset
        content = base64.b64decode(part["Content"])
        whole, offset = whole + content, part["NextOffset"]
        assert offset == len(whole) and len(content) <= (max_bytes or 1 << 20)
        if part["Complete"] or not content:
            return whole


def listed(who, **arguments) -> list[str]:
    found, token = [], None
    while True:
        answer = call(who, "ListSessionRecordings", **arguments, **({"NextToken": token} if token else {}))
        assert answer.status == 200, answer.body
        found += [recording["SessionId"] for recording in answer.json()["Recordings"]]
        token = answer.json().get("NextToken")
        if not token:
            return found


def records(server, session_id: str, name: str) -> list[dict]:
    """The records about a session's recording, the newest first."""
    attribute = {"AttributeKey": "EventName", "AttributeValue": name}
    pages = server.client("cloudtrail").get_paginator("lookup_events").paginate(LookupAttributes=[attribute])
    found = [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]
    return [record for record in found if session_id in json.dumps(record)]


def cast(server, session_id: str) -> Path:
    return server.data / "recordings" / f"{session_id}.cast"


def ended(session) -> str:
    """The ID of a session, when it and its recording are over."""
    session.type("exit\r")
    session.reason()
    eventually(lambda: session.described()["Status"] == "Terminated", "terminated")
    eventually(lambda: records(session.server, session.id, "SessionEnded"), "the end is on the trail")
    return session.id


def verify(server) -> subprocess.CompletedProcess:
    """Of a server that is stopped."""
    return subprocess.run(
        [binary("postern"), "verify", str(server.data)], capture_output=True, text=True, timeout=60
    )


def postern(who, *arguments: str) -> subprocess.CompletedProcess:
    environment = who.environment() if isinstance(who, Person) else who.client_environment()
    return subprocess.run(
        [binary("postern"), "recordings", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )


@pytest.fixture(scope="module")
def tagged_node(shared_lab, server):
    node = shared_lab.node(server)
    tags = [{"Key": "team", "Value": "web"}]
    server.client().add_tags_to_resource(ResourceType="ManagedInstance", ResourceId=node.node_id, Tags=tags)
    return node


def test_a_recording_is_read_in_parts(server, session):
    session.run("printf 'α漢%.0s' $(seq 200)")
    session_id = ended(session)
    whole = cast(server, session_id).read_bytes()
    assert read(server, session_id) == whole
    assert read(server, session_id, max_bytes=100) == whole
    answer = call(server, "GetSessionRecording", SessionId=session_id, Offset=5, MaxBytes=7).json()
    assert base64.b64decode(answer["Content"]) == whole[5:12] and answer["NextOffset"] == 12
    assert answer["Complete"] is False
    told = answer["Recording"]
    assert told["SessionId"] == session_id and told["Owner"].endswith("user/admin")
    assert told["Status"] == "Finished" and told["EndReason"] and told["StartedAt"] <= told["EndedAt"]
    assert told["Bytes"] == len(whole) and told["Sha256"] == hashlib.sha256(whole).hexdigest()
    end = call(server, "GetSessionRecording", SessionId=session_id, Offset=len(whole)).json()
    assert end["Content"] == "" and end["Complete"] is True
    behind = call(server, "GetSessionRecording", SessionId=session_id, Offset=len(whole) + 1)
    assert (behind.status, behind.code) == (400, "InvalidOffsetException")


def test_of_a_session_that_runs_whole_lines_are_read(server, session):
    session.run("echo so''-far")
    so_far = read(server, session.id)
    assert b"so-far" in so_far and so_far.endswith(b"\n")
    assert cast(server, session.id).read_bytes().startswith(so_far)
    answer = call(server, "GetSessionRecording", SessionId=session.id, Offset=len(so_far)).json()
    assert answer["Complete"] is False and answer["Recording"]["Status"] == "Running"
    session.run("echo and''-more")
    assert b"and-more" in read(server, session.id)[len(so_far) :]


def test_recordings_are_listed_the_newest_first_in_pages(server, lab, node):
    sessions = [lab.session(node) for _ in range(3)]
    for session in sessions:
        session.run("true")
    ids = [session.id for session in reversed(sessions)]
    assert [found for found in listed(server) if found in ids] == ids
    assert [found for found in listed(server, MaxResults=1) if found in ids] == ids
    by_id = {"Key": "SessionId", "Value": ids[0]}
    assert listed(server, Filters=[by_id]) == [ids[0]]
    assert listed(server, Filters=[by_id, {"Key": "Status", "Value": "Finished"}]) == []
    assert listed(server, Filters=[by_id, {"Key": "Status", "Value": "Running"}]) == [ids[0]]
    assert listed(server, Filters=[{"Key": "Node", "Value": "mi-0123456789abcdef0"}]) == []
    wrong = call(server, "ListSessionRecordings", Filters=[{"Key": "StartedAfter", "Value": "yesterday"}])
    assert wrong.code == "InvalidFilterValueException"
    wrong = call(server, "ListSessionRecordings", NextToken="forged")
    assert wrong.code == "InvalidNextToken"


def test_who_has_no_policy_reads_nothing(server, session):
    session.run("true")
    nobody = Person(server)
    for operation, arguments in [
        ("ListSessionRecordings", {}),
        ("GetSessionRecording", {"SessionId": session.id}),
        ("DeleteSessionRecording", {"SessionId": session.id, "Reason": "no reason"}),
    ]:
        answer = call(nobody, operation, **arguments)
        assert (answer.status, answer.code) == (400, "AccessDeniedException"), answer.body
        assert f"no identity-based policy allows the postern:{operation} action" in answer.json()["Message"]
    [denied] = [record for record in records(server, session.id, "GetSessionRecording") if "errorCode" in record]
    assert denied["errorCode"] == "AccessDenied" and denied["userIdentity"]["userName"] == nobody.name
    assert denied["eventCategory"] == "Data"


def test_a_right_to_the_session_is_none_to_its_recording(server, node, lab):
    person = Person(server, allow("ssm:*"))
    session = person.open_session(node.node_id)
    lab.closers.append(session.close)
    session.run("true")
    assert call(person, "GetSessionRecording", SessionId=session.id).code == "AccessDeniedException"


def test_one_reads_ones_own_and_sees_no_others(server, node, lab, session):
    session.run("true")
    own = "arn:aws:ssm:*:*:session/${aws:userid}-*"
    person = Person(
        server,
        allow("ssm:StartSession"),
        allow("postern:ListSessionRecordings"),
        allow("postern:GetSessionRecording", own),
    )
    assert listed(person) == []
    mine = person.open_session(node.node_id)
    lab.closers.append(mine.close)
    mine.run("echo mi''ne")
    assert listed(person) == [mine.id]
    assert b"mine" in read(person, mine.id)
    assert call(person, "GetSessionRecording", SessionId=session.id).code == "AccessDeniedException"
    refused = call(person, "DeleteSessionRecording", SessionId=mine.id, Reason="to hide it")
    assert refused.code == "AccessDeniedException"


def test_reading_by_the_tags_of_the_node(server, lab, session, tagged_node):
    session.run("true")
    there = lab.session(tagged_node)
    there.run("true")
    everything = f"arn:aws:ssm:*:{ACCOUNT}:session/*"
    condition = {"StringEquals": {"ssm:resourceTag/team": "web"}}
    person = Person(
        server,
        allow("postern:ListSessionRecordings"),
        allow("postern:GetSessionRecording", everything, Condition=condition),
    )
    assert there.id in listed(person) and session.id not in listed(person)
    assert read(person, there.id)
    assert call(person, "GetSessionRecording", SessionId=session.id).code == "AccessDeniedException"


def test_each_reading_is_on_the_trail(server, session):
    session.run("true")
    for offset in [0, 10, 20]:
        call(server, "GetSessionRecording", SessionId=session.id, Offset=offset, MaxBytes=10)
    told = records(server, session.id, "GetSessionRecording")
    assert [record["requestParameters"]["offset"] for record in told] == [20, 10, 0]
    for record in told:
        assert record["eventSource"] == "postern" and record["readOnly"] is True
        assert record["eventCategory"] == "Data" and record["managementEvent"] is False
        assert record["requestParameters"]["sessionId"] == session.id
        assert record["additionalEventData"]["recording"]["bytes"] == 10
        assert record["resources"][0]["ARN"] == f"arn:aws:ssm:{REGION}:{ACCOUNT}:session/{session.id}"
        assert record["responseElements"] is None


@pytest.mark.parametrize(
    "name", ["../../postern.db", "/etc/passwd", "..", ".", "admin-1/../../tls/ca", "admin-1%2f..", "a\0b", "a b", "é", "*"]
)
def test_a_name_that_is_no_session(server, name):
    for operation, more in [("GetSessionRecording", {}), ("DeleteSessionRecording", {"Reason": "to break out"})]:
        answer = call(server, operation, SessionId=name, **more)
        assert answer.status == 400 and answer.code in ("ValidationException", "RecordingNotFoundException"), answer.body
    assert (server.data / "postern.db").exists() and (server.data / "tls" / "ca.pem").exists()


def test_a_recording_that_is_not_there(server):
    for operation, more in [("GetSessionRecording", {}), ("DeleteSessionRecording", {"Reason": "a mistake"})]:
        answer = call(server, operation, SessionId="admin-0a1b2c3d4e5f60718", **more)
        assert answer.code == "RecordingNotFoundException", answer.body


def test_the_recording_of_a_session_that_runs_stays(server, session):
    session.run("true")
    answer = call(server, "DeleteSessionRecording", SessionId=session.id, Reason="too early")
    assert answer.code == "RecordingInProgressException", answer.body
    assert session.run("echo goes''-on").endswith("goes-on\n")
    assert b"goes-on" in cast(server, session.id).read_bytes()


def test_a_removal_gives_a_reason(server, session):
    session_id = ended(session)
    for reason in [{}, {"Reason": ""}, {"Reason": "  "}, {"Reason": "x" * 257}]:
        assert call(server, "DeleteSessionRecording", SessionId=session_id, **reason).code == "ValidationException"
    assert cast(server, session_id).exists()


def test_a_removal_is_told_on_the_trail_and_accepted_by_verify(lab):
    server = lab.server().start()
    node = lab.node(server)
    gone, kept = ended(lab.session(node)), ended(lab.session(node))
    contents = cast(server, gone).read_bytes()
    answer = call(server, "DeleteSessionRecording", SessionId=gone, Reason="a customer's data")
    assert answer.status == 200 and answer.json()["Recording"]["SessionId"] == gone, answer.body
    assert {path.name for path in cast(server, gone).parent.iterdir()} == {f"{kept}.cast", f"{kept}.json"}
    assert call(server, "GetSessionRecording", SessionId=gone).code == "RecordingNotFoundException"
    assert call(server, "DeleteSessionRecording", SessionId=gone, Reason="again").code == "RecordingNotFoundException"
    assert listed(server) == [kept]
    [told] = records(server, gone, REMOVED)
    details = told["serviceEventDetails"]
    assert (details["by"], details["reason"]) == (f"arn:aws:iam::{ACCOUNT}:user/admin", "a customer's data")
    [removed] = details["recordings"]
    assert (removed["sessionId"], removed["target"]) == (gone, node.node_id)
    assert removed["hashValue"] == hashlib.sha256(contents).hexdigest() and removed["bytes"] == len(contents)
    assert removed["startTime"] < removed["endTime"] < removed["orderedTime"]
    deleted = records(server, gone, "DeleteSessionRecording")[-1]
    assert deleted["requestParameters"] == {"sessionId": gone, "reason": "a customer's data"}
    assert deleted["readOnly"] is False and "errorCode" not in deleted

    server.stop()
    good = verify(server)
    assert good.returncode == 0 and "1 recordings (1 removed)" in good.stdout, good.stdout + good.stderr
    cast(server, kept).unlink()
    bad = verify(server)
    assert bad.returncode == 1 and f"{kept}.cast: the recording is missing" in bad.stdout, bad.stdout
    assert gone not in bad.stdout


def order(server, session_id: str) -> dict:
    """What is on the disk once a removal has been ordered."""
    contents = cast(server, session_id).read_bytes()
    by = f"arn:aws:iam::{ACCOUNT}:user/admin"
    return {
        "order": {"by": by, "reason": "before the crash", "at": "2026-11-27T12:00:00Z"},
        "recorded": {"bytes": len(contents), "sha256": hashlib.sha256(contents).hexdigest()},
        "recording": json.loads(cast(server, session_id).with_suffix(".json").read_text()),
    }


@pytest.mark.parametrize("gone", [[], [".json"], [".json", ".cast"]])
def test_a_removal_that_a_crash_interrupted_is_brought_to_its_end(lab, gone):
    server = lab.server().start()
    session_id = ended(lab.session(lab.node(server)))
    server.kill()
    recording = cast(server, session_id)
    recording.with_suffix(".removal").write_text(json.dumps(order(server, session_id)))
    for suffix in gone:
        recording.with_suffix(suffix).unlink()
    server.start()
    eventually(lambda: not any(recording.parent.iterdir()), "the files are gone")
    [told] = records(server, session_id, REMOVED)
    assert told["serviceEventDetails"]["reason"] == "before the crash"
    server.stop()
    good = verify(server)
    assert good.returncode == 0 and "(1 removed)" in good.stdout, good.stdout + good.stderr


def test_old_recordings_are_removed(lab):
    server = lab.server(environment={"POSTERN_RECORDING_KEEP_DAYS": "2"}).start()
    node = lab.node(server)
    old, new = ended(lab.session(node)), ended(lab.session(node))
    assert cast(server, old).exists()
    server.stop()
    side = cast(server, old).with_suffix(".json")
    told = json.loads(side.read_text())
    side.write_text(json.dumps(told | {"ended_at": "2026-01-01T00:00:00Z"}))
    server.start()
    eventually(lambda: not side.exists(), "the old recording is gone")
    [told] = records(server, old, REMOVED)
    assert told["serviceEventDetails"]["by"] == f"arn:aws:iam::{ACCOUNT}:root"
    assert "recording.keep_days" in told["serviceEventDetails"]["reason"]
    assert listed(server) == [new] and cast(server, new).exists()


def test_the_command_line_asks_the_server(server, session):
    session.run("echo by-way''-of-the-server")
    session_id = ended(session)
    contents = cast(server, session_id).read_bytes()
    shown = postern(server, "list")
    assert shown.returncode == 0 and session_id.encode() in shown.stdout, shown
    shown = json.loads(postern(server, "list", "--output", "json").stdout)
    assert session_id in [recording["SessionId"] for recording in shown["Recordings"]]
    played = postern(server, "play", session_id, "--speed", "1000")
    assert b"by-way-of-the-server\r\n" in played.stdout, played
    assert postern(server, "export", session_id).stdout == contents
    text = postern(server, "export", session_id, "--format", "text")
    assert b"by-way-of-the-server\n" in text.stdout and b"\x1b" not in text.stdout, text
    assert json.loads(postern(server, "export", session_id, "--format", "asciicast-v2").stdout.splitlines()[0])["version"] == 2
    assert len(records(server, session_id, "GetSessionRecording")) == 4

    nobody = Person(server)
    for action in [["list"], ["play", session_id], ["export", session_id], ["delete", session_id, "--reason", "x"]]:
        refused = postern(nobody, *action)
        assert refused.returncode == 1 and b"AccessDenied" in refused.stderr and refused.stdout == b"", refused
    of_files = ["delete", session_id, "--reason", "x", "--dir", str(server.data / "recordings")]
    assert postern(server, *of_files).returncode == 1 and cast(server, session_id).exists()
    deleted = postern(server, "delete", session_id, "--reason", "a mistake")
    assert deleted.returncode == 0 and not cast(server, session_id).exists(), deleted
    missing = postern(server, "play", session_id)
    assert missing.returncode == 1 and b"RecordingNotFoundException" in missing.stderr, missing


def test_a_large_recording_is_exported_whole(server, session):
    session.run("head -c 3000000 /dev/zero | tr '\\0' 'x'; echo", within_s=60)
    session_id = ended(session)
    contents = cast(server, session_id).read_bytes()
    assert len(contents) > 3_000_000
    assert postern(server, "export", session_id).stdout == contents
