"""Signing in to the console with a browser, and what its pages may do then."""

import json
import re
import subprocess
import time

import pytest
from harness.browser import Browser
from harness.people import Person, allow, trust
from harness.programs import ACCOUNT, binary, clean_environment
from harness.totp import code_at
from harness.waiting import eventually

PASSWORD, OTHER_PASSWORD = "Correct-horse-7", "Battery-staple-8"
STS, IAM = "2011-06-15", "2010-05-08"
SESSIONS = ("AmazonSSM.DescribeSessions", {"State": "Active"})


class User(Person):
    """Somebody with a password."""

    def __init__(self, server, *statements, reset=False, **more):
        super().__init__(server, *statements, **more)
        self.iam.create_login_profile(
            UserName=self.name, Password=PASSWORD, PasswordResetRequired=reset
        )

    def browser(self) -> Browser:
        browser = Browser(self.server)
        assert browser.sign_in(self.name, PASSWORD).json() == {"next": "done"}
        return browser

    def add_device(self) -> str:
        """The seed of an MFA device that is enabled."""
        device = self.iam.create_virtual_mfa_device(VirtualMFADeviceName=self.name)[
            "VirtualMFADevice"
        ]
        seed = device["Base32StringSeed"].decode()
        now = time.time()
        self.iam.enable_mfa_device(
            UserName=self.name,
            SerialNumber=device["SerialNumber"],
            AuthenticationCode1=code_at(seed, now - 30),
            AuthenticationCode2=code_at(seed, now),
        )
        return seed


def next_code(seed: str) -> str:
    """The device was enabled with the code of this moment; that of the next is good already."""
    return code_at(seed, time.time() + 30)


@pytest.fixture
def user(server):
    return User(server, allow(["ssm:DescribeSessions", "cloudtrail:LookupEvents"]))


def records(server, name: str, user: str) -> list[dict]:
    """The records with this name, newest first, of a user."""
    found = server.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}]
    )
    all_of_them = [json.loads(event["CloudTrailEvent"]) for event in found["Events"]]
    return [
        record
        for record in all_of_them
        if record["userIdentity"].get("userName") == user
    ]


def test_a_user_signs_in_and_calls_operations(server, user):
    browser = user.browser()
    session = browser.get("session").json()
    assert session["principalArn"] == user.arn and session["userName"] == user.name
    assert (session["mfa"], session["role"], session["accountId"]) == (
        False,
        None,
        ACCOUNT,
    )
    assert re.fullmatch("[0-9a-f]{64}", session["caFingerprintSha256"])
    assert "Sessions" in browser.call(*SESSIONS).json()
    assert user.arn.encode() in browser.query("sts", STS, "GetCallerIdentity").body
    denied = browser.call("AmazonSSM.CreateActivation", {"IamRole": "PosternNode"})
    assert (
        denied.code == "AccessDeniedException"
        and "ssm:CreateActivation" in denied.json()["Message"]
    )
    assert browser.query("iam", IAM, "ListUsers").code == "AccessDenied"


def test_the_cookie_is_for_this_host_and_no_script(server, user):
    browser = Browser(server)
    browser.post("sign-in", {"userName": user.name, "password": PASSWORD})
    [cookie] = browser.set_cookies
    name, *attributes = [part.strip() for part in cookie.split(";")]
    assert name.startswith("__Host-postern=") and len(name) > 50
    assert set(attributes) == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"}


def test_a_wrong_password_and_an_unknown_user_look_alike(server, user):
    answers = [
        Browser(server).sign_in(name, "Wrong-horse-7")
        for name in (user.name, "nobody-at-all", "No user")
    ]
    assert {(answer.status, answer.body) for answer in answers} == {
        (403, answers[0].body)
    }
    assert answers[0].json()["code"] == "SignInFailed"
    [failed] = records(server, "ConsoleLogin", user.name)
    assert (
        failed["errorMessage"] == "Failed authentication" and "errorCode" not in failed
    )
    assert failed["responseElements"] == {"ConsoleLogin": "Failure"}
    assert (
        failed["eventType"] == "AwsConsoleSignIn"
        and failed["userIdentity"]["accessKeyId"] == ""
    )
    # Somebody may have typed the password in the place of the name.
    assert records(server, "ConsoleLogin", "nobody-at-all") == []
    assert records(server, "ConsoleLogin", "HIDDEN_DUE_TO_SECURITY_REASONS")


