"""CloudWatch Logs: groups, streams and events with AWS's own clients, and what becomes of them when things fail."""

import contextlib
import json
import os
import subprocess
import threading
import time

import botocore.exceptions
import pytest
from harness.node import Node
from harness.people import Person, RoleOf, allow, deny
from harness.programs import ACCOUNT, REGION, ROLE, SCRIPTS
from harness.waiting import eventually
from test_audit import event, events
from test_full_disk import small_disk

HOUR_MS = 60 * 60 * 1000
DAY_MS = 24 * HOUR_MS


def now_ms() -> int:
    return int(time.time() * 1000)


def arn(group: str, stream: str | None = None) -> str:
    name = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"
    return name if stream is None else f"{name}:log-stream:{stream}"


def batch(*messages: str, at: int | None = None) -> list[dict]:
    return [{"timestamp": at or now_ms(), "message": message} for message in messages]


@contextlib.contextmanager
def refused(code: str, text: str = ""):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        yield
    error = caught.value.response["Error"]
    assert error["Code"] == code and text in error["Message"], error


@pytest.fixture
def logs(server):
    return server.client("logs")


@pytest.fixture
def group(logs, request):
    """A group with the streams `a` and `b`."""
    name = f"/test/{request.node.name.partition('[')[0]}"
    logs.create_log_group(logGroupName=name)
    for stream in ("a", "b"):
        logs.create_log_stream(logGroupName=name, logStreamName=stream)
    yield name
    with contextlib.suppress(botocore.exceptions.ClientError):
        logs.delete_log_group(logGroupName=name)


def put(logs, group: str, stream: str, *messages: str, at: int | None = None) -> dict:
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch(*messages, at=at))


def said(logs, group: str, **filters) -> list[str]:
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, **filters)
    return [event["message"] for page in pages for event in page["events"]]


def cli(server, *arguments: str, **more) -> subprocess.CompletedProcess:
    environment = server.client_environment()
    environment["PATH"] = f"{SCRIPTS}:{environment['PATH']}"
    return subprocess.run(
        ["aws", *arguments], env=environment, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, **more
    )


def test_groups_and_streams_as_aws_shows_them(logs, group):
    before = now_ms()
    [shown] = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert shown["arn"] == arn(group) + ":*" and shown["logGroupArn"] == arn(group)
    assert shown["logGroupClass"] == "STANDARD" and "retentionInDays" not in shown and "kmsKeyId" not in shown
    assert abs(shown["creationTime"] - before) < HOUR_MS
    with refused("ResourceAlreadyExistsException", "The specified log group already exists"):
        logs.create_log_group(logGroupName=group)
    with refused("ResourceAlreadyExistsException", "The specified log stream already exists"):
        logs.create_log_stream(logGroupName=group, logStreamName="a")
    with refused("ResourceNotFoundException", "The specified log group does not exist."):
        logs.create_log_stream(logGroupName="/none", logStreamName="a")

    logs.put_retention_policy(logGroupName=group, retentionInDays=30)
    assert logs.describe_log_groups(logGroupNamePattern="groups_and")["logGroups"][0]["retentionInDays"] == 30
    with refused("InvalidParameterException", "retentionInDays"):
        logs.put_retention_policy(logGroupName=group, retentionInDays=2)
    logs.delete_retention_policy(logGroupName=group)
    assert "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]

    at = now_ms()
    put(logs, group, "b", "older", at=at - 1000)
    put(logs, group, "a", "newer", at=at)
    listed = logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", descending=True)["logStreams"]
    assert [stream["logStreamName"] for stream in listed] == ["a", "b"]
    assert listed[0]["firstEventTimestamp"] == listed[0]["lastEventTimestamp"] == at
    assert listed[0]["arn"] == arn(group, "a") and listed[0]["lastIngestionTime"] >= at
    with refused("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix."):
        logs.describe_log_streams(logGroupName=group, orderBy="LastEventTime", logStreamNamePrefix="a")
    pages = logs.get_paginator("describe_log_streams").paginate(logGroupName=group, PaginationConfig={"PageSize": 1})
    assert [stream["logStreamName"] for page in pages for stream in page["logStreams"]] == ["a", "b"]
    pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 1})
    assert group in [found["logGroupName"] for page in pages for found in page["logGroups"]]

    logs.delete_log_stream(logGroupName=group, logStreamName="a")
    assert said(logs, group) == ["older"]
    logs.delete_log_group(logGroupName=group)
    with refused("ResourceNotFoundException"):
        put(logs, group, "b", "late")


