"""Every call is on the audit trail before it is answered, and AWS's own tool verifies the trail."""

import concurrent.futures
import contextlib
import dataclasses
import datetime
import gzip
import hashlib
import json
import re
import subprocess
import time

import botocore.auth
import botocore.credentials
import botocore.exceptions
import pytest
from botocore.awsrequest import AWSRequest
from harness import channel, requests
from harness.node import Node
from harness.people import Person, allow
from harness.programs import ACCOUNT, SCRIPTS, binary
from harness.waiting import eventually
from test_full_disk import small_disk

TRAIL = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/postern"
QUICK = {"POSTERN_AUDIT_LOG_FILE_INTERVAL": "1s", "POSTERN_AUDIT_DIGEST_INTERVAL": "1s"}
HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


def aws(server, *arguments: str) -> subprocess.CompletedProcess:
    environment = server.client_environment()
    environment["PATH"] = f"{SCRIPTS}:{environment['PATH']}"
    return subprocess.run(["aws", *arguments], env=environment, capture_output=True, text=True, timeout=120)


def events(server, key: str, value: str) -> list[dict]:
    """The records that have an attribute, the newest first."""
    pages = server.client("cloudtrail").get_paginator("lookup_events")
    found = pages.paginate(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])
    return [json.loads(event["CloudTrailEvent"]) for page in found for event in page["Events"]]


def event(server, request_id: str, name: str) -> dict:
    """The one record of a request."""
    [found] = [record for record in events(server, "EventName", name) if record.get("requestID") == request_id]
    return found


def answered(answer: requests.Answer) -> str:
    return answer.headers["x-amzn-requestid"]


def chain_text(server) -> bytes:
    return b"".join(path.read_bytes() for path in sorted((server.data / "audit" / "chain").iterdir()))


def test_a_change_is_recorded_as_cloudtrail_does_it(server, ssm):
    created = ssm.create_activation(IamRole="PosternNode", Description="for the trail", RegistrationLimit=3)
    record = event(server, created["ResponseMetadata"]["RequestId"], "CreateActivation")
    assert record["eventVersion"] == "1.08" and record["eventType"] == "AwsApiCall"
    assert record["eventSource"] == "ssm.amazonaws.com" and record["apiVersion"] == "2014-11-06"
    assert record["readOnly"] is False and record["managementEvent"] is True
    assert record["recipientAccountId"] == ACCOUNT and record["awsRegion"] == "us-east-1"
    assert record["sourceIPAddress"] == "127.0.0.1" and "Boto3" in record["userAgent"]
    assert record["requestParameters"] == {
        "description": "for the trail",
        "iamRole": "PosternNode",
        "registrationLimit": 3,
    }
    assert record["responseElements"] == {"activationId": created["ActivationId"], "activationCode": HIDDEN}
    who = record["userIdentity"]
    assert who["type"] == "IAMUser" and who["userName"] == "admin"
    assert who["arn"] == f"arn:aws:iam::{ACCOUNT}:user/admin" and who["principalId"].startswith("AIDA")
    assert who["accessKeyId"] == requests.credentials(server).access_key
    assert record["additionalEventData"]["decision"]["result"] == "ALLOW"
    assert record["tlsDetails"]["tlsVersion"] == "TLSv1.3"
    assert record["tlsDetails"]["cipherSuite"].startswith("TLS_AES_")
    assert record["tlsDetails"]["clientProvidedHostHeader"] == f"127.0.0.1:{server.port}"
    assert created["ActivationCode"].encode() not in chain_text(server)


def test_a_read_is_recorded_without_its_answer(server, ssm):
    described = ssm.describe_sessions(State="History", MaxResults=5)
    record = event(server, described["ResponseMetadata"]["RequestId"], "DescribeSessions")
    assert record["readOnly"] is True and record["responseElements"] is None
    assert record["requestParameters"] == {"state": "History", "maxResults": 5}


def test_the_command_line_looks_events_up(server, ssm):
    ssm.describe_activations()
    found = aws(
        server,
        "cloudtrail",
        "lookup-events",
        "--lookup-attributes",
        "AttributeKey=EventName,AttributeValue=DescribeActivations",
        "--max-items",
        "1",
    )
    assert found.returncode == 0, found.stderr
    [shown] = json.loads(found.stdout)["Events"]
    assert (shown["EventName"], shown["ReadOnly"], shown["Username"]) == ("DescribeActivations", "true", "admin")
    assert json.loads(shown["CloudTrailEvent"])["eventID"] == shown["EventId"]


