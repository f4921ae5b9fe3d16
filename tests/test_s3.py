"""Buckets and objects, through the AWS CLI and boto3."""

import datetime
import hashlib
import hmac
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3.s3.transfer
import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError
from harness import requests
from harness.node import Node
from harness.people import Person, allow, deny, document
from harness.programs import REGION, SCRIPTS

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def s3(server):
    return server.client("s3")


@pytest.fixture
def bucket(s3, request):
    """A bucket of the test's own, empty."""
    name = "t-" + hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:20]
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="module")
def admin(server):
    return Person(server, allow("s3:*"))


def code(call) -> str:
    with pytest.raises(ClientError) as error:
        call()
    return error.value.response["Error"]["Code"]


def keys(s3, bucket, **arguments) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, **arguments).get("Contents", [])]


def test_the_cli_copies_lists_and_removes(admin, tmp_path):
    big = tmp_path / "big"
    big.write_bytes(os.urandom(20 * MIB + 17))
    (tmp_path / "tree/below").mkdir(parents=True)
    for name in ("one", "below/two", "below/späce und ü"):
        (tmp_path / "tree" / name).write_text(name)

    def aws(*arguments):
        done = admin.aws("s3", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "make_bucket: by-cli" in aws("mb", "s3://by-cli")
    aws("cp", str(big), "s3://by-cli/big")
    aws("cp", "s3://by-cli/big", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    aws("sync", str(tmp_path / "tree"), "s3://by-cli/tree")
    listed = aws("ls", "--recursive", "s3://by-cli")
    assert {line.split(None, 3)[3] for line in listed.splitlines()} == {
        "big",
        "tree/one",
        "tree/below/two",
        "tree/below/späce und ü",
    }
    assert "PRE below/" in aws("ls", "s3://by-cli/tree/")
    aws("cp", "s3://by-cli/big", "s3://by-cli/copy")
    aws("mv", "s3://by-cli/copy", "s3://by-cli/moved")
    aws("rm", "--recursive", "s3://by-cli/tree")
    assert [line.split()[3] for line in aws("ls", "s3://by-cli").splitlines()] == ["big", "moved"]
    refused = admin.aws("s3", "rb", "s3://by-cli")
    assert "BucketNotEmpty" in refused.stderr
    aws("rb", "--force", "s3://by-cli")
    assert "by-cli" not in aws("ls")


def test_the_cli_presigns(server, bucket, s3):
    s3.put_object(Bucket=bucket, Key="k", Body=b"for whoever has the link", ContentType="text/html")
    made = subprocess.run(
        ["aws", "s3", "presign", f"s3://{bucket}/k", "--expires-in", "60"],
        env=server.client_environment(PATH=f"{SCRIPTS}:{os.environ['PATH']}"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert made.returncode == 0, made.stderr
    url = made.stdout.strip()
    context = server.tls()
    with urllib.request.urlopen(url, context=context) as answer:
        assert answer.read() == b"for whoever has the link"
        # From the console's own host: it must not become a page of it.
        assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    last = "1" if url.endswith("0") else "0"
    for altered in (url.replace("/k?", "/other?"), url.replace("Expires=60", "Expires=6000"), url[:-1] + last):
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(altered, context=context)
        assert error.value.code == 403
        assert b"SignatureDoesNotMatch" in error.value.read()


def test_a_presigned_upload_and_one_that_is_over(server, s3, bucket):
    context = server.tls()

    def put(url, body=b"by link"):
        request = urllib.request.Request(url, data=body, method="PUT")
        return urllib.request.urlopen(request, context=context).status

    def sign(seconds):
        return s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "k"}, ExpiresIn=seconds)

    assert put(sign(60)) == 200
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"by link"
    late = sign(1)
    time.sleep(2.1)
    with pytest.raises(urllib.error.HTTPError) as error:
        put(late)
    assert error.value.code == 403
    assert b"Signature expired" in error.value.read()


def test_chunks_that_are_signed(server, s3, bucket):
    """As older SDKs upload: each chunk has a signature that covers the one before."""
    credentials = server.botocore_session().get_credentials()

    def upload(tamper=lambda body: body):
        chunks = [b"a" * 65_536, b"b" * 100, b""]
        request = AWSRequest(
            "PUT",
            f"{server.local_url}/{bucket}/chunked",
            headers={
                "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                "x-amz-decoded-content-length": str(sum(map(len, chunks))),
                "content-encoding": "aws-chunked",
            },
        )
        signer = ChunkedAuth(credentials, "s3", REGION)
        signer.add_auth(request)
        body = b"".join(signer.chunk(chunk) for chunk in chunks) + b"\r\n"
        sending = urllib.request.Request(
            request.url, data=tamper(body), method="PUT", headers=dict(request.headers.items())
        )
        return urllib.request.urlopen(sending, context=server.tls()).status

    assert upload() == 200
    assert s3.get_object(Bucket=bucket, Key="chunked")["Body"].read() == b"a" * 65_536 + b"b" * 100
    s3.delete_object(Bucket=bucket, Key="chunked")
    for tamper in (
        lambda body: body.replace(b"bb", b"bc"),
        lambda body: body.replace(b"chunk-signature=", b"chunk-signature=0", 1),
    ):
        with pytest.raises(urllib.error.HTTPError) as error:
            upload(tamper)
        assert error.value.code == 403 and b"SignatureDoesNotMatch" in error.value.read()
    assert keys(s3, bucket) == []


class ChunkedAuth(SigV4Auth):
    """Signs a request, and then the chunks of its body."""

    def payload(self, request):
        return request.headers["x-amz-content-sha256"]

    def signature(self, string_to_sign, request):
        self.previous, self.time = super().signature(string_to_sign, request), request.context["timestamp"]
        return self.previous

    def chunk(self, data: bytes) -> bytes:
        scope = f"{self.time[:8]}/{REGION}/s3/aws4_request"
        digests = [hashlib.sha256(part).hexdigest() for part in (b"", data)]
        text = "\n".join(["AWS4-HMAC-SHA256-PAYLOAD", self.time, scope, self.previous, *digests])
        key = ("AWS4" + self.credentials.secret_key).encode()
        for part in (*scope.split("/"), text):
            key = hmac.digest(key, part.encode(), "sha256")
        self.previous = key.hex()
        end = b"\r\n" if data else b""
        return f"{len(data):x};chunk-signature={self.previous}\r\n".encode() + data + end


def test_an_upload_in_parts(s3, bucket, tmp_path):
    body = os.urandom(13 * MIB)
    path = tmp_path / "body"
    path.write_bytes(body)
    config = boto3.s3.transfer.TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_file(str(path), bucket, "k", ExtraArgs={"Metadata": {"who": "me"}}, Config=config)
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head["ContentLength"] == len(body)
    assert head["ETag"].endswith('-3"')
    assert head["ChecksumCRC32"].endswith("-3")
    assert head["Metadata"] == {"who": "me"}
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body
    part = s3.get_object(Bucket=bucket, Key="k", Range=f"bytes={5 * MIB - 3}-{5 * MIB + 2}")
    assert part["Body"].read() == body[5 * MIB - 3 : 5 * MIB + 3]


def test_a_completion_that_is_sent_again_is_answered_again(s3, bucket):
    """As a client does that missed the answer."""
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=1, Body=b"all")
    named = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    complete = lambda: s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload=named)  # noqa: E731
    assert complete()["ETag"] == complete()["ETag"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"another")
    with pytest.raises(ClientError, match="NoSuchUpload"):
        complete()


