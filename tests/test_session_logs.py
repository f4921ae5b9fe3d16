"""The logs of sessions that the server writes: where they are, what is in them, and what becomes of them when things fail."""

import contextlib
import json
import re
import subprocess
import threading
import time

import botocore.exceptions
import pytest
from harness.channel import open_session
from harness.node import Node
from harness.people import Person, allow
from harness.people import document as policy
from harness.programs import ACCOUNT, REGION, ROLE, SCRIPTS, binary
from harness.waiting import eventually
from test_audit import events
from test_recordings_api import call

# Tried again at once, and given up within a test.
IMPATIENT = {"POSTERN_SESSION_LOGS_RETRY_PAUSE_MAX": "1s"}


def create(server, name: str, session_type: str = "Standard_Stream", properties=None, **inputs) -> str:
    content = {"schemaVersion": "1.0", "sessionType": session_type, "inputs": inputs}
    if properties:
        content["properties"] = properties
    server.client().create_document(Name=name, Content=json.dumps(content), DocumentType="Session")
    return name


@pytest.fixture
def document(server, request):
    """Makes documents of the test's own."""
    names = []

    def make(**arguments) -> str:
        names.append(re.sub(r"[^A-Za-z0-9]", "-", f"{request.node.name}-{len(names)}"))
        return create(server, names[-1], **arguments)

    yield make
    for name in names:
        server.client().delete_document(Name=name)


@pytest.fixture
def bucket(server, request):
    name = re.sub(r"[^a-z0-9]", "-", request.node.name.lower()).strip("-")[-60:].strip("-")
    server.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def group(server, request):
    name = f"/sessions/{request.node.name.partition('[')[0]}"
    server.client("logs").create_log_group(logGroupName=name)
    return name


@pytest.fixture(scope="module")
def key(server) -> str:
    return server.client("kms").create_key(Description="logs")["KeyMetadata"]["Arn"]


@pytest.fixture
def node_may(server):
    """What the role of nodes allows for the length of a test."""
    iam = server.client("iam")

    def give(action: str) -> None:
        iam.put_role_policy(
            RoleName=ROLE,
            PolicyName="session-logs",
            PolicyDocument=policy(allow(action)),
        )

    yield give
    with contextlib.suppress(iam.exceptions.NoSuchEntityException):
        iam.delete_role_policy(RoleName=ROLE, PolicyName="session-logs")


def as_itself(server, node: Node, service: str):
    """A client with the credentials of a node's role."""
    role = node.role.get_frozen_credentials()
    return server.client(
        service,
        aws_access_key_id=role.access_key,
        aws_secret_access_key=role.secret_key,
        aws_session_token=role.token,
    )


def objects(server, bucket: str) -> list[str]:
    return [found["Key"] for found in server.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])]


def log_object(server, bucket: str, key: str) -> dict | None:
    with contextlib.suppress(botocore.exceptions.ClientError):
        return server.client("s3").get_object(Bucket=bucket, Key=key)
    return None


def messages(server, group: str, stream: str) -> list[str]:
    logs, found, token = server.client("logs"), [], {}
    while True:
        try:
            page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, **token)
        except logs.exceptions.ResourceNotFoundException:
            return found
        found += [event["message"] for event in page["events"]]
        if token.get("nextToken") == page["nextForwardToken"]:
            return found
        token = {"nextToken": page["nextForwardToken"]}


def lines(server, group: str, stream: str) -> list[str]:
    return [line for message in messages(server, group, stream) for line in json.loads(message)["sessionData"]]


def end(session) -> None:
    session.type("exit\n")
    session.reason()


def is_over(server, session_id: str) -> bool:
    found = server.client().describe_sessions(State="History", Filters=[{"key": "SessionId", "value": session_id}])
    return bool(found["Sessions"])


def refusal(server, node, document: str) -> str:
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        server.client().start_session(Target=node.node_id, DocumentName=document)
    error = refused.value.response["Error"]
    assert error["Code"] == "InvalidDocument"
    return error["Message"]


