"""The first start makes everything that a user needs, and the later ones keep it."""

import configparser
import re
import signal
import stat
import subprocess

import boto3
from harness.programs import ACCOUNT, REGION, SCRIPTS, clean_environment
from harness.waiting import eventually


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_bootstrap_profile_makes_the_aws_cli_work(lab):
    server = lab.server().start()
    done = subprocess.run(
        [SCRIPTS / "aws", "sts", "get-caller-identity", "--query", "Arn", "--output", "text"],
        env=server.client_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout.strip()) == (0, f"arn:aws:iam::{ACCOUNT}:user/admin"), done.stderr


def test_the_bootstrap_files_name_endpoint_region_and_authority(lab):
    server = lab.server().start()
    config = configparser.ConfigParser()
    config.read(server.data / "bootstrap" / "config")
    profile = config["profile postern"]
    assert profile["endpoint_url"] == server.url
    assert profile["region"] == REGION
    assert profile["ca_bundle"] == str(server.ca_file)
    credentials = configparser.ConfigParser()
    credentials.read(server.data / "bootstrap" / "credentials")
    assert re.fullmatch("AKIA[A-Z2-7]{16,}", credentials["postern"]["aws_access_key_id"])
    assert len(credentials["postern"]["aws_secret_access_key"]) == 40


def test_secrets_can_be_read_by_the_owner_only(lab):
    server = lab.server().start()
    assert mode(server.data) == 0o700
    for name in ["bootstrap/config", "bootstrap/credentials"]:
        assert mode(server.data / name) == 0o600, name
    for path in server.data.rglob("*"):
        if path.is_file() and path.name not in ("ca.pem", "server.pem"):
            assert mode(path) & 0o077 == 0, path


def test_no_secret_is_logged(lab):
    server = lab.server().start()
    credentials = configparser.ConfigParser()
    credentials.read(server.data / "bootstrap" / "credentials")
    assert credentials["postern"]["aws_secret_access_key"] not in server.program.logged()


def test_the_three_exports_are_printed_and_work(lab):
    server = lab.server().start()
    exports = re.findall(r"export (\w+)=(\S+)", server.program.logged())
    assert {name for name, _ in exports} >= {"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE"}
    script = "; ".join(f"export {name}={value}" for name, value in exports) + "; exec aws sts get-caller-identity"
    environment = clean_environment()
    environment["PATH"] = f"{SCRIPTS}:{environment['PATH']}"
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and ACCOUNT in done.stdout, done.stderr


def test_a_restart_keeps_keys_authority_and_nodes(lab):
    server = lab.server().start()
    before = {name: (server.data / name).read_bytes() for name in ["tls/ca.pem", "bootstrap/credentials"]}
    agent = lab.node(server)
    assert server.stop() == 0
    server.start()
    assert {name: (server.data / name).read_bytes() for name in before} == before
    assert server.client("sts").get_caller_identity()["Account"] == ACCOUNT
    agent.wait_until_connected()


def test_account_and_region_can_be_chosen(lab):
    server = lab.server({"POSTERN_ACCOUNT": "111122223333", "POSTERN_REGION": "eu-home-1"}).start()
    identity = server.client("sts").get_caller_identity()
    assert identity["Arn"] == "arn:aws:iam::111122223333:user/admin"
    assert boto3.Session(botocore_session=server.botocore_session()).region_name == "eu-home-1"


def test_the_first_signal_drains_and_the_program_ends_with_success(lab):
    server = lab.server().start()
    assert server.stop() == 0
    assert not server.answers()


def test_a_second_signal_aborts(lab):
    server = lab.server({"POSTERN_LIMITS_DRAIN_TIME_MAX": "5m"}).start()
    connection = server.https()
    # A request whose body never comes keeps the drain waiting.
    connection.putrequest("POST", "/")
    connection.putheader("Content-Length", "10")
    connection.endheaders()
    server.program.process.send_signal(signal.SIGTERM)
    eventually(lambda: not server.answers(), "the server drains")
    server.program.process.send_signal(signal.SIGTERM)
    server.program.wait(10)
    connection.close()