def test_a_sign_in_is_on_the_audit_trail(server, user):
    browser = user.browser()
    [login] = records(server, "ConsoleLogin", user.name)
    assert login["eventSource"] == "signin.amazonaws.com" and login[
        "responseElements"
    ] == {"ConsoleLogin": "Success"}
    assert login["additionalEventData"]["MFAUsed"] == "No"
    assert (
        login["userIdentity"]["arn"] == user.arn
        and "accessKeyId" not in login["userIdentity"]
    )
    signed_in_at = browser.get("session").json()["signedInAt"]
    browser.call(*SESSIONS)
    browser.post("sign-out")
    [call] = records(server, "DescribeSessions", user.name)
    identity = call["userIdentity"]
    assert identity["type"] == "IAMUser" and identity["accessKeyId"].startswith("ASIA")
    attributes = identity["sessionContext"]["attributes"]
    assert attributes == {"mfaAuthenticated": "false", "creationDate": signed_in_at}
    assert call["sessionCredentialFromConsole"] == "true"
    assert [
        record["responseElements"] for record in records(server, "SignOut", user.name)
    ] == [{"SignOut": "Success"}]


def test_guessing_is_limited(lab):
    server = lab.server().start()
    user = User(server)
    for _ in range(10):
        assert Browser(server).sign_in(user.name, "Wrong-horse-7").status == 403
    refused = Browser(server).sign_in(user.name, PASSWORD)
    assert refused.status == 429 and refused.json()["code"] == "TooManyAttempts"
    assert refused.json()["retryAfterSeconds"] > 0
    # Others are not locked out by it.
    User(server).browser()


@pytest.mark.parametrize("csrf", [None, "", "AAAA"])
def test_a_call_without_the_pages_token_is_refused(server, user, csrf):
    browser = user.browser()
    browser.csrf = csrf
    assert browser.call(*SESSIONS).code == "AccessDeniedException"
    assert browser.query("sts", STS, "GetCallerIdentity").code == "AccessDenied"
    assert browser.post("sign-out").status == 403
    assert (
        browser.post(
            "switch-role", {"roleArn": "arn:aws:iam::000000000000:role/x"}
        ).status
        == 403
    )


def test_the_token_of_one_sign_in_is_none_of_another(server, user):
    one, other = user.browser(), user.browser()
    other.csrf = one.csrf
    assert other.call(*SESSIONS).code == "AccessDeniedException"


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://evil.example",
        "https://127.0.0.1",
        "http://127.0.0.1:{port}",
    ],
)
def test_a_page_of_another_site_can_do_nothing(server, user, origin):
    browser = user.browser()
    browser.origin = origin and origin.format(port=server.port)
    assert browser.call(*SESSIONS).code == "AccessDeniedException"
    assert browser.post("sign-out").status == 403
    assert (
        browser.post("sign-in", {"userName": user.name, "password": PASSWORD}).status
        == 403
    )
    assert (
        browser.send(
            "GET", "/console/api/session", headers={"Origin": origin or "null"}
        ).status
        == 403
    )
    websocket = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": origin or "null",
    }
    assert (
        browser.send(
            "GET", "/v1/data-channel/alice-0123456789abcdef0", headers=websocket
        ).status
        == 403
    )


def test_a_form_of_another_site_is_no_sign_in(server, user):
    browser = Browser(server)
    body = json.dumps({"userName": user.name, "password": PASSWORD})
    answer = browser.send(
        "POST", "/console/api/sign-in", body.encode(), {"Content-Type": "text/plain"}
    )
    assert answer.status == 400 and browser.cookies == {}


