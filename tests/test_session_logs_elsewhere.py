"""Session logs in stores elsewhere: an S3 server and CloudWatch Logs that are not ours, and ones that check signatures."""

import socket

import boto3
import botocore.config
import botocore.exceptions
import pytest
from harness.people import Person, allow
from harness.programs import (
    REGION,
    SCRIPTS,
    Program,
    clean_environment,
    free_port,
    kill_group,
)
from harness.waiting import eventually
from test_session_logs import IMPATIENT, create, end, lines, log_object, refusal

MIB = 1024 * 1024


def credentials_file(directory, key: str, secret: str, mode: int = 0o600):
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "credentials"
    file.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    file.chmod(mode)
    return file


def settings(endpoint: str, credentials, ca_file=None) -> dict[str, str]:
    made = dict(IMPATIENT)
    for kind in ("S3", "CLOUDWATCH"):
        made[f"POSTERN_SESSION_LOGS_{kind}_ENDPOINT"] = endpoint
        made[f"POSTERN_SESSION_LOGS_{kind}_CREDENTIALS_FILE"] = str(credentials)
        if ca_file:
            made[f"POSTERN_SESSION_LOGS_{kind}_CA_CERTIFICATES"] = str(ca_file)
    return made


def both(server, name: str, bucket: str, group: str, **inputs) -> str:
    return create(
        server, name, s3BucketName=bucket, s3KeyPrefix="from/postern", cloudWatchLogGroupName=group,
        **({"cloudWatchEncryptionEnabled": False, "cloudWatchStreamingEnabled": True} | inputs),
    )  # fmt: skip


class Moto:
    """An S3 server and CloudWatch Logs by somebody else."""

    def __init__(self, directory):
        self.directory, self.port, self.program = directory, free_port(), None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Moto":
        self.directory.mkdir(parents=True, exist_ok=True)
        command = [
            str(SCRIPTS / "moto_server"),
            "-H",
            "127.0.0.1",
            "-p",
            str(self.port),
        ]
        self.program = Program("moto", command, self.directory / "moto.log", clean_environment())
        eventually(self.answers, "moto answers", 60)
        return self

    def answers(self) -> bool:
        try:
            self.client("s3").list_buckets()
        except botocore.exceptions.BotoCoreError:
            return False
        return True

    def client(self, service: str, validate: bool = True, session=None):
        config = botocore.config.Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, config=config,
            aws_access_key_id="independent", aws_secret_access_key="secret",
        )  # fmt: skip


@pytest.fixture
def moto(lab, tmp_path):
    moto = Moto(tmp_path / "moto")
    lab.closers.append(lambda: moto.program and kill_group(moto.program))
    return moto.start()


def test_an_independent_server_has_the_logs(lab, moto, tmp_path):
    credentials = credentials_file(tmp_path / "keys", "independent", "secret")
    server = lab.server(settings(moto.url, credentials)).start()
    node = lab.node(server)
    moto.client("s3").create_bucket(Bucket="elsewhere")
    moto.client("logs").create_log_group(logGroupName="/elsewhere")
    name = both(server, "Elsewhere", "elsewhere", "/elsewhere", s3EncryptionEnabled=False)
    session = lab.session(node, document=name)
    session.run("echo far''-away")
    eventually(
        lambda: "far-away" in lines(moto, "/elsewhere", session.id),
        "the line is there while it runs",
    )
    end(session)
    key = f"from/postern/{session.id}.log"
    found = eventually(lambda: log_object(moto, "elsewhere", key), "the log is there")
    assert found["ContentType"] == "text/plain" and b"far-away\r\n" in found["Body"].read()

    # Encryption is asked for over there.
    told = refusal(server, node, both(server, "Demanding", "no-such-bucket", "/elsewhere"))
    assert "unable to validate encryption on Amazon S3 bucket" in told and "no-such-bucket" in told
    told = refusal(server, node, both(server, "Demanding-more", "elsewhere", "/elsewhere"))
    assert "encryption is not set up on the selected Amazon S3 bucket" in told
    told = refusal(server, node, both(server, "Keyed", "elsewhere", "/elsewhere", s3EncryptionEnabled=False,
                                      cloudWatchEncryptionEnabled=True))  # fmt: skip
    assert "encryption is not set up on the selected CloudWatch Logs log group" in told

    # A long one goes in parts.
    session = lab.session(
        node,
        document=create(server, "Long", s3BucketName="elsewhere", s3EncryptionEnabled=False),
    )
    session.type("stty -echo; head -c 20000000 /dev/zero | tr '\\0' x; echo; echo en''d; exit\n")
    session.reason(120)
    found = eventually(
        lambda: log_object(moto, "elsewhere", f"{session.id}.log"),
        "the long log is there",
        60,
    )
    assert found["ETag"].strip('"').endswith("-3"), "in three parts"
    assert found["Body"].read().count(b"x") >= 20_000_000


