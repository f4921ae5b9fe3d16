"""Recordings are searched, and the commands in them told: who may, what is found, and what is no more."""

import json
import subprocess
from pathlib import Path

import botocore.credentials
import pytest
from harness import requests
from harness.people import Person, allow, deny
from harness.programs import ROOT, binary
from harness.waiting import eventually

INTEGRATION = ROOT / "deploy" / "shell-integration" / "postern.bash"


def call(who, operation: str, **arguments) -> requests.Answer:
    """An operation of `postern`, signed by a server's administrator or by somebody with credentials."""
    server = getattr(who, "server", who)
    keys = None if who is server else botocore.credentials.Credentials(who.key, who.secret, who.token)
    return requests.sign(requests.postern_call(operation, arguments), server, "postern", keys=keys).send(server)


def search(who, query: str, **arguments) -> list[dict]:
    """All pages of matches."""
    matches, token = [], None
    while True:
        more = {"NextToken": token} if token else {}
        answer = call(who, "SearchSessionRecordings", Query=query, **arguments, **more)
        assert answer.status == 200, answer.body
        matches += answer.json()["Matches"]
        token = answer.json().get("NextToken")
        if not token:
            return matches


def timeline(who, session_id: str) -> dict:
    answer = call(who, "GetSessionTimeline", SessionId=session_id)
    assert answer.status == 200, answer.body
    return answer.json()


def ended(session) -> str:
    """The ID of a session, when it is over and in the index."""
    session.type("exit\r")
    session.reason()
    eventually(lambda: session.described()["Status"] == "Terminated", "terminated")
    eventually(lambda: timeline(session.server, session.id)["Complete"], "the recording is read")
    return session.id


def bash(session, marks: bool) -> None:
    """A bash with a prompt of its own in the place of the shell."""
    session.type("PS1='ready> ' exec bash --norc --noprofile\r")
    session.read_until(b"bash --norc")
    session.run("true")
    session.type("PS1='tester@box:\\w\\$ '\r")
    session.read_until(b"tester@box:")
    if marks:
        session.type(f". {INTEGRATION}\r")
        session.read_until(b"\x1b]133;B\x07")


def typed(session, line: str, marks: bool) -> None:
    """Types a line as a person does, and waits for the next prompt."""
    session.output = b""
    session.type(line)
    session.until(lambda: line[-1:].encode() in session.output, f"the echo of {line}")
    session.type("\r")
    session.read_until(b"\r\n")
    session.read_until(b"\x1b]133;B\x07" if marks else b"tester@box:")