def test_a_failed_call_is_recorded_with_its_error(server):
    missing = "mi-0123456789abcdef0"
    answer = requests.sign(requests.ssm_call("StartSession", {"Target": missing}), server).send(server)
    assert answer.code == "TargetNotConnected"
    record = event(server, answered(answer), "StartSession")
    assert record["errorCode"] == "TargetNotConnected" and missing in record["errorMessage"]
    assert record["responseElements"] is None
    kinds = {resource["type"] for resource in record["resources"]}
    assert kinds == {"AWS::SSM::ManagedInstance", "AWS::SSM::Document"}


def test_a_denied_call_is_recorded_with_what_decided(server):
    node = Node(server).joined()
    answer = node.call("DescribeSessions", {"State": "Active"})
    assert answer.code == "AccessDeniedException"
    record = event(server, answered(answer), "DescribeSessions")
    assert record["errorCode"] == "AccessDenied"
    assert "is not authorized to perform: ssm:DescribeSessions" in record["errorMessage"]
    assert record["additionalEventData"]["wireErrorCode"] == "AccessDeniedException"
    assert record["additionalEventData"]["decision"] == {"result": "IMPLICIT_DENY", "layer": "identity"}
    assert record["userIdentity"]["type"] == "AssumedRole"
    assert record["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"] == "PosternNode"


def test_strangers_are_recorded_as_unknown(server):
    known = requests.credentials(server)
    wrong = botocore.credentials.ReadOnlyCredentials(known.access_key, "x" * 40, None)
    answer = requests.sign(requests.ssm_call("ListDocuments"), server, keys=wrong).send(server)
    record = event(server, answered(answer), "ListDocuments")
    assert record["userIdentity"] == {"type": "Unknown", "accessKeyId": known.access_key}
    assert record["errorCode"] == "InvalidSignatureException"

    answer = requests.sts_call().send(server)
    record = event(server, answered(answer), "GetCallerIdentity")
    assert record["userIdentity"] == {"type": "Unknown"}
    assert record["errorCode"] == "MissingAuthenticationToken"

    answer = requests.sign(requests.ssm_call("MakeCoffee"), server).send(server)
    record = event(server, answered(answer), "MakeCoffee")
    assert (record["errorCode"], record["eventSource"]) == ("UnknownOperationException", "ssm.amazonaws.com")


def test_a_sessions_life_is_recorded_from_start_to_end(server, node, lab):
    session = lab.session(node, reason="INC-4711")
    session.run("echo on the record")
    [started] = [r for r in events(server, "ResourceName", session.id) if r["eventName"] == "StartSession"]
    assert started["requestParameters"] == {"target": node.node_id, "reason": "INC-4711"}
    assert started["responseElements"]["tokenValue"] == "Value hidden due to security reasons."
    assert {resource["type"] for resource in started["resources"]} == {
        "AWS::SSM::Document",
        "AWS::SSM::ManagedInstance",
        "AWS::SSM::Session",
    }
    session.terminate()

    def ended():
        return [r for r in events(server, "ResourceName", session.id) if r["eventName"] == "SessionEnded"]

    [end] = eventually(ended, "the session's end is on the trail")
    details = end["serviceEventDetails"]
    assert end["eventType"] == "AwsServiceEvent" and end["userIdentity"]["userName"] == "admin"
    assert details["endReason"] == "user" and details["durationMs"] >= 0
    assert details["bytesIn"] > 0 and details["bytesOut"] > 0
    [log] = details["logs"]
    side = json.loads((server.data / "recordings" / f"{session.id}.json").read_text())
    assert (log["sha256"], log["location"]) == (side["sha256"], f"recordings/{session.id}.cast")
    [file] = details["recording"]
    assert (file["file"], file["bytes"], file["sha256"]) == (f"{session.id}.cast", side["bytes"], side["sha256"])
    names = [r["eventName"] for r in events(server, "ResourceName", session.id)]
    assert names.count("SessionConnected") == 2
    assert {"StartSession", "TerminateSession", "SessionEnded"} <= set(names)


