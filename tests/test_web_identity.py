"""Roles for whoever an OIDC provider vouches for, such as a job of GitHub Actions."""

import itertools
import json
import os
import subprocess
import time

import boto3
import botocore.config
import botocore.exceptions
import pytest
from botocore import UNSIGNED
from harness.https import Authority
from harness.issuer import Issuer, Key, b64, token
from harness.people import Holder, allow, document
from harness.programs import ACCOUNT, SCRIPTS, binary, clean_environment

CLIENT_ID = "sts.amazonaws.com"

numbers = itertools.count(1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="module")
def trusting_server(shared_lab, authority):
    """A server that trusts the issuers' certificates, and lets them be on its own machine."""
    environment = {
        "POSTERN_OIDC_CA_CERTIFICATES": str(authority.ca_file),
        "POSTERN_OIDC_ALLOW_LOOPBACK": "true",
    }
    return shared_lab.server(environment).start()


class Federation:
    """A registered provider with a role that trusts one repository's main branch."""

    def __init__(self, server, issuer: Issuer, name: str):
        self.server, self.issuer, self.name = server, issuer, name
        self.iam = server.client("iam")
        created = self.iam.create_open_id_connect_provider(Url=issuer.url, ClientIDList=[CLIENT_ID])
        self.provider_arn = created["OpenIDConnectProviderArn"]
        self.role_arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=self.trust())["Role"]["Arn"]
        policy = document(allow("ssm:DescribeInstanceInformation"))
        self.iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy)

    def trust(self, action="sts:AssumeRoleWithWebIdentity", **conditions) -> str:
        condition = conditions or {
            "StringEquals": {f"{self.issuer.name}:aud": CLIENT_ID},
            "StringLike": {f"{self.issuer.name}:sub": "repo:acme/app:ref:refs/heads/*"},
        }
        statement = {
            "Effect": "Allow",
            "Principal": {"Federated": self.provider_arn},
            "Action": action,
            "Condition": condition,
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def set_trust(self, policy: str) -> None:
        self.iam.update_assume_role_policy(RoleName=self.name, PolicyDocument=policy)

    def assume(self, token: str, **more) -> dict:
        sts = boto3.client(
            "sts",
            region_name="us-east-1",
            endpoint_url=self.server.local_url,
            verify=str(self.server.ca_file),
            config=botocore.config.Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}),
        )
        arguments = {"RoleArn": self.role_arn, "RoleSessionName": "job-1", "WebIdentityToken": token} | more
        return sts.assume_role_with_web_identity(**arguments)

    def refused(self, token: str, **more) -> str:
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            self.assume(token, **more)
        error = caught.value.response["Error"]
        return f"{error['Code']}: {error['Message']}"


@pytest.fixture
def federation(trusting_server, authority):
    issuers = []

    def federation(path: str = "") -> Federation:
        issuers.append(Issuer(authority, path))
        return Federation(trusting_server, issuers[-1], f"web{next(numbers)}")

    yield federation
    for issuer in issuers:
        issuer.close()


