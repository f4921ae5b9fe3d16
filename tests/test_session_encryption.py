"""Sessions that client and node encrypt, and what their recordings see."""

import json
import subprocess
import uuid

import botocore.exceptions
import pytest
from harness.people import Person, allow
from harness.programs import REGION, ROLE, binary
from harness.terminal import Terminal

OTHER_KMS = f"arn:aws:kms:{REGION}:999999999999:key/11111111-2222-4333-8444-555555555555"


@pytest.fixture(scope="module")
def kms(server):
    return server.client("kms")


@pytest.fixture(scope="module")
def key(server, kms) -> str:
    """A key that nodes may decrypt with."""
    key = kms.create_key(Description="sessions")["KeyMetadata"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [allow("kms:Decrypt", key)]}
    iam = server.client("iam")
    iam.put_role_policy(RoleName=ROLE, PolicyName="sessions", PolicyDocument=json.dumps(policy))
    yield key
    iam.delete_role_policy(RoleName=ROLE, PolicyName="sessions")


@pytest.fixture
def document(server):
    """Makes session documents."""
    ssm, made = server.client("ssm"), []

    def make(inputs: dict, **more) -> str:
        name = f"Encrypted-{uuid.uuid4().hex[:8]}"
        content = {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs} | more
        ssm.create_document(Name=name, DocumentType="Session", Content=json.dumps(content))
        made.append(name)
        return name

    yield make
    for name in made:
        ssm.delete_document(Name=name)


def run(person: Person, node, document: str) -> subprocess.CompletedProcess:
    """A session that is typed into from a pipe."""
    return subprocess.run(
        [binary("postern"), "start-session", "--target", node.node_id, "--document-name", document],
        env=person.environment() | {"SSL_CERT_FILE": str(person.server.ca_file)},
        input="echo shown-$((40 + 2)); exit 3\n",
        capture_output=True,
        text=True,
        timeout=60,
    )


def recording(server, done: subprocess.CompletedProcess) -> str:
    """What is on the record of the session, which `postern` names on standard error."""
    session = next(word for word in done.stderr.split() if word.startswith(("person", "admin")))
    files = list((server.data / "recordings").rglob(f"{session}*.cast"))
    assert len(files) == 1, files
    return files[0].read_text()


def test_a_session_is_encrypted_and_recorded(server, node, key, document):
    person = Person(server, allow("*"))
    done = run(person, node, document({"kmsKeyId": key, "recording": "required"}))
    assert "shown-42" in done.stdout, done.stderr
    assert done.returncode == 3
    assert "encrypted" in done.stderr
    assert "shown-42" in recording(server, done)
    opened = server.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "DecryptSessionDataKey"}]
    )["Events"]
    assert any(key in event["CloudTrailEvent"] for event in opened)


def test_what_is_not_to_be_recorded_is_not(server, node, key, document):
    done = run(Person(server, allow("*")), node, document({"kmsKeyId": key, "recording": "off"}))
    assert "shown-42" in done.stdout, done.stderr
    recorded = recording(server, done)
    assert "shown-42" not in recorded and "encrypted end to end" in recorded


def test_a_session_that_must_be_recorded_and_could_not_be_does_not_start(server, node, document):
    for named in (OTHER_KMS, "alias/nothing"):
        name = document({"kmsKeyId": named, "recording": "required"})
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            server.client("ssm").start_session(Target=node.node_id, DocumentName=name)
        error = caught.value.response["Error"]
        assert error["Code"] == "InvalidDocument" and "recording" in error["Message"]


def test_whoever_may_not_generate_a_data_key_gets_no_session(server, node, key, document):
    person = Person(server, allow("ssm:*"), allow("ssmmessages:*"))
    done = run(person, node, document({"kmsKeyId": key}))
    assert "shown-42" not in done.stdout
    assert "GenerateDataKey" in done.stderr and "AccessDenied" in done.stderr


def test_a_node_that_may_not_decrypt_starts_nothing(server, node, kms, document):
    own = kms.create_key()["KeyMetadata"]["Arn"]
    done = run(Person(server, allow("*")), node, document({"kmsKeyId": own}))
    assert "shown-42" not in done.stdout
    assert "Fetching data key failed" in done.stderr + done.stdout


def test_a_disabled_key_encrypts_no_session(server, node, kms, document):
    disabled = kms.create_key()["KeyMetadata"]["Arn"]
    kms.disable_key(KeyId=disabled)
    done = run(Person(server, allow("*")), node, document({"kmsKeyId": disabled}))
    assert "shown-42" not in done.stdout and "DisabledException" in done.stderr


def test_what_a_document_says_of_recordings_is_checked_and_not_sent_to_nodes(server, document):
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        document({"recording": "sometimes"})
    assert "inputs.recording" in caught.value.response["Error"]["Message"]
    document({"recording": "off"})


class Recorded:
    """An encrypted session that must be recorded, in a terminal, on a server of its own."""

    def __init__(self, lab, tmp_path):
        self.server = lab.server().start()
        node = lab.node(self.server)
        self.kms = self.server.client("kms")
        self.key = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.server.client("iam").put_role_policy(
            RoleName=ROLE, PolicyName="sessions", PolicyDocument=json.dumps({"Statement": [allow("kms:Decrypt", self.key)]})
        )
        inputs = {"kmsKeyId": self.key, "recording": "required"}
        content = {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs}
        self.server.client().create_document(Name="Encrypted", DocumentType="Session", Content=json.dumps(content))
        command = [binary("postern"), "start-session", "--target", node.node_id, "--document-name", "Encrypted"]
        environment = Person(self.server, allow("*")).environment() | {"SSL_CERT_FILE": str(self.server.ca_file)}
        self.terminal = Terminal(tmp_path, command, environment)
        lab.closers.append(self.terminal.close)
        self.terminal.shows("encrypted")
        self.terminal.line("PS1='rea''dy> '")
        self.terminal.shows("ready>")

    def says(self, word: str) -> None:
        self.terminal.line(f"echo {word}-$((40 + 2))")
        self.terminal.shows_line(f"{word}-42", 60)

    def record(self) -> str:
        (file,) = (self.server.data / "recordings").rglob("*.cast")
        return file.read_text()


def test_a_key_that_is_disabled_in_the_middle_ends_no_session(lab, tmp_path):
    session = Recorded(lab, tmp_path)
    session.says("before")
    session.kms.disable_key(KeyId=session.key)
    session.says("after")
    session.terminal.line("exit 5")
    assert session.terminal.status() == 5
    assert "before-42" in session.record() and "after-42" in session.record()


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_an_encrypted_session_is_recorded_across_a_restart(lab, tmp_path, how):
    session = Recorded(lab, tmp_path)
    session.says("before")
    getattr(session.server, how)()
    session.server.start()
    session.says("after")
    session.terminal.line("exit 5")
    assert session.terminal.status() == 5
    record = session.record()
    assert record.count("before-42") == 1 and record.count("after-42") == 1


def test_what_cannot_be_recorded_after_a_restart_ends(lab, tmp_path):
    session = Recorded(lab, tmp_path)
    session.says("before")
    session.kms.disable_key(KeyId=session.key)
    session.server.kill()
    session.server.start()
    # Ended before its client is back, which finds no session; the log says why.
    session.terminal.status(60)
    assert "the KMS key of its data key is disabled" in session.server.program.log.read_text()
    assert session.server.client().describe_sessions(State="Active")["Sessions"] == []
    assert "before-42" in session.record()