def test_a_recording_is_vouched_for_while_its_session_runs(lab):
    server = lab.server({"POSTERN_AUDIT_RECORDING_INTERVAL": "1s"}).start()
    node = lab.node(server)
    session = lab.session(node)
    cast = server.data / "recordings" / f"{session.id}.cast"

    def progress(more_than: int):
        """The records of the hash so far, oldest first, once there are more than so many."""
        found = [r for r in events(server, "ResourceName", session.id) if r["eventName"] == "SessionRecordingProgress"]
        found.sort(key=lambda record: record["serviceEventDetails"]["recording"][0]["bytes"])
        return len(found) > more_than and found

    session.run("echo first")
    before = eventually(lambda: progress(0), "the hash so far is on the trail")
    session.run("echo second")
    after = eventually(lambda: progress(len(before)), "it is told again after more output")
    written = cast.read_bytes()
    assert b"first" in written and b"second" in written
    seen = []
    for record in after:
        assert record["eventType"] == "AwsServiceEvent" and record["userIdentity"]["userName"] == "admin"
        details = record["serviceEventDetails"]
        assert (details["sessionId"], details["target"]) == (session.id, node.node_id)
        [file] = details["recording"]
        assert (file["type"], file["file"]) == ("asciicast", cast.name)
        assert file["sha256"] == hashlib.sha256(written[: file["bytes"]]).hexdigest()
        seen.append(file["bytes"])
    assert seen == sorted(set(seen)) and seen[-1] <= len(written)
    # Without output there is nothing new to vouch for.
    quiet_until = time.monotonic() + 2.5
    while time.monotonic() < quiet_until:
        assert len(progress(0)) == len(after)
    session.terminate()
    eventually(lambda: session.described()["Status"] == "Terminated", "its end is on record")
    # What is on the chain counts: a byte that was vouched for while the session ran is not changed unnoticed.
    server.stop()
    place = written.index(b"first")
    cast.write_bytes(written[:place] + b"F" + cast.read_bytes()[place + 1 :])
    done = subprocess.run([binary("postern"), "verify", str(server.data)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and cast.name in done.stdout + done.stderr, done.stdout + done.stderr


def test_secrets_are_nowhere_on_the_trail(server, node, lab):
    session = lab.session(node)
    code = server.activation().code
    session.terminate()
    trail = chain_text(server)
    for secret in (code, session.token, requests.credentials(server).secret_key):
        assert secret.encode() not in trail


def test_what_is_given_to_a_command_is_hidden(server, node, lab):
    name, line = "AWS-StartInteractiveCommand", "echo hunter2"
    started = channel.start(server, node.node_id, name, {"command": [line]})
    [record] = [r for r in events(server, "ResourceName", started["SessionId"]) if r["eventName"] == "StartSession"]
    assert record["requestParameters"]["parameters"] == HIDDEN
    assert b"hunter2" not in chain_text(server)
    server.client().terminate_session(SessionId=started["SessionId"])


def test_what_nodes_do_over_and_over_is_counted(server):
    node = Node(server).joined()
    for _ in range(3):
        assert node.create_channel("control-channel", node.id).status == 201
    records = [r for r in events(server, "ResourceName", node.id) if r["eventName"] == "CreateControlChannel"]
    assert len(records) == 1
    # A change is none of it.
    named = [r for r in events(server, "EventName", "RegisterManagedInstance")]
    assert any(r.get("responseElements") == {"instanceId": node.id} for r in named)


def test_pages_and_wrong_questions(server, ssm):
    for _ in range(3):
        ssm.list_documents()
    cloudtrail = server.client("cloudtrail", validate=False)
    asked = {"LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": "ListDocuments"}], "MaxResults": 1}
    first = cloudtrail.lookup_events(**asked)
    second = cloudtrail.lookup_events(**asked, NextToken=first["NextToken"])
    assert first["Events"][0]["EventId"] != second["Events"][0]["EventId"]
    assert first["Events"][0]["EventTime"] >= second["Events"][0]["EventTime"]
    attribute = {"AttributeKey": "Username", "AttributeValue": "admin"}
    now = datetime.datetime.now(datetime.UTC)
    for wrong, code in [
        ({"LookupAttributes": [attribute, attribute]}, "InvalidLookupAttributesException"),
        ({"NextToken": first["NextToken"]}, "InvalidNextTokenException"),
        ({"StartTime": now, "EndTime": now - datetime.timedelta(hours=1)}, "InvalidTimeRangeException"),
    ]:
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            cloudtrail.lookup_events(**wrong)
        assert refused.value.response["Error"]["Code"] == code