def test_a_part_of_an_object_is_described_as_one(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    head = s3.head_object(Bucket=bucket, Key="k", Range="bytes=2-5")
    assert (head["ResponseMetadata"]["HTTPStatusCode"], head["ContentRange"]) == (206, "bytes 2-5/10")
    assert s3.head_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_description_that_is_too_long_is_said_to_be(server, bucket):
    for method, path in [("PUT", f"/{bucket}-2"), ("POST", f"/{bucket}?delete")]:
        request = requests.Request(method=method, path=path, body=b" " * (2 * MIB + 1))
        auth = S3SigV4Auth(requests.credentials(server), "s3", REGION)
        answer = requests.sign(request, server, "s3", auth=auth).send(server)
        assert (answer.status, answer.code) == (400, "MaxMessageLengthExceeded"), answer.body


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums(s3, bucket, algorithm):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"checked", ChecksumAlgorithm=algorithm)
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert got["Body"].read() == b"checked"
    name = f"Checksum{algorithm}"
    assert code(lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"changed", **{name: got[name]})) == "BadDigest"
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"checked"


def test_a_stream_of_unknown_hash(s3, bucket):
    """SDKs send what they cannot read twice in chunks, with the checksum behind it."""

    class Once:
        def __init__(self, data):
            self.left = [data[n : n + 100_000] for n in range(0, len(data), 100_000)]
            self.length = len(data)

        def read(self, _=-1):
            return self.left.pop(0) if self.left else b""

        def __len__(self):
            return self.length

    body = os.urandom(3 * MIB)
    s3.put_object(Bucket=bucket, Key="k", Body=Once(body), ContentLength=len(body))
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body