def test_a_stolen_cookie_is_worthless_after_sign_out(server, user):
    browser = user.browser()
    thief = Browser(server)
    thief.cookies, thief.csrf = dict(browser.cookies), browser.csrf
    assert thief.call(*SESSIONS).status == 200
    assert browser.post("sign-out").status == 204
    assert browser.cookies == {}
    assert thief.call(*SESSIONS).code == "ExpiredTokenException"
    assert thief.get("session").status == 403
    # A page that is still open learns that it is signed out.
    assert browser.call(*SESSIONS).code == "ExpiredTokenException"


def test_sign_ins_end_by_themselves(lab):
    server = lab.server({"POSTERN_CONSOLE_IDLE_TIME_MAX": "1s"}).start()
    browser = User(server, allow("ssm:DescribeSessions")).browser()
    assert browser.call(*SESSIONS).status == 200
    eventually(
        lambda: browser.call(*SESSIONS).code == "ExpiredTokenException",
        "the unused sign-in is over",
        10,
    )
    other = lab.server({"POSTERN_CONSOLE_SIGN_IN_TIME_MAX": "2s"}).start()
    browser = User(other, allow("ssm:DescribeSessions")).browser()
    eventually(
        lambda: browser.call(*SESSIONS).code == "ExpiredTokenException",
        "the old sign-in is over",
        10,
    )


def test_a_code_is_asked_for_and_works_once(server, user):
    seed = user.add_device()
    browser, other = Browser(server), Browser(server)
    for each in (browser, other):
        assert each.sign_in(user.name, PASSWORD).json() == {
            "next": "mfa",
            "methods": ["totp"],
        }
        assert each.get("session").status == 403 and each.call(*SESSIONS).status != 200
    assert (
        browser.post("sign-in/mfa", {"code": "000000"}).json()["code"] == "SignInFailed"
    )
    code = next_code(seed)
    half = dict(browser.cookies)
    assert browser.post("sign-in/mfa", {"code": code}).json() == {"next": "done"}
    assert browser.cookies != half
    browser.read_token()
    assert browser.get("session").json()["mfa"] is True
    assert other.post("sign-in/mfa", {"code": code}).json()["code"] == "SignInFailed"
    # The cookie of the half-done sign-in has had its day.
    other.cookies = half
    assert other.post("sign-in/mfa", {"code": code}).status == 403
    logins = records(server, "ConsoleLogin", user.name)
    assert {login["responseElements"]["ConsoleLogin"] for login in logins} == {
        "Success",
        "Failure",
    }
    assert all(login["additionalEventData"]["MFAUsed"] == "Yes" for login in logins)
    assert records(server, "CheckMfa", user.name)


def test_policies_know_whether_a_code_was_given(server):
    condition = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}
    user = User(server, allow("ssm:DescribeSessions", **condition))
    assert user.browser().call(*SESSIONS).code == "AccessDeniedException"
    seed = user.add_device()
    browser = Browser(server)
    browser.sign_in(user.name, PASSWORD)
    browser.post("sign-in/mfa", {"code": next_code(seed)})
    browser.read_token()
    assert browser.call(*SESSIONS).status == 200


def test_a_password_that_must_be_changed_opens_nothing_else(server):
    user = User(server, allow("ssm:DescribeSessions"), reset=True)
    browser = Browser(server)
    assert browser.sign_in(user.name, PASSWORD).json() == {"next": "change-password"}
    assert (
        browser.get("session").status == 403 and browser.call(*SESSIONS).status != 200
    )

    def change(old, new):
        return browser.post(
            "sign-in/new-password", {"oldPassword": old, "newPassword": new}
        )

    assert change("Wrong-horse-7", OTHER_PASSWORD).status == 403
    assert change(PASSWORD, PASSWORD).status == 400
    assert (
        change(PASSWORD, "short").json()["code"].startswith("PasswordPolicyViolation")
    )
    assert change(PASSWORD, OTHER_PASSWORD).json() == {"next": "done"}
    browser.read_token()
    assert browser.call(*SESSIONS).status == 200
    assert Browser(server).sign_in(user.name, OTHER_PASSWORD).json() == {"next": "done"}
    assert records(server, "PasswordUpdated", user.name)[0]["responseElements"] == {
        "PasswordUpdated": "Success"
    }