def test_tags_by_both_kinds_of_operations(logs, group):
    logs.tag_resource(resourceArn=arn(group), tags={"team": "web", "env": "x"})
    logs.tag_log_group(logGroupName=group, tags={"env": "prod"})
    assert logs.list_tags_for_resource(resourceArn=arn(group))["tags"] == {"team": "web", "env": "prod"}
    logs.untag_resource(resourceArn=arn(group), tagKeys=["team"])
    assert logs.list_tags_log_group(logGroupName=group)["tags"] == {"env": "prod"}
    logs.untag_log_group(logGroupName=group, tags=["env"])
    assert logs.list_tags_for_resource(resourceArn=arn(group))["tags"] == {}
    with refused("TooManyTagsException"):
        for start in (0, 30):
            logs.tag_resource(resourceArn=arn(group), tags={f"k{n}": "" for n in range(start, start + 30)})
    with refused("ResourceNotFoundException"):
        logs.list_tags_for_resource(resourceArn=arn("/none"))


def test_limits_of_a_batch(logs, group):
    at = now_ms()

    def send(*batch):
        return logs.put_log_events(
            logGroupName=group, logStreamName="a", logEvents=[{"timestamp": t, "message": m} for t, m in batch]
        )

    with refused("InvalidParameterException", "chronological order"):
        send((at, "second"), (at - 1, "first"))
    with refused("InvalidParameterException", "cannot span more than 24 hours"):
        send((at - DAY_MS - 1, "first"), (at, "second"))
    half = "m" * (512 * 1024 - 26)
    with refused("InvalidParameterException", "Upload too large: 1048577 bytes exceeds limit of 1048576"):
        send((at, half), (at, half + "m"))
    assert "nextSequenceToken" in send((at, half), (at, half))
    with refused("InvalidParameterException", "'logEvents' failed to satisfy constraint"):
        send(*[(at, "m")] * 10_001)
    send(*[(at, "\x1b[31m")] * 10_000)
    info = send((at - 15 * DAY_MS, "too old"), (at, "good"), (at + 3 * HOUR_MS, "too new"))["rejectedLogEventsInfo"]
    assert info == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    info = send((at - 2 * DAY_MS, "expired"), (at, "kept"))["rejectedLogEventsInfo"]
    assert info == {"expiredLogEventEndIndex": 1}
    assert [m for m in said(logs, group, filterPattern="?good ?kept ?old ?new ?expired")] == ["good", "kept"]
    # Tokens mean nothing today.
    logs.put_log_events(logGroupName=group, logStreamName="a", logEvents=batch("m"), sequenceToken="nonsense")
    with refused("ResourceNotFoundException", "The specified log stream does not exist."):
        put(logs, group, "c", "m")