def test_keys_are_only_names(s3, server, bucket):
    odd = ["../../postern.db", "/etc/passwd", "a//b", "a/./b", "..", ".", "\u202e evil", "q?x=1&y#z", "a+b %20", "x" * 1024]
    for key in odd:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert sorted(keys(s3, bucket)) == sorted(odd)
    for key in odd:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode(), key
    assert code(lambda: s3.put_object(Bucket=bucket, Key="x" * 1025, Body=b"")) == "KeyTooLongError"
    files = [path for path in (server.data / "objects").rglob("*") if path.is_file()]
    assert all(len(path.name) == 32 for path in files), files


def test_listings(s3, bucket):
    for n in range(25):
        s3.put_object(Bucket=bucket, Key=f"d{n % 5}/k{n:02}", Body=b"")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 4})
    assert len([each for page in pages for each in page["Contents"]]) == 25
    pages = s3.get_paginator("list_objects").paginate(Bucket=bucket, Prefix="d3/", PaginationConfig={"PageSize": 2})
    assert [each["Key"] for page in pages for each in page["Contents"]] == [f"d3/k{n:02}" for n in range(3, 25, 5)]
    top = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [each["Prefix"] for each in top["CommonPrefixes"]] == [f"d{n}/" for n in range(5)]


def test_several_are_removed_at_once(s3, bucket):
    for key in ("a", "b", "c"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    gone = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in ("a", "b", "never")]})
    assert [each["Key"] for each in gone["Deleted"]] == ["a", "b", "never"]
    assert keys(s3, bucket) == ["c"]
    many = [{"Key": f"{'x' * 900}{n}"} for n in range(1000)]
    assert "Errors" not in s3.delete_objects(Bucket=bucket, Delete={"Objects": many})


def test_what_is_refused(s3, bucket):
    for call, expected in [
        (lambda: s3.get_object(Bucket=bucket, Key="none"), "NoSuchKey"),
        (lambda: s3.get_object(Bucket="nowhere-at-all", Key="k"), "NoSuchBucket"),
        (lambda: s3.put_object(Bucket="nowhere-at-all", Key="k", Body=b""), "NoSuchBucket"),
        (lambda: s3.create_bucket(Bucket=bucket), "BucketAlreadyOwnedByYou"),
        (lambda: s3.create_bucket(Bucket="postern-audit"), "BucketAlreadyExists"),
        (lambda: s3.create_bucket(Bucket="x" * 64), "InvalidBucketName"),
        (
            lambda: s3.create_bucket(
                Bucket="elsewhere", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
            ),
            "IllegalLocationConstraintException",
        ),
        (
            lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="aws:kms"),
            "InvalidArgument",
        ),
        (lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="a=b"), "NotImplemented"),
        (lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"", ACL="public-read"), "AccessControlListNotSupported"),
        (
            lambda: s3.put_object(Bucket=bucket, Key="k", Body=b"", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32),
            "NotImplemented",
        ),
        (lambda: s3.get_object(Bucket=bucket, Key="k", VersionId="other"), "NoSuchVersion"),
        (lambda: s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId="0"), "NoSuchUpload"),
        (lambda: s3.put_bucket_acl(Bucket=bucket, ACL="public-read"), "AccessDenied"),
    ]:
        assert code(call) == expected
    assert keys(s3, bucket) == []