def test_the_record_is_there_when_the_answer_is(lab):
    server = lab.server().start()
    created = server.client().create_activation(IamRole="PosternNode", Description="before the answer")
    server.kill()
    assert created["ResponseMetadata"]["RequestId"].encode() in chain_text(server)
    server.start()
    assert event(server, created["ResponseMetadata"]["RequestId"], "CreateActivation")
    server.stop()


def test_a_full_disk_under_the_trail_stops_every_call(lab):
    server = lab.server()
    server.data.mkdir(parents=True, mode=0o700)
    with small_disk(server.data / "audit", "4m") as disk:
        server.start()
        ssm = server.client()
        ssm.create_activation(IamRole="PosternNode", Description="while there was room")
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        for _ in range(200):
            try:
                ssm.create_activation(IamRole="PosternNode", Description="without room")
            except botocore.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] == "InternalServerError"
                break
        else:
            raise AssertionError("nothing fails on a full disk")
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            ssm.describe_activations()
        assert refused.value.response["Error"]["Code"] == "InternalServerError"
        (disk / "filler").unlink()

        def sound():
            with contextlib.suppress(botocore.exceptions.ClientError):
                return ssm.describe_activations()["ActivationList"]

        activations = eventually(sound, "the trail is written again")
        # What was refused was not done: each that exists was answered, and is on the trail.
        succeeded = [r for r in events(server, "EventName", "CreateActivation") if "errorCode" not in r]
        assert len(activations) == len(succeeded)
        server.stop()


@dataclasses.dataclass
class Delivered:
    server: object
    logs: list
    digests: list

    def validate(self) -> subprocess.CompletedProcess:
        since = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        return aws(self.server, "cloudtrail", "validate-logs", "--trail-arn", TRAIL, "--start-time", since, "--verbose")


@pytest.fixture(scope="module")
def quick_server(shared_lab):
    """One that delivers every second."""
    return shared_lab.server(environment=QUICK).start()


@pytest.fixture
def delivered(quick_server) -> Delivered:
    """Three log files with digests behind them."""
    objects = quick_server.data / "audit" / "objects" / "postern-audit"

    def found(kind: str):
        return sorted(objects.glob(f"AWSLogs/{ACCOUNT}/{kind}/**/*.json.gz"), key=lambda path: path.name)

    def enough():
        quick_server.client().list_documents()
        digests = found("CloudTrail-Digest")
        named = {
            file["s3Object"].rpartition("/")[2]
            for digest in digests
            for file in json.loads(gzip.decompress(digest.read_bytes()))["logFiles"]
        }
        # A file of which no digest speaks yet could be changed and nobody would know.
        logs = [log for log in found("CloudTrail") if log.name in named]
        return len(logs) >= 3 and Delivered(quick_server, logs, digests)

    return eventually(enough, "log files and digests are delivered", 60)


def test_awss_own_tool_finds_the_trail_valid(delivered):
    done = delivered.validate()
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^(\d+)/\1 digest files valid", done.stdout, re.M), done.stdout
    assert re.search(r"^(\d+)/\1 log files valid", done.stdout, re.M), done.stdout


def test_a_changed_log_file_is_reported(delivered):
    log = delivered.logs[0]
    original = log.read_bytes()
    log.write_bytes(gzip.compress(gzip.decompress(original).replace(b"eventName", b"eventNamf")))
    try:
        done = delivered.validate()
    finally:
        log.write_bytes(original)
    assert done.returncode == 1
    assert f"{log.name}\tINVALID: hash value doesn't match" in done.stderr


def test_a_removed_log_file_is_reported(delivered):
    log = delivered.logs[1]
    original = log.read_bytes()
    log.unlink()
    try:
        done = delivered.validate()
    finally:
        log.write_bytes(original)
    assert done.returncode == 1 and f"{log.name}\tINVALID: not found" in done.stderr