def test_a_stream_is_read_in_both_directions_and_its_end_noticed(logs, group):
    at = now_ms() - 1000
    for number in range(7):
        put(logs, group, "a", f"event {number}", at=at + number)

    def read(**more) -> tuple[list[str], str, str]:
        page = logs.get_log_events(logGroupName=group, logStreamName="a", limit=3, **more)
        return [event["message"][6:] for event in page["events"]], page["nextForwardToken"], page["nextBackwardToken"]

    newest, forward, backward = read()
    assert newest == ["4", "5", "6"] and forward.startswith("f/") and backward.startswith("b/")
    assert read(nextToken=backward)[0] == ["1", "2", "3"]
    nothing, same, back = read(nextToken=forward)
    assert nothing == [] and same == forward
    assert read(nextToken=back)[0] == ["4", "5", "6"]
    put(logs, group, "a", "event 7", at=at + 7)
    assert read(nextToken=forward)[0] == ["7"]
    oldest, forward, backward = read(startFromHead=True)
    assert oldest == ["0", "1", "2"]
    nothing, _, same = read(nextToken=backward)
    assert nothing == [] and same == backward
    assert read(nextToken=forward, startFromHead=True)[0] == ["3", "4", "5"]
    assert read(startTime=at + 2, endTime=at + 4)[0] == ["2", "3"]
    for wrong in ("x", "f/x", forward.replace("f/", "b/")):
        with refused("InvalidParameterException", "The specified nextToken is invalid."):
            read(nextToken=wrong)


def test_events_are_filtered_in_pages(logs, group):
    at = now_ms() - 1000
    for number in range(20):
        level = "ERROR" if number % 2 else "INFO"
        record = json.dumps({"level": level, "code": number, "who": {"name": f"user{number}"}})
        put(logs, group, "ab"[number % 2], record, at=at + number)

    def codes(**filters) -> list[int]:
        return [json.loads(message)["code"] for message in said(logs, group, **filters)]

    assert codes() == list(range(20))
    assert codes(PaginationConfig={"PageSize": 3}) == list(range(20))
    assert codes(logStreamNames=["b"]) == codes(filterPattern="ERROR") == list(range(1, 20, 2))
    assert codes(logStreamNamePrefix="a") == codes(filterPattern="-ERROR") == list(range(0, 20, 2))
    assert codes(filterPattern='{ $.level = "ERROR" && $.code > 10 }') == [11, 13, 15, 17, 19]
    assert codes(filterPattern="{ $.who.name = user1* && $.level != INFO }") == [1, 11, 13, 15, 17, 19]
    assert codes(filterPattern="{ $.who.name = %user[34]$% }") == [3, 4]
    assert codes(startTime=at + 18, endTime=at + 19) == [18, 19]
    newest = logs.filter_log_events(logGroupName=group, startFromHead=False, limit=2)
    assert [json.loads(event["message"])["code"] for event in newest["events"]] == [19, 18]
    ids = [event["eventId"] for event in logs.filter_log_events(logGroupIdentifier=arn(group))["events"]]
    assert len(set(ids)) == 20 and ids == sorted(ids) and {len(event_id) for event_id in ids} == {56}
    page = logs.filter_log_events(logGroupName=group, limit=3)
    with refused("InvalidParameterException", "The specified nextToken is invalid."):
        logs.filter_log_events(logGroupName=group, filterPattern="ERROR", nextToken=page["nextToken"])
    for pattern in ("foo:bar", "{ $.a = }", "[a", "%(a)%"):
        with refused("InvalidParameterException", "Invalid filter pattern"):
            logs.filter_log_events(logGroupName=group, filterPattern=pattern)
    with refused("ResourceNotFoundException", "The specified log stream does not exist."):
        logs.filter_log_events(logGroupName=group, logStreamNames=["c"])


def test_the_aws_cli(server, logs, group):
    at = now_ms()
    given = json.dumps([{"timestamp": at, "message": "written by the CLI"}])
    done = cli(
        server, "logs", "put-log-events", "--log-group-name", group, "--log-stream-name", "a", "--log-events", given
    )
    assert done.returncode == 0, done.stderr
    done = cli(
        server, "logs", "filter-log-events", "--log-group-name", group, "--filter-pattern", '"by the CLI"',
        "--query", "events[].message", "--output", "text",
    )  # fmt: skip
    assert done.stdout == "written by the CLI\n", done.stderr