class TestS3:
    def test_the_log_is_in_the_bucket_when_the_session_is_over(self, lab, server, node, document, bucket, tmp_path):
        name = document(s3BucketName=bucket, s3KeyPrefix="team/linux")
        session = lab.session(node, document=name)
        assert session.run("printf 'red \\033[31mtext\\033[0m €\\n'") == "red \x1b[31mtext\x1b[0m €\n"
        assert objects(server, bucket) == [], "it comes when the session is over"
        end(session)
        key = f"team/linux/{session.id}.log"
        found = eventually(lambda: log_object(server, bucket, key), "the log is there")
        assert found["ContentType"] == "text/plain" and found["ServerSideEncryption"] == "AES256"
        text = found["Body"].read().decode()
        assert "red \x1b[31mtext\x1b[0m €\r\n" in text and text.rstrip().endswith("logout")

        # With AWS's own client.
        admin = Person(server, allow("s3:*"))
        listed = admin.aws("s3", "ls", f"s3://{bucket}/team/linux/")
        assert f"{session.id}.log" in listed.stdout, listed.stderr
        copied = admin.aws("s3", "cp", f"s3://{bucket}/{key}", str(tmp_path / "log"))
        assert copied.returncode == 0 and (tmp_path / "log").read_bytes().decode() == text, copied.stderr

    def test_a_command_without_a_terminal_is_logged_too(self, lab, server, node, document, bucket):
        properties = {"linux": {"commands": "echo from-the-command"}}
        name = document(
            session_type="NonInteractiveCommands",
            properties=properties,
            s3BucketName=bucket,
        )
        session = lab.session(node, document=name)
        session.reason()
        found = eventually(lambda: log_object(server, bucket, f"{session.id}.log"), "the log is there")
        assert found["Body"].read() == b"from-the-command\n"

    def test_a_character_that_the_end_tears_is_no_error(self, lab, server, document, bucket, group):
        name = document(
            s3BucketName=bucket,
            cloudWatchLogGroupName=group,
            cloudWatchEncryptionEnabled=False,
            cloudWatchStreamingEnabled=True,
        )
        node = Node(server).joined().connected()
        session = open_session(server, node.id, document=name)
        lab.closers.append(session.close)
        channel = node.open_data(session.id)
        channel.send(b"whole\r\n")
        channel.send(b"torn \xe2\x82")
        session.until(lambda: b"torn \xe2\x82" in session.output, "half of a character")
        server.client().terminate_session(SessionId=session.id)
        found = eventually(lambda: log_object(server, bucket, f"{session.id}.log"), "the log is there")
        assert found["Body"].read().decode() == "whole\r\ntorn \ufffd"
        expected = ["whole", "torn \ufffd"]
        eventually(
            lambda: lines(server, group, session.id) == expected,
            "the last line is there",
        )

    def test_a_bucket_that_is_missing_where_encryption_is_demanded(self, server, node, document):
        told = refusal(server, node, document(s3BucketName="no-such-bucket"))
        assert told.startswith(
            "Couldn't start the session because we are unable to validate encryption on Amazon S3 bucket."
        )
        assert "no-such-bucket" in told

    def test_nobody_else_writes_the_key_of_a_session(self, server, document, bucket, node_may):
        """Neither the node that the session is on, nor another."""
        node_may("s3:PutObject")
        logged, plain = document(s3BucketName=bucket), document()
        node, other = Node(server).joined().connected(), Node(server).joined()
        one = server.client().start_session(Target=node.id, DocumentName=logged)["SessionId"]
        without = server.client().start_session(Target=node.id, DocumentName=plain)["SessionId"]

        def written(by: Node, session: str) -> str:
            client = as_itself(server, by, "s3")
            try:
                client.put_object(Bucket=bucket, Key=f"{session}.log", Body=b"forged")
            except botocore.exceptions.ClientError as error:
                return error.response["Error"]["Code"]
            return "written"

        assert written(other, one) == written(other, without) == "AccessDenied"
        assert written(node, one) == "AccessDenied", "it is the server's to write"
        assert written(node, without) == "written"
        server.client().terminate_session(SessionId=one)
        found = eventually(lambda: log_object(server, bucket, f"{one}.log"), "the log is there")
        assert found["Body"].read() == b""
        assert written(node, one) == "AccessDenied", "it stays so"
        task = node.next_task()
        assert task["DocumentContent"]["inputs"]["s3BucketName"] == "", "the node is not asked to write it"