def test_exchanged_log_files_are_reported(delivered):
    one, other = delivered.logs[0], delivered.logs[1]
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second), other.write_bytes(first)
    try:
        done = delivered.validate()
    finally:
        one.write_bytes(first), other.write_bytes(second)
    assert done.returncode == 1
    assert done.stderr.count("INVALID: hash value doesn't match") == 2


def test_a_changed_and_a_removed_digest_are_reported(delivered):
    digest = delivered.digests[len(delivered.digests) // 2]
    original = digest.read_bytes()
    changed = json.loads(gzip.decompress(original)) | {"logFiles": []}
    digest.write_bytes(gzip.compress(json.dumps(changed).encode()))
    try:
        altered = delivered.validate()
        digest.unlink()
        removed = delivered.validate()
    finally:
        digest.write_bytes(original)
    assert altered.returncode == 1 and f"{digest.name}\tINVALID: signature verification failed" in altered.stderr
    assert removed.returncode == 1 and f"{digest.name}\tINVALID: not found" in removed.stderr
    assert delivered.validate().returncode == 0


def test_the_store_can_be_read_as_a_bucket_and_not_written(quick_server, delivered):
    s3 = quick_server.client("s3")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["postern-audit"]
    listed = s3.get_paginator("list_objects_v2").paginate(Bucket="postern-audit", PaginationConfig={"PageSize": 2})
    keys = [found["Key"] for page in listed for found in page.get("Contents", [])]
    assert keys == sorted(keys) and any(key.endswith(delivered.digests[0].name) for key in keys)
    digest = next(key for key in keys if key.endswith(delivered.digests[0].name))
    got = s3.get_object(Bucket="postern-audit", Key=digest)
    assert got["Body"].read() == delivered.digests[0].read_bytes()
    assert got["Metadata"]["signature-algorithm"] == "SHA256withRSA" and got["Metadata"]["signature"]
    assert s3.head_object(Bucket="postern-audit", Key=digest)["ContentLength"] == got["ContentLength"]
    record = event(quick_server, got["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"], "GetObject")
    assert record["requestParameters"] == {"bucketName": "postern-audit", "key": digest}
    assert (record["eventCategory"], record["managementEvent"]) == ("Data", False)
    for refused, code in [
        (lambda: s3.put_object(Bucket="postern-audit", Key="new", Body=b"x"), "MethodNotAllowed"),
        (lambda: s3.delete_object(Bucket="postern-audit", Key=digest), "MethodNotAllowed"),
        (lambda: s3.get_object(Bucket="postern-audit", Key="../../postern.db"), "NoSuchKey"),
        (lambda: s3.get_object(Bucket="elsewhere", Key="x"), "NoSuchBucket"),
    ]:
        with pytest.raises(botocore.exceptions.ClientError) as error:
            refused()
        assert error.value.response["Error"]["Code"] == code
    assert delivered.digests[0].exists()
    presigned = AWSRequest("GET", f"{quick_server.local_url}/postern-audit/{digest}")
    keys = requests.credentials(quick_server)
    botocore.auth.S3SigV4QueryAuth(keys, "s3", "us-east-1", expires=60).add_auth(presigned)
    path = presigned.url.removeprefix(quick_server.local_url)
    answer = requests.Request(method="GET", path=path).send(quick_server)
    assert (answer.status, answer.body) == (200, delivered.digests[0].read_bytes())


def test_nobody_reads_the_store_without_leave(quick_server, delivered):
    node = Node(quick_server).joined()
    keys = node.role
    path = f"/postern-audit/{delivered.logs[0].relative_to(quick_server.data / 'audit/objects/postern-audit')}"
    request = requests.Request(method="GET", path=path)
    denied = requests.sign(request, quick_server, "s3", auth=botocore.auth.S3SigV4Auth(keys, "s3", "us-east-1"))
    answer = denied.send(quick_server)
    assert (answer.status, answer.code) == (403, "AccessDenied"), answer.body
    assert b"s3:GetObject" in answer.body
    wrong = botocore.credentials.ReadOnlyCredentials(requests.credentials(quick_server).access_key, "x" * 40, None)
    forged = requests.sign(request, quick_server, "s3", auth=botocore.auth.S3SigV4Auth(wrong, "s3", "us-east-1"))
    answer = forged.send(quick_server)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert requests.Request(method="GET", path=path).send(quick_server).status == 404


def test_an_auditor_may_verify_and_nothing_else(quick_server, delivered):
    bucket = "arn:aws:s3:::postern-audit"
    auditor = Person(
        quick_server,
        allow(["cloudtrail:DescribeTrails", "cloudtrail:ListPublicKeys"]),
        allow(["s3:GetBucketLocation", "s3:ListBucket"], bucket),
        allow("s3:GetObject", f"{bucket}/AWSLogs/*"),
    )
    since = (datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    done = auditor.aws("cloudtrail", "validate-logs", "--trail-arn", TRAIL, "--start-time", since)
    assert done.returncode == 0 and "INVALID" not in done.stdout, done.stdout + done.stderr
    done = auditor.aws("cloudtrail", "lookup-events")
    assert done.returncode != 0 and "AccessDenied" in done.stderr
    key = str(delivered.logs[0].relative_to(quick_server.data / "audit/objects/postern-audit"))
    denied = Person(quick_server, allow("s3:*", f"{bucket}/Elsewhere/*"))
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        denied.client("s3").get_object(Bucket="postern-audit", Key=key)
    assert refused.value.response["Error"]["Code"] == "AccessDenied"
    [record] = [r for r in events(quick_server, "AccessKeyId", denied.key) if r["eventName"] == "GetObject"]
    assert (record["errorCode"], record["userIdentity"]["userName"]) == ("AccessDenied", denied.name)


def test_the_trail_is_verified_offline(lab):
    server = lab.server(environment=QUICK).start()
    server.client().list_documents()
    server.stop()
    arguments = [binary("postern"), "verify", str(server.data / "audit")]
    good = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert good.returncode == 0, good.stdout + good.stderr
    segment = next(iter(sorted((server.data / "audit" / "chain").iterdir())))
    segment.write_bytes(segment.read_bytes().replace(b"ListDocuments", b"ListDocumentz", 1))
    bad = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert bad.returncode != 0 and segment.name in bad.stdout + bad.stderr


def test_recordings_are_verified_with_the_data_directory(lab):
    server = lab.server(environment=QUICK).start()
    session = lab.session(lab.node(server))
    session.run("echo on the record")
    session.terminate()
    eventually(lambda: events(server, "EventName", "SessionEnded"), "the session's end is on the trail")
    server.stop()
    arguments = [binary("postern"), "verify", str(server.data)]
    good = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert good.returncode == 0 and "1 recordings" in good.stdout, good.stdout + good.stderr
    cast = server.data / "recordings" / f"{session.id}.cast"
    cast.write_bytes(cast.read_bytes().replace(b"on the record", b"on the rexord", 1))
    bad = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert bad.returncode == 1 and cast.name in bad.stdout, bad.stdout + bad.stderr


def test_a_crash_in_the_midst_of_changes_leaves_none_unrecorded(lab):
    server = lab.server().start()
    ssm, answered_ids = server.client(), []

    def create():
        with contextlib.suppress(botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            while True:
                made = ssm.create_activation(IamRole="PosternNode", Description="in the midst")
                answered_ids.append(made["ResponseMetadata"]["RequestId"])

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(create) for _ in range(4)]
        eventually(lambda: len(answered_ids) > 40, "calls are being answered")
        server.kill()
    assert all(call.done() for call in calls)
    server.start()
    records = events(server, "EventName", "CreateActivation")
    by_request = {record["requestID"]: record for record in records}
    assert len(by_request) == len(records)
    for request_id in answered_ids:
        assert "errorCode" not in by_request[request_id]
    # Each that exists has a record: of its success, or that nobody knows what became of it.
    pages = server.client().get_paginator("describe_activations").paginate()
    made = sum(len(page["ActivationList"]) for page in pages)
    unknown = [record for record in records if record.get("errorCode") == "OutcomeUnknown"]
    succeeded = [record for record in records if "errorCode" not in record]
    assert len(succeeded) <= made <= len(succeeded) + len(unknown)
    server.stop()