def test_what_is_retained_stays(server, s3):
    s3.create_bucket(Bucket="retained", ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}}
    s3.put_object_lock_configuration(
        Bucket="retained", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    assert s3.get_object_lock_configuration(Bucket="retained")["ObjectLockConfiguration"]["Rule"] == rule
    s3.put_object(Bucket="retained", Key="k", Body=b"kept")
    kept = s3.get_object_retention(Bucket="retained", Key="k")["Retention"]
    assert kept["Mode"] == "COMPLIANCE"
    for call in (
        lambda: s3.delete_object(Bucket="retained", Key="k"),
        lambda: s3.delete_object(Bucket="retained", Key="k", BypassGovernanceRetention=True),
        lambda: s3.put_object(Bucket="retained", Key="k", Body=b"forged"),
        lambda: s3.copy_object(Bucket="retained", Key="k", CopySource="retained/other"),
    ):
        assert code(call) in ("AccessDenied", "NoSuchKey")
    assert s3.get_object(Bucket="retained", Key="k")["Body"].read() == b"kept"

    until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    governed = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
    s3.put_object(Bucket="retained", Key="g", Body=b"x", **governed)
    weaker = Person(server, allow("s3:*"), deny("s3:BypassGovernanceRetention")).client("s3")
    assert code(lambda: weaker.delete_object(Bucket="retained", Key="g")) == "AccessDenied"
    assert code(lambda: weaker.delete_object(Bucket="retained", Key="g", BypassGovernanceRetention=True)) == "AccessDenied"
    s3.delete_object(Bucket="retained", Key="g", BypassGovernanceRetention=True)


def test_policies_decide(server, s3, bucket):
    s3.put_object(Bucket=bucket, Key="mine/a", Body=b"a")
    s3.put_object(Bucket=bucket, Key="other/b", Body=b"b")
    arn = f"arn:aws:s3:::{bucket}"
    person = Person(
        server,
        allow("s3:ListBucket", arn, Condition={"StringLike": {"s3:prefix": "mine/*"}}),
        allow(["s3:GetObject", "s3:PutObject"], f"{arn}/mine/*"),
    )
    mine = person.client("s3")
    assert keys(mine, bucket, Prefix="mine/") == ["mine/a"]
    mine.put_object(Bucket=bucket, Key="mine/c", Body=b"c")
    for call in (
        lambda: mine.list_objects_v2(Bucket=bucket),
        lambda: mine.get_object(Bucket=bucket, Key="other/b"),
        lambda: mine.put_object(Bucket=bucket, Key="other/c", Body=b""),
        lambda: mine.copy_object(Bucket=bucket, Key="mine/stolen", CopySource=f"{bucket}/other/b"),
        lambda: mine.delete_object(Bucket=bucket, Key="mine/a"),
        lambda: mine.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "mine/a"}]}),
        lambda: mine.create_multipart_upload(Bucket=bucket, Key="other/d"),
        lambda: mine.delete_bucket(Bucket=bucket),
    ):
        assert code(call) == "AccessDenied"
    assert keys(s3, bucket) == ["mine/a", "mine/c", "other/b"]