class TestCloudWatch:
    def test_a_session_is_followed_while_it_runs(self, lab, server, node, document, group):
        name = document(
            cloudWatchLogGroupName=group,
            cloudWatchEncryptionEnabled=False,
            cloudWatchStreamingEnabled=True,
        )
        session = lab.session(node, document=name)
        session.run("printf 'a\\tb \\033[1mbold\\033[0m \"quoted\"\\n'")
        eventually(
            lambda: 'a b bold "quoted"' in lines(server, group, session.id),
            "the line is there",
        )
        [first, *_] = [json.loads(message) for message in messages(server, group, session.id)]
        assert list(first) == [
            "eventVersion", "eventTime", "awsRegion", "target", "userIdentity", "runAsUser", "sessionId", "sessionData",
        ]  # fmt: skip
        assert first["eventVersion"] == "1.0" and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["eventTime"])
        assert first["target"] == {"id": node.node_id} and first["sessionId"] == session.id
        assert first["userIdentity"]["arn"].endswith(":user/admin")
        session.type("echo la''st; printf unfinished; exit\n")
        session.reason()
        eventually(
            lambda: any("unfinished" in line for line in lines(server, group, session.id)),
            "the rest is there",
        )
        assert "last" in lines(server, group, session.id)

    def test_the_cli_follows_a_session_that_runs(self, lab, server, node, document, group):
        """Version 1 of the AWS CLI has `start-live-tail`; `logs tail` of version 2 asks with `filter-log-events`."""
        name = document(
            cloudWatchLogGroupName=group,
            cloudWatchEncryptionEnabled=False,
            cloudWatchStreamingEnabled=True,
        )
        admin = Person(server, allow("logs:*"))
        session = lab.session(node, document=name)
        arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}"
        tail = subprocess.Popen(
            [
                SCRIPTS / "aws",
                "logs",
                "start-live-tail",
                "--log-group-identifiers",
                arn,
            ],
            env=admin.environment() | {"PYTHONUNBUFFERED": "1", "AWS_DISABLE_HOST_PREFIX_INJECTION": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        seen = []
        reader = threading.Thread(target=lambda: seen.extend(iter(tail.stdout.readline, "")), daemon=True)
        reader.start()
        try:

            def shown():
                assert tail.poll() is None, seen
                session.run("echo while''-it-is-followed")
                return any("while-it-is-followed" in line for line in seen)

            eventually(shown, "what comes is shown", 60)
        finally:
            tail.terminate()
            tail.wait(20)
        found = server.client("logs").filter_log_events(logGroupName=group, filterPattern='"while-it-is-followed"')
        assert found["events"]

    def test_at_the_end_the_text_is_there(self, lab, server, node, document, group):
        session = lab.session(
            node,
            document=document(cloudWatchLogGroupName=group, cloudWatchEncryptionEnabled=False),
        )
        session.run("seq 1 60000")
        assert messages(server, group, session.id) == []
        end(session)
        eventually(lambda: is_over(server, session.id), "it is over")
        found = eventually(lambda: messages(server, group, session.id), "the log is there")
        text = "".join(found)
        assert "59999\r\n60000\r\n" in text and len(found) > 1
        assert all(len(message.encode()) <= 200_000 and message.endswith("\n") for message in found[:-1])

    def test_commands_are_not_streamed(self, lab, server, node, document, group):
        properties = {"linux": {"commands": "echo shown; read line; echo $line"}}
        name = document(
            session_type="InteractiveCommands",
            properties=properties,
            cloudWatchLogGroupName=group,
            cloudWatchEncryptionEnabled=False,
            cloudWatchStreamingEnabled=True,
        )
        session = lab.session(node, document=name)
        session.read_until(b"shown\r\n")
        time.sleep(2)
        assert messages(server, group, session.id) == []
        session.type("answer\n")
        session.reason()
        text = "".join(eventually(lambda: messages(server, group, session.id), "the log is there"))
        assert text.startswith("shown\r\n") and text.endswith("answer\r\n"), "text, and no records"

    def test_a_line_of_ten_megabytes(self, lab, server, node, document, group):
        name = document(
            cloudWatchLogGroupName=group,
            cloudWatchEncryptionEnabled=False,
            cloudWatchStreamingEnabled=True,
        )
        session = lab.session(node, document=name)
        session.type("stty -echo; head -c 10485760 /dev/zero | tr '\\0' x; echo; echo done''-it\n")
        session.read_until(b"done-it\r\n", 120)
        eventually(lambda: "done-it" in lines(server, group, session.id), "all is there", 60)
        found = messages(server, group, session.id)
        assert all(len(message.encode()) <= 256 * 1024 for message in found)
        assert sum(line.count("x") for message in found for line in json.loads(message)["sessionData"]
                   if set(line) <= {"x"}) == 10_485_760  # fmt: skip

    def test_a_group_that_is_missing_or_has_no_key_where_encryption_is_demanded(self, server, node, document, group):
        told = refusal(server, node, document(cloudWatchLogGroupName="/no/such/group"))
        assert "unable to validate encryption on CloudWatch Logs log group" in told and "/no/such/group" in told
        told = refusal(server, node, document(cloudWatchLogGroupName=group))
        assert told == (
            "We couldn't start the session because encryption is not set up on the selected CloudWatch Logs log group. "
            "Either encrypt the log group or choose an option to enable logging without encryption."
        )

    def test_a_group_with_a_key_satisfies_it(self, lab, server, node, document, group, key):
        server.client("logs").associate_kms_key(logGroupName=group, kmsKeyId=key)
        session = lab.session(node, document=document(cloudWatchLogGroupName=group))
        assert session.run("echo here") == "here\n"
        end(session)
        eventually(lambda: messages(server, group, session.id), "the log is there")

    def test_nodes_do_not_write_into_the_stream(self, server, document, group, node_may):
        node_may("logs:*")
        name = document(
            cloudWatchLogGroupName=group,
            cloudWatchEncryptionEnabled=False,
            cloudWatchStreamingEnabled=True,
        )
        node = Node(server).joined().connected()
        session = server.client().start_session(Target=node.id, DocumentName=name)["SessionId"]

        def streams():
            found = server.client("logs").describe_log_streams(logGroupName=group)["logStreams"]
            return [stream["logStreamName"] for stream in found]

        eventually(lambda: streams() == [session], "the stream is there from the start")
        event = {"timestamp": int(time.time() * 1000), "message": "forged"}
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            as_itself(server, node, "logs").put_log_events(logGroupName=group, logStreamName=session, logEvents=[event])
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
        server.client().terminate_session(SessionId=session)
        assert messages(server, group, session) == []


class TestEncrypted:
    def test_what_the_server_opens_is_logged(self, server, node, document, bucket, key, node_may):
        node_may("kms:Decrypt")
        name = document(s3BucketName=bucket, kmsKeyId=key)
        person = Person(server, allow("*"))
        done = subprocess.run(
            [
                binary("postern"),
                "start-session",
                "--target",
                node.node_id,
                "--document-name",
                name,
            ],
            env=person.environment() | {"SSL_CERT_FILE": str(server.ca_file)},
            input="echo shown-$((40 + 2)); exit\n",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "shown-42" in done.stdout and "encrypted" in done.stderr, done.stderr
        [found] = eventually(lambda: objects(server, bucket), "the log is there")
        assert b"shown-42\r\n" in log_object(server, bucket, found)["Body"].read()

    @pytest.mark.parametrize("recording", ["off", "allowed"])
    def test_what_it_cannot_open_is_refused(self, server, node, document, bucket, key, recording):
        others = f"arn:aws:kms:{REGION}:111122223333:key/11111111-2222-4333-8444-555555555555"
        name = document(
            s3BucketName=bucket,
            kmsKeyId=key if recording == "off" else others,
            recording=recording,
        )
        told = refusal(server, node, name)
        assert "inputs.s3BucketName" in told and "inputs.recording" in told and "inputs.kmsKeyId" in told

    def test_what_it_cannot_open_is_left_to_an_agent_that_writes_logs(self, server, document, bucket, key):
        name = document(s3BucketName=bucket, kmsKeyId=key, recording="off")
        node = Node(server).joined().connected()
        session = server.client().start_session(Target=node.id, DocumentName=name)["SessionId"]
        assert node.next_task()["DocumentContent"]["inputs"]["s3BucketName"] == bucket
        server.client().terminate_session(SessionId=session)


class TestFaults:
    def test_a_log_waits_for_its_bucket_and_its_group(self, lab):
        server = lab.server(IMPATIENT).start()
        node = lab.node(server)
        name = create(
            server, "Early", s3BucketName="later", s3EncryptionEnabled=False, cloudWatchLogGroupName="/later",
            cloudWatchEncryptionEnabled=False, cloudWatchStreamingEnabled=True,
        )  # fmt: skip
        session = lab.session(node, document=name)
        session.run("echo before''-there-was-anything")
        end(session)
        eventually(lambda: is_over(server, session.id), "it is over")
        eventually(
            lambda: "cannot be written to s3://later" in server.program.logged(),
            "an attempt has failed",
        )
        refused = call(server, "DeleteSessionRecording", SessionId=session.id, Reason="a test")
        assert refused.code == "RecordingInProgressException" and b"still to be made" in refused.body
        server.client("s3").create_bucket(Bucket="later")
        server.client("logs").create_log_group(logGroupName="/later")
        found = eventually(lambda: log_object(server, "later", f"{session.id}.log"), "the log is there")
        assert b"before-there-was-anything" in found["Body"].read()
        eventually(
            lambda: "before-there-was-anything" in lines(server, "/later", session.id),
            "its lines are there",
        )

    def test_a_server_that_is_killed_goes_on_where_it_was(self, lab):
        server = lab.server(IMPATIENT).start()
        node = lab.node(server)
        server.client("logs").create_log_group(logGroupName="/kept")
        server.client("s3").create_bucket(Bucket="kept")
        name = create(
            server, "Kept", s3BucketName="kept", cloudWatchLogGroupName="/kept", cloudWatchEncryptionEnabled=False,
            cloudWatchStreamingEnabled=True,
        )  # fmt: skip
        session = lab.session(node, document=name)
        expected = []
        for round_number in range(3):
            session.run(f"seq -f line-{round_number}-%g 1 200")
            expected += [f"line-{round_number}-{number}" for number in range(1, 201)]
            if round_number < 2:
                server.kill()
                server.start()
                node.wait_until_connected()
                session.resume()
        end(session)
        found = eventually(lambda: log_object(server, "kept", f"{session.id}.log"), "the log is there")
        text = found["Body"].read().decode()
        assert [line for line in text.splitlines() if line.startswith("line-")] == expected

        def streamed():
            return [line for line in lines(server, "/kept", session.id) if line.startswith("line-")]

        eventually(lambda: streamed()[-1:] == expected[-1:], "the last line is there")
        # A batch whose end was not noted may be there twice; nothing is missing, and the order holds.
        assert list(dict.fromkeys(streamed())) == expected

    def test_a_log_that_cannot_be_written_is_given_up_one_day(self, lab):
        server = lab.server(IMPATIENT | {"POSTERN_SESSION_LOGS_GIVE_UP_AFTER": "2s"}).start()
        node = lab.node(server)
        name = create(server, "Never", s3BucketName="never", s3EncryptionEnabled=False)
        session = lab.session(node, document=name)
        end(session)
        eventually(lambda: "is given up" in server.program.logged(), "it is given up")
        [abandoned] = eventually(
            lambda: events(server, "EventName", "SessionLogAbandoned"),
            "it is on the trail",
        )
        details = abandoned["serviceEventDetails"]
        assert details["sessionId"] == session.id and details["destination"] == f"s3://never/{session.id}.log"
        assert "bucket never does not exist" in details["reason"]
        removed = call(server, "DeleteSessionRecording", SessionId=session.id, Reason="a test")
        assert removed.status == 200, "nothing is to be made from it any more"
