"""No recording, no session: and nobody else notices."""

import contextlib
import os
import subprocess

import botocore.auth
import botocore.exceptions
import pytest
from harness import channel, requests
from harness.programs import REGION

MIB = 1 << 20
TOO_MUCH = bytes(12 * MIB)


@contextlib.contextmanager
def small_disk(path, size: str):
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    path.mkdir(parents=True, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "postern-test", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def test_a_full_disk_ends_the_session_with_a_reason(lab):
    server = lab.server()
    server.data.mkdir(parents=True, mode=0o700)
    with small_disk(server.data / "recordings", "512k"):
        server.start()
        node = lab.node(server)
        quiet = lab.session(node)
        quiet.run("true")
        session = lab.session(node)
        session.type("yes full\r")
        with pytest.raises(channel.Closed) as closed:
            session.until(lambda: False, "the end", 60)
        assert "record" in closed.value.output.lower(), closed.value.output
        assert session.described()["Status"] in ("Terminating", "Terminated", "Failed")
        assert server.program.is_running() and server.answers()
        assert node.is_connected()
        # With room again, sessions go on.
        for cast in (server.data / "recordings").glob(f"{session.id}.*"):
            cast.unlink()
        assert lab.session(node).run("echo again") == "again\n"
        server.stop()


def test_a_disk_that_is_full_from_the_start_refuses_the_session(lab):
    server = lab.server()
    server.data.mkdir(parents=True, mode=0o700)
    with small_disk(server.data / "recordings", "64k") as disk:
        server.start()
        node = lab.node(server)
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        with pytest.raises(botocore.exceptions.ClientError, match="InternalServerError"):
            lab.session(node)
        assert not server.client().describe_sessions(State="Active")["Sessions"]
        assert server.answers()
        (disk / "filler").unlink()
        assert lab.session(node).run("echo again") == "again\n"
        server.stop()


def upload_of_known_length(server) -> requests.Request:
    """It is refused before its body is read."""
    upload = requests.Request(method="PUT", path="/bucket/known", body=TOO_MUCH)
    return requests.sign(upload, server, "s3", auth=s3_auth(server))


def upload_of_unknown_length(server) -> requests.Request:
    """It is refused when the room is used up."""
    upload = requests.Request({"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}, method="PUT", path="/bucket/unknown")
    signed = requests.sign(upload, server, "s3", auth=s3_auth(server))
    signed.headers["Transfer-Encoding"] = "chunked"
    parts = [TOO_MUCH[at : at + MIB] for at in range(0, len(TOO_MUCH), MIB)]
    signed.body = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in [*parts, b""])
    return signed


def s3_auth(server) -> botocore.auth.S3SigV4Auth:
    return botocore.auth.S3SigV4Auth(requests.credentials(server), "s3", REGION)


def test_uploads_leave_room_for_everything_else(lab):
    server = lab.server({"POSTERN_LIMITS_FREE_DISK_BYTES_MIN": str(8 << 20)})
    server.data.mkdir(parents=True, mode=0o700)
    with small_disk(server.data / "objects", "16m") as disk:
        server.start()
        s3 = server.client("s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="small", Body=b"here")
        for key in ("big", "small"):
            with pytest.raises(botocore.exceptions.ClientError) as refused:
                s3.put_object(Bucket="bucket", Key=key, Body=TOO_MUCH)
            assert refused.value.response["Error"]["Code"] == "ServiceUnavailable"
        # These send all they have before they look for an answer.
        for upload in (upload_of_known_length(server), upload_of_unknown_length(server)):
            answer = upload.send(server)
            assert (answer.status, answer.code) == (503, "ServiceUnavailable"), answer.body
            assert answer.headers["connection"] == "close"
        files = [path for path in disk.rglob("*") if path.is_file()]
        assert len(files) == 1, "what was refused leaves nothing"
        assert s3.get_object(Bucket="bucket", Key="small")["Body"].read() == b"here"
        s3.put_object(Bucket="bucket", Key="fits", Body=bytes(4 << 20))
        server.stop()


def test_log_events_leave_room_for_everything_else(lab):
    server = lab.server({"POSTERN_LIMITS_FREE_DISK_BYTES_MIN": str(1 << 50)}).start()
    logs = server.client("logs")
    logs.create_log_group(logGroupName="g")
    with pytest.raises(botocore.exceptions.ClientError, match="ServiceUnavailableException"):
        logs.create_log_stream(logGroupName="g", logStreamName="s")
    assert lab.session(lab.node(server)).run("echo still") == "still\n"
