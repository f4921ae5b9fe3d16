"""Profiles that sign in with SSO: the token that `aws sso login` leaves, and a portal of ours that takes it."""

import hashlib
import http.server
import json
import subprocess
import threading
import urllib.parse

import pytest
from harness.programs import SCRIPTS, binary

CONFIG = """[profile work]
region = us-east-1
endpoint_url = {url}
ca_bundle = {ca}
sso_session = corp
sso_account_id = 000000000000
sso_role_name = Operations

[sso-session corp]
sso_region = eu-central-1
sso_start_url = https://corp.example/start
"""


class Portal(http.server.ThreadingHTTPServer):
    """Gives `credentials` for the token `bearer`."""

    def __init__(self, credentials: dict):
        super().__init__(("127.0.0.1", 0), Handler)
        self.credentials, self.asked = credentials, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(urllib.parse.urlsplit(self.path))
        is_known = self.headers["x-amz-sso_bearer_token"] == "bearer"
        given = self.server.credentials
        body = json.dumps({"roleCredentials": given} if is_known else {"message": "Session token not found or invalid"})
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Type", "application/json")
        if not is_known:
            self.send_header("x-amzn-ErrorType", "UnauthorizedException")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def portal(server):
    given = server.client("sts").get_session_token()["Credentials"]
    portal = Portal({
        "accessKeyId": given["AccessKeyId"],
        "secretAccessKey": given["SecretAccessKey"],
        "sessionToken": given["SessionToken"],
        "expiration": int(given["Expiration"].timestamp() * 1000),
    })  # fmt: skip
    yield portal
    portal.shutdown()
    portal.server_close()


@pytest.fixture
def run(server, portal, tmp_path):
    """Runs a program at home in a directory with the profile."""
    config = tmp_path / "config"
    config.write_text(CONFIG.format(url=server.url, ca=server.ca_file))
    environment = server.client_environment(
        HOME=str(tmp_path),
        AWS_CONFIG_FILE=str(config),
        AWS_SHARED_CREDENTIALS_FILE="/dev/null",
        AWS_PROFILE="work",
        AWS_ENDPOINT_URL_SSO=portal.url,
    )
    return lambda *command: subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def sign_in(home, token: str = "bearer", expires_at: str = "2999-01-01T00:00:00Z"):
    cache = home / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    name = hashlib.sha1(b"corp").hexdigest()
    (cache / f"{name}.json").write_text(json.dumps({"accessToken": token, "expiresAt": expires_at}))


def test_the_sign_in_of_the_aws_cli_is_good_for_postern_too(run, portal, node, tmp_path):
    sign_in(tmp_path)
    # The same file is what AWS's own program takes, and asks for in the same way.
    theirs = run(str(SCRIPTS / "aws"), "ssm", "describe-instance-information")
    assert theirs.returncode == 0, theirs.stderr
    ours = run(binary("postern"), "nodes", "list")
    assert ours.returncode == 0, ours.stderr
    assert node.node_id in theirs.stdout and node.node_id in ours.stdout
    first, second = portal.asked
    assert first.path == second.path == "/federation/credentials"
    assert urllib.parse.parse_qs(first.query) == urllib.parse.parse_qs(second.query)


@pytest.mark.parametrize(
    ("signed_in", "words"),
    [
        (None, "nobody has signed in"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expired"),
        ({"token": "another"}, "does not accept"),
    ],
    ids=["never", "expired", "revoked"],
)
def test_whoever_is_not_signed_in_is_told_how(run, tmp_path, signed_in, words):
    if signed_in is not None:
        sign_in(tmp_path, **signed_in)
    refused = run(binary("postern"), "nodes", "list")
    assert refused.returncode != 0
    assert words in refused.stderr and "aws sso login --profile work" in refused.stderr