def test_a_live_tail_of_the_aws_cli(server, logs, group):
    """The CLI puts `stream-` before the host, unless the profile says otherwise: the one that the server writes does."""
    environment = server.client_environment()
    environment["PATH"] = f"{SCRIPTS}:{environment['PATH']}"
    environment["PYTHONUNBUFFERED"] = "1"
    command = [
        "aws", "logs", "start-live-tail", "--log-group-identifiers", arn(group),
        "--log-stream-names", "a", "--log-event-filter-pattern", "wanted",
    ]  # fmt: skip
    tail = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL
    )
    seen: list[str] = []
    reader = threading.Thread(target=lambda: seen.extend(iter(tail.stdout.readline, "")), daemon=True)
    reader.start()
    try:

        def written() -> bool:
            assert tail.poll() is None, seen
            put(logs, group, "b", "wanted, but elsewhere")
            put(logs, group, "a", "other", "wanted here")
            return "wanted here\n" in seen

        eventually(written, "the tail shows what is written", 60)
        assert set(seen) == {"wanted here\n"}
    finally:
        tail.terminate()
        tail.wait(20)


def test_a_live_tail_ends_with_the_right_to_it(server, logs, group):
    person = Person(server, allow("logs:StartLiveTail", arn(group) + ":*"))
    client = person.client("logs")
    with refused("InvalidParameterException", "ARNs of log groups"):
        client.start_live_tail(logGroupIdentifiers=[group])
    with refused("AccessDeniedException"):
        client.start_live_tail(logGroupIdentifiers=[arn("/another")])
    stream = client.start_live_tail(logGroupIdentifiers=[arn(group)])["responseStream"]
    messages = iter(stream)
    started = next(messages)["sessionStart"]
    assert started["logGroupIdentifiers"] == [arn(group)] and started["sessionId"]
    put(logs, group, "a", "shown")
    shown: list[str] = []
    while not shown:
        update = next(messages)["sessionUpdate"]
        assert update["sessionMetadata"] == {"sampled": False}
        shown = [result["message"] for result in update["sessionResults"]]
    assert shown == ["shown"]
    person.put(deny("logs:*"))
    with pytest.raises(botocore.exceptions.EventStreamError, match="revoked"):
        for _ in messages:
            pass
    person.delete()


def test_policies_name_groups_and_streams(server, logs, group):
    person = Person(server, allow("logs:PutLogEvents", arn(group, "a")))
    client = person.client("logs")
    put(client, group, "a", "allowed")
    with refused("AccessDeniedException", f"logs:PutLogEvents on resource: {arn(group, 'b')}"):
        put(client, group, "b", "denied")
    with refused("AccessDeniedException"):
        client.filter_log_events(logGroupName=group)
    # The group's name alone is not what policies on its operations are asked about.
    person.put(allow("logs:FilterLogEvents", arn(group)))
    with refused("AccessDeniedException"):
        client.filter_log_events(logGroupName=group)
    person.put(allow("logs:FilterLogEvents", arn(group) + ":*"))
    assert said(client, group) == ["allowed"]
    with refused("AccessDeniedException"):
        client.describe_log_groups()
    logs.tag_resource(resourceArn=arn(group), tags={"team": "web"})
    person.put(allow("logs:GetLogEvents", Condition={"StringEquals": {"aws:ResourceTag/team": "web"}}))
    assert client.get_log_events(logGroupName=group, logStreamName="a")["events"]
    logs.tag_resource(resourceArn=arn(group), tags={"team": "db"})
    with refused("AccessDeniedException"):
        client.get_log_events(logGroupName=group, logStreamName="a")
    person.delete()