def test_a_node_writes_its_own_sessions_logs_once(server, s3, bucket):
    iam = server.client("iam")
    iam.put_role_policy(
        RoleName="PosternNode",
        PolicyName="logs-to-a-bucket",
        PolicyDocument=document(allow(["s3:PutObject", "s3:ListBucket", "s3:GetEncryptionConfiguration"])),
    )

    def as_itself(node):
        role = node.role.get_frozen_credentials()
        return server.client(
            "s3",
            aws_access_key_id=role.access_key,
            aws_secret_access_key=role.secret_key,
            aws_session_token=role.token,
        )

    try:
        node = Node(server).joined().connected()
        mine, stranger = as_itself(node), as_itself(Node(server).joined())
        session = server.client().start_session(Target=node.id)["SessionId"]
        log = f"logs/{session}.log"
        mine.head_bucket(Bucket=bucket)
        assert mine.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert code(lambda: stranger.put_object(Bucket=bucket, Key=log, Body=b"forged")) == "AccessDenied"
        mine.put_object(Bucket=bucket, Key=log, Body=b"what happened", ACL="bucket-owner-full-control")
        assert code(lambda: mine.put_object(Bucket=bucket, Key=log, Body=b"rewritten")) == "PreconditionFailed"
        for call in (
            lambda: mine.put_object(Bucket=bucket, Key="logs/anything.log", Body=b""),
            lambda: mine.get_object(Bucket=bucket, Key=log),
            lambda: mine.delete_object(Bucket=bucket, Key=log),
            lambda: mine.list_objects_v2(Bucket=bucket),
        ):
            assert code(call) == "AccessDenied"
        assert s3.get_object(Bucket=bucket, Key=log)["Body"].read() == b"what happened"
    finally:
        iam.delete_role_policy(RoleName="PosternNode", PolicyName="logs-to-a-bucket")


def test_a_node_uploads_no_more_than_it_may(lab):
    server = lab.server({"POSTERN_LIMITS_NODE_UPLOAD_BYTES_PER_HOUR_MAX": str(MIB)}).start()
    server.client("s3").create_bucket(Bucket="logs")
    actions = ["s3:PutObject", "logs:CreateLogStream", "logs:PutLogEvents"]
    server.client("iam").put_role_policy(
        RoleName="PosternNode", PolicyName="logs", PolicyDocument=document(allow(actions))
    )
    server.client("logs").create_log_group(logGroupName="g")
    node = Node(server).joined().connected()
    role = node.role.get_frozen_credentials()
    mine = {
        "aws_access_key_id": role.access_key,
        "aws_secret_access_key": role.secret_key,
        "aws_session_token": role.token,
    }
    s3, logs = server.client("s3", **mine), server.client("logs", **mine)
    log = server.client().start_session(Target=node.id)["SessionId"]
    put = {"Bucket": "logs", "Key": f"{log}.log"}
    assert code(lambda: s3.put_object(Body=bytes(MIB + 1), **put)) == "EntityTooLarge"
    s3.put_object(Body=bytes(600 * 1024), **put)
    logs.create_log_stream(logGroupName="g", logStreamName=log)
    events = [{"timestamp": int(time.time() * 1000), "message": "x" * 600 * 1024}]
    batch = {"logGroupName": "g", "logStreamName": log, "logEvents": events}
    assert code(lambda: logs.put_log_events(**batch)) == "ThrottlingException"
    assert code(lambda: s3.put_object(Body=bytes(600 * 1024), **put)) == "SlowDown"
    # Others are not nodes.
    server.client("logs").put_log_events(**batch)


def test_nothing_acknowledged_is_lost(lab):
    """The server is killed in the middle of uploads."""
    server = lab.server().start()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="kept")
    acknowledged = {}

    def upload(worker):
        client = server.client("s3")
        for n in range(200):
            body = os.urandom(50_000)
            try:
                client.put_object(Bucket="kept", Key=f"{worker}/{n}", Body=body)
            except Exception:
                return
            acknowledged[f"{worker}/{n}"] = hashlib.sha256(body).digest()

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(upload, worker) for worker in range(4)]
        while len(acknowledged) < 40:
            pass
        os.kill(server.program.pid, signal.SIGKILL)
        [each.result() for each in running]
    server.program.wait()
    server.start()
    s3 = server.client("s3")
    for key, digest in acknowledged.items():
        assert hashlib.sha256(s3.get_object(Bucket="kept", Key=key)["Body"].read()).digest() == digest
    listed = [each["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket="kept") for each in page["Contents"]]
    files = [path for path in (server.data / "objects").rglob("*") if path.is_file()]
    assert len(files) == len(listed), "files without an object stay behind"