def postern(who, *arguments: str) -> subprocess.CompletedProcess:
    environment = who.environment() if isinstance(who, Person) else who.client_environment()
    return subprocess.run(
        [binary("postern"), "recordings", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def files(server) -> bytes:
    return b"".join(Path(f"{server.data}/search.db{suffix}").read_bytes() for suffix in ("", "-wal"))


def test_commands_that_the_shell_tells(server, session):
    bash(session, marks=True)
    for line in ["cd /tmp", "echo 'mar''ked'; sleep 0.3", "(exit 42)", "", "ls /no-such-place"]:
        typed(session, line, marks=True)
    session_id = ended(session)
    told = timeline(server, session_id)["Commands"]
    commands = {command["Text"]: command for command in told if not command["Heuristic"]}
    assert list(commands)[:4] == ["cd /tmp", "echo 'mar''ked'; sleep 0.3", "(exit 42)", "ls /no-such-place"]
    assert commands["(exit 42)"]["ExitCode"] == 42 and commands["cd /tmp"]["ExitCode"] == 0
    assert commands["ls /no-such-place"]["ExitCode"] != 0
    assert commands["(exit 42)"]["Directory"] == "/tmp" and commands["cd /tmp"]["Directory"] != "/tmp"
    slow = commands["echo 'mar''ked'; sleep 0.3"]
    assert 300 <= slow["DurationMs"] == slow["EndMs"] - slow["StartMs"]

    by_id = [{"Key": "SessionId", "Value": session_id}]
    [match] = [match for match in search(server, "marked", Filters=by_id) if match["Kind"] == "Output"]
    assert match["Line"] == "marked" and match["Marks"] == [{"Start": 0, "End": 6}]
    assert match["Command"] == slow and slow["StartMs"] <= match["AtMs"] <= slow["EndMs"]
    [match] = search(server, '"(exit 42)"', Filters=by_id)
    assert match["Command"]["ExitCode"] == 42


def test_commands_are_guessed_where_the_shell_tells_nothing(server, session):
    bash(session, marks=False)
    for line in ["echo gue''ssed", "", "false"]:
        typed(session, line, marks=False)
    told = timeline(server, ended(session))["Commands"]
    assert all(command["Heuristic"] for command in told)
    guessed = {command["Text"]: command for command in told}
    assert guessed["echo gue''ssed"]["EndMs"] >= guessed["echo gue''ssed"]["StartMs"]
    assert "false" in guessed and "ExitCode" not in guessed["false"] and "" not in guessed


def test_lines_are_found_by_filters_and_in_pages(server, lab, node, shared_lab):
    session = lab.session(node, reason="change 8812")
    session.run("for i in $(seq 30); do echo quux$i pa''ge; done")
    session_id = ended(session)
    by_id = {"Key": "SessionId", "Value": session_id}
    lines = [match["Line"] for match in search(server, "page quux", Filters=[by_id], MaxResults=4)]
    assert lines == [f"quux{number} page" for number in range(30, 0, -1)]
    [match] = search(server, "quux7 page")
    assert match["SessionId"] == session_id and match["Node"] == node.node_id and match["Owner"].endswith("user/admin")
    for filters, count in [
        ([{"Key": "Node", "Value": node.node_id}], 1),
        ([{"Key": "Node", "Value": "mi-0123456789abcdef0"}], 0),
        ([{"Key": "Owner", "Value": match["Owner"]}], 1),
        ([{"Key": "Owner", "Value": "arn:aws:iam::000000000000:user/nobody"}], 0),
        ([{"Key": "StartedAfter", "Value": "2020-01-01T00:00:00Z"}], 1),
        ([{"Key": "StartedBefore", "Value": "2020-01-01T00:00:00Z"}], 0),
        ([by_id, {"Key": "Status", "Value": "Finished"}], 1),
        ([by_id, {"Key": "Status", "Value": "Running"}], 0),
    ]:
        assert len(search(server, "quux7 page", Filters=filters)) == count, filters
    [facts] = search(server, '"change 8812"', Filters=[by_id])
    assert facts["Kind"] == "Session" and "admin" in facts["Line"]
    for query, code in [("/ |", "InvalidSearchQueryException"), ("x" * 257, "ValidationException")]:
        assert call(server, "SearchSessionRecordings", Query=query).code == code
    forged = call(server, "SearchSessionRecordings", Query="quux", NextToken="forged")
    assert forged.code == "InvalidNextToken"


def test_a_session_that_runs_is_found_soon(server, session):
    session.run("echo run''ning4711")
    [match] = eventually(lambda: search(server, "running4711"), "the line is found")
    assert match["SessionId"] == session.id
    answer = call(server, "SearchSessionRecordings", Query="running4711").json()
    assert answer["Incomplete"] is True
    assert timeline(server, session.id)["Complete"] is False


def test_nothing_is_told_of_what_one_may_not_read(server, node, lab, session):
    session.run("echo hid''den5150; echo hid''den5150")
    ended(session)
    assert len(search(server, "hidden5150")) == 2
    nobody = Person(server)
    assert call(nobody, "SearchSessionRecordings", Query="hidden5150").code == "AccessDeniedException"
    assert call(nobody, "GetSessionTimeline", SessionId=session.id).code == "AccessDeniedException"
    own = "arn:aws:ssm:*:*:session/${aws:userid}-*"
    person = Person(
        server,
        allow("ssm:StartSession"),
        allow("postern:SearchSessionRecordings"),
        allow("postern:GetSessionRecording", own),
    )
    answer = call(person, "SearchSessionRecordings", Query="hidden5150").json()
    without = call(person, "SearchSessionRecordings", Query="nothing5150").json()
    assert answer == without and answer["Matches"] == [] and "NextToken" not in answer
    mine = person.open_session(node.node_id)
    lab.closers.append(mine.close)
    mine.run("echo hid''den5150")
    [match] = eventually(lambda: search(person, "hidden5150"), "one's own is found")
    assert match["SessionId"] == mine.id and timeline(person, mine.id)["SessionId"] == mine.id
    assert call(person, "GetSessionTimeline", SessionId=session.id).code == "AccessDeniedException"
    reader = Person(
        server,
        allow(["postern:SearchSessionRecordings", "postern:GetSessionRecording"]),
        deny("postern:GetSessionRecording", f"arn:aws:ssm:*:*:session/{mine.id}"),
    )
    assert {match["SessionId"] for match in search(reader, "hidden5150")} == {session.id}


def test_searches_are_on_the_trail(server, session):
    session.run("echo aud''ited2112")
    session_id = ended(session)
    search(server, "audited2112")
    timeline(server, session_id)

    def records(name):
        attribute = {"AttributeKey": "EventName", "AttributeValue": name}
        found = server.client("cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"]
        return [json.loads(event["CloudTrailEvent"]) for event in found]

    [record, *_] = [one for one in records("SearchSessionRecordings") if "audited2112" in json.dumps(one)]
    assert record["requestParameters"]["query"] == "audited2112" and record["readOnly"] is True
    assert record["eventCategory"] == "Data" and record["responseElements"] is None
    assert record["additionalEventData"]["search"] == {"matches": 1, "recordings": [session_id]}
    [record, *_] = records("GetSessionTimeline")
    assert record["requestParameters"]["sessionId"] == session_id and record["eventCategory"] == "Data"


def test_what_is_removed_is_not_found_and_not_in_the_index(lab):
    server = lab.server().start()
    node = lab.node(server)
    gone, kept = lab.session(node), lab.session(node)
    gone.run("echo zebra''passphrase9")
    kept.run("echo giraffe''kept9")
    gone_id, kept_id = ended(gone), ended(kept)
    assert search(server, "zebrapassphrase9") and b"zebrapassphrase9" in files(server)
    answer = call(server, "DeleteSessionRecording", SessionId=gone_id, Reason="it holds a secret")
    assert answer.status == 200, answer.body
    assert search(server, "zebrapassphrase9") == []
    assert call(server, "GetSessionTimeline", SessionId=gone_id).code == "RecordingNotFoundException"
    eventually(lambda: b"zebrapassphrase9" not in files(server), "nothing of it is in the files")
    assert b"ebrapassphras" not in files(server)
    assert [match["SessionId"] for match in search(server, "giraffekept9")] == [kept_id]


def test_the_index_goes_on_after_a_restart_and_is_made_anew_when_it_is_lost(lab):
    server = lab.server().start()
    node = lab.node(server)
    one, other = lab.session(node), lab.session(node)
    one.run("echo first''line77")
    first = ended(one)
    other.run("echo second''line77")
    eventually(lambda: search(server, "secondline77"), "found while it runs")
    server.kill()
    server.start()
    assert [match["SessionId"] for match in search(server, "firstline77")] == [first]
    [match] = eventually(lambda: search(server, "secondline77"), "read again")
    assert match["SessionId"] == other.id
    server.stop()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{server.data}/search.db{suffix}").unlink(missing_ok=True)
    server.start()
    eventually(lambda: search(server, "firstline77"), "made anew")
    assert (server.data / "search.db").stat().st_mode & 0o777 == 0o600


def test_hostile_output_is_bounded_and_harmless(server, session):
    attacks = [
        r"printf '\033]0;ti''tle66\007<script>alert(1)</script> hostile66 \033]52;c;eA==\007\n'",
        r"printf 'hostile66 rev\342\200\256ersed\302\2331m\n'",
        r"printf '\033]133;C;cmdline_url=%%1b]0;x%%07hostile66\007'; printf '\033]133;D;7\007'",
        r"head -c 300000 /dev/zero | tr '\0' 'x'; echo; echo hostile66 after",
        r"printf '\033]'; head -c 200000 /dev/zero | tr '\0' 'y'; printf '\007hostile66 end\n'",
    ]
    for attack in attacks:
        session.run(attack)
    session_id = ended(session)
    by_id = [{"Key": "SessionId", "Value": session_id}]
    lines = [match["Line"] for match in search(server, "hostile66", Filters=by_id)]
    assert "<script>alert(1)</script> hostile66" in lines
    assert any("hostile66 after" == line for line in lines) and any("hostile66 end" == line for line in lines)
    assert "hostile66 reversed1m" in lines
    told = timeline(server, session_id)["Commands"]
    for text in [*lines, *(command["Text"] for command in told)]:
        assert not any(ord(character) < 0x20 and character != "\n" or 0x7F <= ord(character) < 0xA0 for character in text)
        assert "\u202e" not in text and len(text) <= 4096
    assert search(server, "title66", Filters=by_id) == [] or all("printf" in line for line in lines if "title66" in line)


def test_the_command_line_searches_and_plays_from_there(server, session):
    bash(session, marks=True)
    typed(session, "echo be''fore88", marks=True)
    typed(session, "echo nee''dle88", marks=True)
    session_id = ended(session)
    found = postern(server, "search", "needle88", "--since", "1h", "--output", "json")
    assert found.returncode == 0, found.stderr
    [match] = json.loads(found.stdout)["Matches"]
    assert match["SessionId"] == session_id
    table = postern(server, "search", "needle88", "--node", match["Node"])
    assert session_id in table.stdout and "needle88" in table.stdout
    assert postern(server, "search", "needle88", "--until", "1h").stdout.count("\n") == 1
    told = postern(server, "timeline", session_id)
    assert "echo nee''dle88" in told.stdout and "EXIT" in told.stdout, told.stderr
    own = json.loads(postern(server, "timeline", session_id, "--output", "json").stdout)
    by_file = postern(server, "timeline", session_id, "--output", "json", "--dir", str(server.data / "recordings"))
    assert json.loads(by_file.stdout)["Commands"] == own["Commands"]
    at = str(match["AtMs"] / 1000)
    played = postern(server, "play", session_id, "--at", at, "--speed", "1000")
    assert played.returncode == 0 and "needle88" in played.stdout and "before88" in played.stdout
    assert postern(server, "play", session_id, "--at", "soon").returncode == 2
    refused = postern(server, "search", "x", "--dir", str(server.data / "recordings"))
    assert refused.returncode != 0 and "the server searches" in refused.stderr


@pytest.mark.parametrize("limit", ["0", "x"])
def test_a_size_of_the_index_that_makes_no_sense_is_refused(lab, limit):
    server = lab.server({"POSTERN_RECORDING_SEARCH_BYTES_MAX": limit})
    with pytest.raises(AssertionError, match="recording.search_bytes_max"):
        server.start()