def test_keys_of_this_server_are_associated_and_no_others(server, logs, group):
    kms = server.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    logs.associate_kms_key(logGroupName=group, kmsKeyId=key)
    assert logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["kmsKeyId"] == key
    logs.create_log_group(logGroupName=group + "/encrypted", kmsKeyId=key)
    assert logs.describe_log_groups(logGroupNamePrefix=group + "/e")["logGroups"][0]["kmsKeyId"] == key
    logs.delete_log_group(logGroupName=group + "/encrypted")
    kms.disable_key(KeyId=key)
    with refused("InvalidParameterException"):
        logs.associate_kms_key(logGroupName=group, kmsKeyId=key)
    with refused("InvalidParameterException", "The specified KMS Key Id could not be found."):
        logs.associate_kms_key(logGroupName=group, kmsKeyId=f"arn:aws:kms:{REGION}:{ACCOUNT}:key/none")
    with refused("InvalidParameterException"):
        logs.create_log_group(logGroupName=group + "/with-key", kmsKeyId="alias/none")
    logs.disassociate_kms_key(logGroupName=group)
    assert "kmsKeyId" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]


def test_calls_are_on_the_audit_trail_and_what_is_logged_is_not(server, logs, group):
    created = event(server, logs.describe_log_groups()["ResponseMetadata"]["RequestId"], "DescribeLogGroups")
    assert created["eventSource"] == "logs.amazonaws.com" and created["readOnly"] is True
    written = put(logs, group, "a", "a secret of the application")
    record = event(server, written["ResponseMetadata"]["RequestId"], "PutLogEvents")
    assert record["requestParameters"] == {"logGroupName": group, "logStreamName": "a"}
    assert record["managementEvent"] is False and record["eventCategory"] == "Data" and record["readOnly"] is False
    [resource] = record["resources"]
    assert resource["ARN"] == arn(group, "a") and resource["type"] == "AWS::Logs::LogStream"
    assert "a secret" not in json.dumps(record)
    read = logs.filter_log_events(logGroupName=group)
    record = event(server, read["ResponseMetadata"]["RequestId"], "FilterLogEvents")
    assert record["readOnly"] is True and record["eventCategory"] == "Data"
    assert record["resources"][0]["type"] == "AWS::Logs::LogGroup"


def logs_of(node: Node):
    """CloudWatch Logs with the credentials of a node."""
    keys = node.role
    return node.server.client(
        "logs",
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
    )


def allow_logs(server):
    statement = {"Version": "2012-10-17", "Statement": [allow("logs:*")]}
    server.client("iam").put_role_policy(RoleName=ROLE, PolicyName="logs", PolicyDocument=json.dumps(statement))


def test_nodes_write_their_own_streams_only(lab):
    server = lab.server().start()
    logs = server.client("logs")
    logs.create_log_group(logGroupName="/sessions")
    node, other = Node(server).joined().connected(), Node(server).joined().connected()
    session, of_other = (server.client().start_session(Target=one.id)["SessionId"] for one in (node, other))
    client = logs_of(node)
    with refused("AccessDeniedException"):
        client.create_log_stream(logGroupName="/sessions", logStreamName=session)
    allow_logs(server)
    own = f"8f1a4c2e-0000-4000-8000-000000000000/{node.id}/runShellScript/stdout"
    for stream in (session, own):
        client.create_log_stream(logGroupName="/sessions", logStreamName=stream)
        assert put(client, "/sessions", stream, "of the node")["nextSequenceToken"]
        [found] = client.describe_log_streams(logGroupName="/sessions", logStreamNamePrefix=stream)["logStreams"]
        assert found["logStreamName"] == stream
    assert client.describe_log_groups(logGroupNamePrefix="/sessions")["logGroups"]
    client.create_log_group(logGroupName="/aws/ssm/AWS-RunShellScript")
    for stream in (of_other, "anything", own.replace(node.id, "mi-00000000000000000")):
        with refused("AccessDeniedException"):
            client.create_log_stream(logGroupName="/sessions", logStreamName=stream)
        with refused("AccessDeniedException"):
            put(client, "/sessions", stream, "forged")
    for call in (
        lambda: client.describe_log_streams(logGroupName="/sessions"),
        lambda: client.get_log_events(logGroupName="/sessions", logStreamName=session),
        lambda: client.filter_log_events(logGroupName="/sessions"),
        lambda: client.delete_log_group(logGroupName="/sessions"),
    ):
        with refused("AccessDeniedException"):
            call()
    # What nodes do over and over is recorded when it changes.
    for _ in range(3):
        put(client, "/sessions", own, "again")
    written = [record for record in events(server, "EventName", "PutLogEvents") if "errorCode" not in record]
    streams = [record["requestParameters"]["logStreamName"] for record in written]
    # The refused calls in between are another thing, so the first after them is on record, too.
    assert sorted(streams) == sorted([session, own, own])
    server.stop()