@pytest.mark.parametrize("how", ["password", "profile"])
def test_sign_ins_end_with_the_password(server, user, how):
    browser = user.browser()
    if how == "password":
        user.iam.update_login_profile(UserName=user.name, Password=OTHER_PASSWORD)
    else:
        user.iam.delete_login_profile(UserName=user.name)
    assert browser.call(*SESSIONS).code == "ExpiredTokenException"
    assert browser.get("session").status == 403


def test_who_changes_the_password_stays_signed_in_here_and_nowhere_else(server):
    user = User(server, allow(["ssm:DescribeSessions", "iam:ChangePassword"]))
    here, elsewhere = user.browser(), user.browser()
    changed = here.query(
        "iam", IAM, "ChangePassword", OldPassword=PASSWORD, NewPassword=OTHER_PASSWORD
    )
    assert changed.status == 200, changed.body
    assert here.call(*SESSIONS).status == 200
    assert elsewhere.call(*SESSIONS).code == "ExpiredTokenException"


def test_a_deleted_user_is_signed_out(server, user):
    browser = user.browser()
    user.iam.delete_login_profile(UserName=user.name)
    user.delete()
    assert browser.call(*SESSIONS).code == "ExpiredTokenException"


def test_sign_ins_are_listed_and_ended(server, user):
    one, other = user.browser(), user.browser()
    listed = one.get("sign-ins").json()["signIns"]
    assert len(listed) == 2 and [row["current"] for row in listed].count(True) == 1
    assert {row["userName"] for row in listed} == {user.name}
    [theirs] = [row for row in listed if not row["current"]]
    stranger = User(server, allow("ssm:DescribeSessions")).browser()
    assert stranger.delete(f"sign-ins/{theirs['id']}").status == 403
    everyone = stranger.get("sign-ins?all=1")
    assert (
        everyone.status == 403 and "postern:ListSignIns" in everyone.json()["message"]
    )
    assert one.delete(f"sign-ins/{theirs['id']}").status == 204
    assert other.call(*SESSIONS).code == "ExpiredTokenException"
    assert one.call(*SESSIONS).status == 200
    officer = User(
        server, allow(["postern:ListSignIns", "postern:EndSignIn"])
    ).browser()
    everyone = officer.get("sign-ins?all=1").json()["signIns"]
    [mine] = [row for row in everyone if row["userName"] == user.name]
    assert officer.delete(f"sign-ins/{mine['id']}").status == 204
    assert one.call(*SESSIONS).code == "ExpiredTokenException"


@pytest.fixture
def role(server, user):
    name = f"of-{user.name}"
    arn = user.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(user.arn))[
        "Role"
    ]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [allow("ssm:DescribeActivations")]}
    user.iam.put_role_policy(
        RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(policy)
    )
    return arn


def test_switching_to_a_role_and_back(server, user, role):
    browser = user.browser()
    assert browser.post("switch-role", {"roleArn": role}).json() == {"next": "done"}
    session = browser.get("session").json()
    assert session["role"] == {"arn": role, "sessionName": user.name}
    assert session["principalArn"].endswith(f"assumed-role/of-{user.name}/{user.name}")
    assert browser.call(*SESSIONS).code == "AccessDeniedException"
    assert browser.call("AmazonSSM.DescribeActivations").status == 200
    [switch] = records(server, "SwitchRole", user.name)
    assert switch["responseElements"] == {"SwitchRole": "Success"}
    assert switch["additionalEventData"]["SwitchTo"] == role
    assert browser.post("switch-back").json() == {"next": "done"}
    assert browser.call(*SESSIONS).status == 200


def test_signing_in_anew_in_a_browser_ends_its_former_sign_in(server, user):
    browser = user.browser()
    former = Browser(server)
    former.cookies, former.csrf = dict(browser.cookies), browser.csrf
    elsewhere = user.browser()
    assert browser.sign_in(user.name, "Wrong-horse-7").status == 403
    assert former.call(*SESSIONS).status == 200, "who does not come in puts nobody out"
    assert browser.sign_in(user.name, PASSWORD).json() == {"next": "done"}
    assert former.call(*SESSIONS).code == "ExpiredTokenException"
    assert browser.call(*SESSIONS).status == 200
    assert elsewhere.call(*SESSIONS).status == 200, "another browser is signed in as before"
    [out] = records(server, "SignOut", user.name)
    assert out["eventType"] == "AwsConsoleSignIn" and out["userIdentity"]["arn"] == user.arn