def test_a_job_of_github_actions_gets_a_role(federation):
    federation = federation()
    answer = federation.assume(federation.issuer.token())
    assert answer["Provider"] == federation.issuer.url
    assert answer["Audience"] == CLIENT_ID
    assert answer["SubjectFromWebIdentityToken"] == "repo:acme/app:ref:refs/heads/main"
    given = answer["Credentials"]
    job = Holder(federation.server, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    identity = job.client("sts").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{federation.name}/job-1"
    job.client().describe_instance_information()
    # What a provider vouched for stays known, and policies can ask for it later.
    only_main = {"StringEquals": {f"{federation.issuer.name}:sub": "repo:acme/app:ref:refs/heads/other"}}
    policy = document(allow("ssm:DescribeInstanceInformation", Condition=only_main))
    federation.iam.put_role_policy(RoleName=federation.name, PolicyName="inline", PolicyDocument=policy)
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        job.client().describe_instance_information()


def test_the_trail_names_whom_the_provider_vouched_for(federation):
    federation = federation()
    federation.assume(federation.issuer.token(), RoleSessionName="recorded")
    trail = federation.server.client("cloudtrail")
    asked = [{"AttributeKey": "EventName", "AttributeValue": "AssumeRoleWithWebIdentity"}]
    records = [json.loads(e["CloudTrailEvent"]) for e in trail.lookup_events(LookupAttributes=asked)["Events"]]
    (record,) = [r for r in records if (r["requestParameters"] or {}).get("roleSessionName") == "recorded"]
    who = record["userIdentity"]
    assert (who["type"], who["userName"]) == ("WebIdentityUser", "repo:acme/app:ref:refs/heads/main")
    assert "webIdentityToken" not in record["requestParameters"]


def test_a_provider_is_not_named_like_a_service(server):
    iam = server.client("iam")
    for name in ["aws", "sts", "iam", "localhost"]:
        with pytest.raises(botocore.exceptions.ClientError, match="Invalid Open ID Connect Provider URL"):
            iam.create_open_id_connect_provider(Url=f"https://{name}/", ClientIDList=[CLIENT_ID])


def test_both_kinds_of_keys_and_a_path(federation):
    federation = federation("/realms/ops")
    for key in federation.issuer.keys:
        federation.assume(federation.issuer.token(key))
    # The keys were fetched once for all.
    assert sorted(federation.issuer.requests) == [
        "/realms/ops/.well-known/openid-configuration",
        "/realms/ops/keys",
    ]


def test_tokens_that_are_no_proof(federation):
    federation = federation()
    issuer = federation.issuer
    federation.assume(issuer.token())
    good = issuer.token()
    head, body, signature = good.split(".")
    stranger = Key(issuer.keys[0].kid)
    forged = b64(json.dumps(issuer.claims(sub="repo:evil/app:ref:refs/heads/main")).encode())
    none = b64(json.dumps({"typ": "JWT", "alg": "none"}).encode())
    # HS256 with the public key as the secret: the classic confusion.
    confused = b64(json.dumps({"typ": "JWT", "alg": "HS256", "kid": "first"}).encode())
    now = int(time.time())
    cases = {
        "wrong issuer": (issuer.token(iss="https://elsewhere.example"), "InvalidIdentityToken", "No OpenIDConnect provider"),
        "http issuer": (issuer.token(iss=issuer.url.replace("https", "http")), "InvalidIdentityToken", "No OpenIDConnect"),
        "wrong audience": (issuer.token(aud="somebody-else"), "InvalidIdentityToken", "Incorrect token audience"),
        "no audience": (issuer.token(aud=None), "InvalidIdentityToken", "Missing a required claim: aud"),
        "empty audience": (issuer.token(aud=""), "IDPRejectedClaim", "aud"),
        "foreign party": (issuer.token(azp="somebody-else"), "InvalidIdentityToken", "Incorrect token audience"),
        "no subject": (issuer.token(sub=None), "InvalidIdentityToken", "Missing a required claim: sub"),
        "empty subject": (issuer.token(sub=""), "IDPRejectedClaim", "sub"),
        "expired": (issuer.token(exp=now - 120), "ExpiredTokenException", "Token expired"),
        "never expires": (issuer.token(exp=None), "InvalidIdentityToken", "exp"),
        "not yet": (issuer.token(nbf=now + 600), "IDPRejectedClaim", "nbf"),
        "from the future": (issuer.token(iat=now + 600), "IDPRejectedClaim", "iat"),
        "none": (f"{none}.{body}.", "InvalidIdentityToken", ""),
        "none, signed": (f"{none}.{body}.{signature}", "InvalidIdentityToken", ""),
        "shared secret": (f"{confused}.{body}.{signature}", "InvalidIdentityToken", "algorithm"),
        "unknown key": (issuer.token(header={"kid": "nobody"}), "InvalidIdentityToken", "no key"),
        "no key ID": (issuer.token(Key("x"), header={"kid": None}), "InvalidIdentityToken", "signature"),
        "another's key": (token(stranger, issuer.claims()), "InvalidIdentityToken", "signature"),
        "claims exchanged": (f"{head}.{forged}.{signature}", "InvalidIdentityToken", "signature"),
        "no signature": (f"{head}.{body}.", "InvalidIdentityToken", ""),
        "another's algorithm": (issuer.token(header={"kid": "curve"}), "InvalidIdentityToken", "no key"),
        "no token": ("not a token", "InvalidIdentityToken", "not a valid JWT"),
        "no JSON": ("e30.e30.e30", "InvalidIdentityToken", "not a valid JWT"),
    }
    for name, (bad, code, words) in cases.items():
        message = federation.refused(bad)
        assert message.startswith(f"{code}: ") and words in message, f"{name}: {message}"
    federation.assume(issuer.token())


def test_the_trust_policy_decides(federation):
    federation = federation()
    issuer = federation.issuer
    denied = "AccessDenied: "
    assert federation.refused(issuer.token(sub="repo:acme/app:pull_request")).startswith(denied)
    assert federation.refused(issuer.token(sub="repo:evil/app:ref:refs/heads/main")).startswith(denied)
    # Other claims count as well, with or without lists.
    name = issuer.name
    federation.set_trust(federation.trust(StringEquals={f"{name}:repository": "acme/app", f"{name}:actor": "octocat"}))
    federation.assume(issuer.token(sub="repo:acme/app:pull_request"))
    assert federation.refused(issuer.token(actor="mallory")).startswith(denied)
    assert federation.refused(issuer.token(actor=None)).startswith(denied)
    federation.set_trust(federation.trust(**{"ForAnyValue:StringEquals": {f"{name}:amr": ["otp"]}}))
    federation.assume(issuer.token(amr=["pwd", "otp"]))
    assert federation.refused(issuer.token(amr=["pwd"])).startswith(denied)
    # A trust for AssumeRole is none for this; nor is that of a role which trusts users.
    federation.set_trust(federation.trust("sts:AssumeRole"))
    assert federation.refused(issuer.token()).startswith(denied)
    missing = federation.refused(issuer.token(), RoleArn=f"{federation.role_arn}x")
    assert missing == "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"


def test_another_providers_subject_is_another_one(federation):
    one, other = federation(), federation()
    assert one.refused(other.issuer.token()).startswith("AccessDenied")
    # Keys of one provider sign nothing for another.
    assert "signature" in one.refused(token(one.issuer.keys[0], other.issuer.claims()))


def test_tags_and_source_identity_come_from_the_provider(federation):
    federation = federation()
    issuer = federation.issuer
    claims = {
        "https://aws.amazon.com/tags": {"principal_tags": {"Team": ["ops"]}, "transitive_tag_keys": ["Team"]},
        "https://aws.amazon.com/source_identity": "octocat",
    }
    assert "sts:TagSession" in federation.refused(issuer.token(**claims))
    federation.set_trust(
        federation.trust(["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"])
    )
    answer = federation.assume(issuer.token(**claims))
    assert answer["SourceIdentity"] == "octocat"
    if_ops = {"StringEquals": {"aws:PrincipalTag/Team": "ops", "aws:SourceIdentity": "octocat"}}
    policy = document(allow("ssm:DescribeActivations", Condition=if_ops))
    federation.iam.put_role_policy(RoleName=federation.name, PolicyName="inline", PolicyDocument=policy)
    given = answer["Credentials"]
    job = Holder(federation.server, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    job.client().describe_activations()


def test_a_session_policy_limits_a_job(federation):
    federation = federation()
    given = federation.assume(federation.issuer.token(), Policy=document(allow("ssm:DescribeSessions")))["Credentials"]
    job = Holder(federation.server, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    with pytest.raises(botocore.exceptions.ClientError, match="no session policy allows"):
        job.client().describe_instance_information()


def test_a_provider_is_not_asked_for_every_bad_token(federation):
    federation = federation()
    issuer = federation.issuer
    for number in range(20):
        message = federation.refused(issuer.token(header={"kid": f"invented-{number}"}))
        assert "no key" in message
    assert len(issuer.requests) == 6, issuer.requests


def test_a_new_key_of_the_provider_is_found_at_once(federation):
    federation = federation()
    issuer = federation.issuer
    federation.assume(issuer.token())
    old, new = issuer.keys[0], Key("second")
    issuer.keys = [new]
    federation.assume(issuer.token(new))
    assert "no key" in federation.refused(issuer.token(old))


@pytest.mark.parametrize(
    ("path", "answer", "code"),
    [
        ("/.well-known/openid-configuration", (302, {"Location": "https://localhost/"}, b""), "InvalidIdentityToken"),
        ("/.well-known/openid-configuration", (500, {}, b""), "InvalidIdentityToken"),
        ("/.well-known/openid-configuration", (200, {}, b"<html>"), "InvalidIdentityToken"),
        ("/.well-known/openid-configuration", (200, {}, b'{"issuer": "https://x", "jwks_uri": "https://x"}'), "InvalidIdentityToken"),
        ("/keys", (200, {}, b'{"keys": []}'), "InvalidIdentityToken"),
        ("/keys", (302, {"Location": "/elsewhere"}, b""), "InvalidIdentityToken"),
        ("/keys", (200, {}, b" " * 300_000), "IDPCommunicationError"),
    ],
)  # fmt: skip
def test_a_provider_that_answers_something_else(federation, path, answer, code):
    federation = federation()
    federation.issuer.instead[path] = answer
    assert federation.refused(federation.issuer.token()).startswith(f"{code}: ")
    assert "/elsewhere" not in federation.issuer.requests


def test_a_provider_that_sends_the_server_elsewhere(federation):
    federation = federation()
    described = {"issuer": federation.issuer.url, "jwks_uri": federation.issuer.url.replace("https", "http") + "/keys"}
    federation.issuer.instead["/.well-known/openid-configuration"] = (200, {}, json.dumps(described).encode())
    assert "not https" in federation.refused(federation.issuer.token())


def test_a_provider_that_is_away(federation):
    federation = federation()
    good = federation.issuer.token()
    federation.issuer.close()
    assert federation.refused(good).startswith("IDPCommunicationError: ")


def test_an_issuer_nobody_trusts_or_on_the_servers_own_machine(server, authority):
    """As servers are without the settings of these tests."""
    issuer = Issuer(authority)
    try:
        federation = Federation(server, issuer, "web-on-this-machine")
        assert "one that this server does not ask" in federation.refused(issuer.token())
        assert issuer.requests == []
    finally:
        issuer.close()


def test_removed_providers_vouch_no_longer(federation):
    federation = federation()
    federation.assume(federation.issuer.token())
    federation.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=federation.provider_arn)
    assert "No OpenIDConnect provider" in federation.refused(federation.issuer.token())


def test_profiles_and_variables_name_a_token_file(federation, tmp_path):
    federation = federation()
    server = federation.server
    (tmp_path / "token").write_text(federation.issuer.token() + "\n")
    (tmp_path / "config").write_text(
        f"[profile job]\nregion = us-east-1\nendpoint_url = {server.local_url}\nca_bundle = {server.ca_file}\n"
        f"role_arn = {federation.role_arn}\nweb_identity_token_file = {tmp_path}/token\nrole_session_name = job-7\n"
    )
    common = clean_environment() | {"HOME": str(tmp_path), "AWS_MAX_ATTEMPTS": "1"}
    common["PATH"] = f"{SCRIPTS}{os.pathsep}{common['PATH']}"
    by_profile = common | {"AWS_CONFIG_FILE": str(tmp_path / "config"), "AWS_PROFILE": "job"}
    by_variables = common | {
        "AWS_ROLE_ARN": federation.role_arn,
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"),
        "AWS_ROLE_SESSION_NAME": "job-7",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server.local_url,
        "AWS_CA_BUNDLE": str(server.ca_file),
    }
    for environment in (by_profile, by_variables):
        for arguments in ([binary("postern"), "nodes", "list"], ["aws", "ssm", "describe-instance-information"]):
            done = subprocess.run(
                arguments, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, f"{arguments}: {done.stderr}"