def test_a_kill_in_the_middle_of_puts_loses_nothing_that_was_answered(lab):
    server = lab.server().start()
    logs = server.client("logs")
    logs.create_log_group(logGroupName="/killed")
    answered: list[str] = []
    lock = threading.Lock()
    stop = threading.Event()

    def write(stream: str):
        client = server.client("logs")
        client.create_log_stream(logGroupName="/killed", logStreamName=stream)
        number = 0
        while not stop.is_set():
            messages = [f"{stream}-{number}-{part}" for part in range(5)]
            try:
                put(client, "/killed", stream, *messages)
            except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError):
                return
            with lock:
                answered.extend(messages)
            number += 1

    writers = [threading.Thread(target=write, args=(f"s{number}",)) for number in range(4)]
    for writer in writers:
        writer.start()
    eventually(lambda: len(answered) >= 400, "enough is written", 60)
    server.kill()
    stop.set()
    for writer in writers:
        writer.join(60)
    server.start()
    found = said(server.client("logs"), "/killed")
    assert len(found) == len(set(found))
    assert set(answered) <= set(found)
    # A batch is there as a whole or not at all.
    batches: dict[str, int] = {}
    for message in found:
        batches[message.rpartition("-")[0]] = batches.get(message.rpartition("-")[0], 0) + 1
    assert set(batches.values()) == {5}
    server.stop()


def test_a_full_disk_refuses_and_loses_nothing(lab):
    server = lab.server({"POSTERN_LIMITS_FREE_DISK_BYTES_MIN": "0"})
    server.data.mkdir(parents=True, mode=0o700)
    with small_disk(server.data / "logs", "6m") as disk:
        server.start()
        logs = server.client("logs")
        logs.create_log_group(logGroupName="/full")
        logs.create_log_stream(logGroupName="/full", logStreamName="a")
        put(logs, "/full", "a", "before")
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        kept = ["before"]
        # The log of the database may have room for some more.
        with refused("ServiceUnavailableException"):
            for number in range(2000):
                message = f"{number} " + os.urandom(1000).hex()
                put(logs, "/full", "a", message)
                kept.append(message)
        assert server.answers()
        filler.unlink()
        put(logs, "/full", "a", "after")
        assert said(logs, "/full") == [*kept, "after"]
        server.stop()


def test_a_group_is_deleted_while_it_is_written(server, logs):
    logs.create_log_group(logGroupName="/deleted")
    logs.create_log_stream(logGroupName="/deleted", logStreamName="a")
    codes: set[str] = set()

    def write():
        client = server.client("logs")
        for number in range(200):
            try:
                put(client, "/deleted", "a", f"event {number}")
            except botocore.exceptions.ClientError as error:
                codes.add(error.response["Error"]["Code"])
                return

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    time.sleep(0.3)
    logs.delete_log_group(logGroupName="/deleted")
    for writer in writers:
        writer.join(60)
    assert codes == {"ResourceNotFoundException"}
    logs.create_log_group(logGroupName="/deleted")
    assert said(logs, "/deleted") == []
    logs.delete_log_group(logGroupName="/deleted")


def test_a_role_session_may_read_what_its_role_may(server, logs, group):
    person = Person(server, allow("sts:AssumeRole"))
    role = RoleOf(person, allow("logs:FilterLogEvents", arn(group) + ":*"))
    put(logs, group, "a", "for the role")
    assert said(role.assume().client("logs"), group) == ["for the role"]
    role.delete()
    person.delete()