def test_a_role_that_trusts_others_is_not_taken_on(server, user, role):
    browser = User(server, allow("ssm:DescribeSessions")).browser()
    refused = browser.post("switch-role", {"roleArn": role})
    assert refused.status == 403 and "sts:AssumeRole" in refused.json()["message"]
    assert browser.get("session").json()["role"] is None
    assert browser.post("switch-role", {"roleArn": role + "x"}).status == 403


@pytest.mark.parametrize("name", ["alice/", " alice", "a" * 300, "a", ""])
def test_a_name_that_no_role_session_can_have_is_refused(server, user, role, name):
    browser = user.browser()
    refused = browser.post("switch-role", {"roleArn": role, "sessionName": name})
    assert refused.status == 400 and refused.json()["code"].startswith("Validation")
    assert browser.get("session").json()["role"] is None


def test_the_setup_link_works_once(lab):
    server = lab.server().start()
    [token] = re.findall(r"/console/setup#(\S+)", server.program.logged())
    browser = Browser(server)
    assert browser.get("sign-in").json()["setup"] is True

    def set_up(token):
        return browser.post("setup", {"token": token, "password": PASSWORD})

    assert set_up(token[:-1] + "x").status == 403
    assert browser.post("setup", {"token": token, "password": "short"}).status == 400
    # Another link takes the place of the first.
    command = [
        binary("postern-server"),
        "setup-link",
        "--data-dir",
        str(server.data),
        "--public-url",
        server.url,
    ]
    made = subprocess.run(
        command, env=clean_environment(), capture_output=True, text=True, timeout=60
    )
    assert made.returncode == 0 and made.stdout.startswith(
        f"{server.url}/console/setup#"
    ), made.stderr
    assert set_up(token).status == 403
    token = made.stdout.strip().partition("#")[2]
    assert set_up(token).json() == {"next": "done"}
    browser.read_token()
    assert browser.query("iam", IAM, "ListUsers").status == 200
    assert (
        set_up(token).status == 403 and browser.get("sign-in").json()["setup"] is False
    )
    assert Browser(server).sign_in("admin", PASSWORD).json() == {"next": "done"}
    made = subprocess.run(
        command, env=clean_environment(), capture_output=True, text=True, timeout=60
    )
    assert made.returncode == 1 and "has a password already" in made.stderr
    server.stop()
    server.start()
    assert "/console/setup#" not in server.program.logged()


def test_the_database_holds_no_cookie_and_no_token(lab):
    server = lab.server().start()
    [token] = re.findall(r"/console/setup#(\S+)", server.program.logged())
    user = User(server, allow("ssm:DescribeSessions"))
    browser = user.browser()
    secrets = [token, browser.csrf, *browser.cookies.values(), PASSWORD]
    content = b"".join(
        path.read_bytes() for path in server.data.rglob("*") if path.is_file()
    )
    assert user.name.encode() in content
    for secret in secrets:
        assert secret.encode() not in content
    assert not any(secret in server.program.logged() for secret in secrets[1:])


def test_a_live_session_ends_with_the_sign_in_that_started_it(server, node):
    user = User(server, allow(["ssm:*", "ssmmessages:*"]))
    browser, elsewhere = user.browser(), user.browser()
    started = browser.call("AmazonSSM.StartSession", {"Target": node.node_id}).json()[
        "SessionId"
    ]

    def live():
        return [s["SessionId"] for s in browser_of_all(server)["Sessions"]]

    assert started in live()
    # Who only signs out leaves the session running.
    browser.post("sign-out")
    assert (
        elsewhere.call("AmazonSSM.GetConnectionStatus", {"Target": node.node_id}).status
        == 200
    )
    assert started in live()
    user.iam.update_login_profile(UserName=user.name, Password=OTHER_PASSWORD)
    eventually(lambda: started not in live(), "the session has ended", 10)


def browser_of_all(server) -> dict:
    return server.client("ssm").describe_sessions(State="Active")