@pytest.fixture
def other(lab):
    """Another server of ours, which checks signatures, behind TLS."""
    server = lab.server().start()
    server.client("s3").create_bucket(Bucket="central")
    server.client("logs").create_log_group(logGroupName="/central")
    return server


def test_requests_are_signed_and_a_store_that_is_away_is_waited_for(lab, other, tmp_path):
    person = Person(other, allow(["s3:*", "logs:*"]))
    credentials = credentials_file(tmp_path / "keys", person.key, person.secret)
    server = lab.server(settings(other.local_url, credentials, other.ca_file)).start()
    node = lab.node(server)
    name = both(server, "Central", "central", "/central")
    session = lab.session(node, document=name)
    session.run("echo while''-it-is-there")
    eventually(
        lambda: "while-it-is-there" in lines(other, "/central", session.id),
        "the line is there",
    )
    other.stop()
    session.run("echo while''-it-is-away")
    eventually(lambda: "it is tried again" in server.program.logged(), "an attempt has failed")
    assert session.run("echo the session''-goes-on") == "the session-goes-on\n"
    end(session)
    told = refusal(server, node, name)
    assert told.startswith("Couldn't start the session because we are unable to validate encryption")
    other.start()
    found = eventually(
        lambda: log_object(other, "central", f"from/postern/{session.id}.log"),
        "the log is there",
        60,
    )
    text = found["Body"].read().decode()
    for shown in ("while-it-is-there", "while-it-is-away", "the session-goes-on"):
        assert f"{shown}\r\n" in text
        eventually(
            lambda shown=shown: shown in lines(other, "/central", session.id),
            f"{shown} is streamed",
            60,
        )


def test_refused_credentials_are_told_of_and_can_be_mended(lab, other, tmp_path):
    person = Person(other, allow(["s3:*", "logs:*"]))
    file = credentials_file(tmp_path / "keys", person.key, "not-the-secret")
    server = lab.server(settings(other.local_url, file, other.ca_file)).start()
    node = lab.node(server)
    told = refusal(server, node, both(server, "Checked", "central", "/central"))
    assert "refuses" in told
    session = lab.session(
        node,
        document=both(server, "Unchecked", "central", "/central", s3EncryptionEnabled=False),
    )
    end(session)
    eventually(lambda: "SignatureDoesNotMatch" in server.program.logged(), "why is in the log")
    credentials_file(tmp_path / "keys", person.key, person.secret, mode=0o644)
    eventually(
        lambda: "cannot be used" in refusal(server, node, "Checked") and "chmod 600" in server.program.logged(),
        "others may read the file",
    )
    file.chmod(0o600)
    key = f"from/postern/{session.id}.log"
    eventually(lambda: log_object(other, "central", key), "the log is there", 60)


def test_a_store_that_hangs_delays_only_its_own_logs(lab, tmp_path):
    """More sessions than may write to it at a time: it takes connections, and never says a word."""
    silent = socket.create_server(("127.0.0.1", 0), backlog=64)
    lab.closers.append(silent.close)
    credentials = credentials_file(tmp_path / "keys", "independent", "secret")
    server = lab.server(
        IMPATIENT
        | {
            "POSTERN_SESSION_LOGS_S3_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "POSTERN_SESSION_LOGS_S3_CREDENTIALS_FILE": str(credentials),
        }
    ).start()
    node = lab.node(server)
    server.client("logs").create_log_group(logGroupName="/here")
    name = both(server, "Half", "hanging", "/here", s3EncryptionEnabled=False)
    for number in range(10):
        session = lab.session(node, document=name)
        assert session.run(f"echo number''-{number}") == f"number-{number}\n"
        end(session)
        eventually(lambda shown=f"number-{number}", session=session: shown in lines(server, "/here", session.id), "it is here")


@pytest.mark.parametrize(
    "environment, told",
    [
        (
            {"POSTERN_SESSION_LOGS_S3_ENDPOINT": "https://s3.example.com"},
            "session_logs.s3_credentials_file: missing",
        ),
        (
            {"POSTERN_SESSION_LOGS_CLOUDWATCH_CREDENTIALS_FILE": "/x"},
            "session_logs.cloudwatch_endpoint: missing",
        ),
        (
            {
                "POSTERN_SESSION_LOGS_S3_ENDPOINT": "http://s3.example.com",
                "POSTERN_SESSION_LOGS_S3_CREDENTIALS_FILE": "/x",
            },
            "session_logs.s3_endpoint",
        ),
        ({"POSTERN_SESSION_LOGS_GIVE_UP_AFTER": "never"}, "session_logs.give_up_after"),
    ],
)
def test_settings_that_make_no_sense_stop_the_server(lab, environment, told):
    server = lab.server(environment).start(wait=False)
    assert server.program.wait() != 0
    assert told in server.program.logged()
