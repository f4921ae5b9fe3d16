"""Signing in to the console with an identity provider."""

import base64
import json

import pytest
from harness import chromium as real
from harness.browser import Browser
from harness.https import Authority
from harness.issuer import Issuer
from harness.people import allow, document
from harness.programs import ACCOUNT
from playwright.sync_api import expect

CLIENT, SECRET = "postern-console", "s3cret:with/odd characters"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Operators"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def issuer(authority):
    issuer = Issuer(authority)
    yield issuer
    issuer.close()


@pytest.fixture(scope="module")
def provided(shared_lab, authority, issuer, tmp_path_factory):
    return with_provider(shared_lab, authority, issuer, tmp_path_factory.mktemp("configuration"))


def with_provider(lab, authority, issuer, directory):
    """A server that people can sign in to with the issuer, as a role that trusts it."""
    (directory / "secret").write_text(f"{SECRET}\n")
    file = directory / "postern.toml"
    file.write_text(f"""
[oidc]
ca_certificates = "{authority.ca_file}"
allow_loopback = true

[console.oidc.acme]
issuer = "{issuer.url}"
client_id = "{CLIENT}"
client_secret_file = "{directory / "secret"}"
name = "Acme"
scopes = "openid groups"
roles = [
    {{ claim = "groups", value = "operators", role = "{ROLE}" }},
    {{ claim = "groups", value = "strangers", role = "arn:aws:iam::{ACCOUNT}:role/NotTrusting" }},
]
""")
    server = lab.server(flags=["--config", str(file)]).start()
    iam = server.client("iam")
    provider = iam.create_open_id_connect_provider(
        Url=issuer.url, ClientIDList=[CLIENT, "another"]
    )
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider["OpenIDConnectProviderArn"]},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer.name}:aud": CLIENT}},
    }
    iam.create_role(RoleName="Operators", AssumeRolePolicyDocument=document(statement))
    policy = document(allow("ssm:DescribeSessions"))
    iam.put_role_policy(
        RoleName="Operators", PolicyName="inline", PolicyDocument=policy
    )
    trusts_nobody = document(statement | {"Effect": "Deny"})
    iam.create_role(RoleName="NotTrusting", AssumeRolePolicyDocument=trusts_nobody)
    return server


def away(server) -> tuple[Browser, str]:
    """A browser that is sent to the provider, and where."""
    browser = Browser(server)
    started = browser.get("oidc/acme/start")
    assert started.status == 302
    return browser, started.headers["location"]


def back(browser: Browser, address: str):
    assert address.startswith(browser.server.url)
    return browser.send("GET", address.removeprefix(browser.server.url))


def refused(answer) -> bool:
    return answer.status == 302 and answer.headers["location"].startswith(
        "/console/sign-in?error="
    )


def test_somebody_of_the_provider_signs_in_as_the_role(provided, issuer):
    assert Browser(provided).get("sign-in").json()["oidc"] == [
        {"id": "acme", "name": "Acme"}
    ]
    browser, location = away(provided)
    assert "scope=openid+groups" in location
    [cookie] = browser.set_cookies
    assert (
        cookie.startswith("__Host-postern-oidc=")
        and "SameSite=Lax" in cookie
        and "HttpOnly" in cookie
    )
    returned = back(
        browser,
        issuer.authorize(
            location, sub="alice@example.com", groups=["staff", "operators"]
        ),
    )
    assert (returned.status, returned.headers["location"]) == (302, "/console/")
    assert any(
        c.startswith("__Host-postern=") and "SameSite=Strict" in c
        for c in browser.set_cookies
    )
    assert list(browser.cookies) == ["__Host-postern"]
    browser.read_token()
    session = browser.get("session").json()
    assert (
        session["principalArn"]
        == f"arn:aws:sts::{ACCOUNT}:assumed-role/Operators/alice@example.com"
    )
    assert (session["userName"], session["role"]) == (None, None)
    assert browser.call("AmazonSSM.DescribeSessions", {"State": "Active"}).status == 200
    assert browser.call("AmazonSSM.DescribeActivations").code == "AccessDeniedException"
    basic = base64.b64decode(issuer.authorizations[-1].removeprefix("Basic ")).decode()
    assert basic == f"{CLIENT}:s3cret%3Awith%2Fodd+characters"

    found = provided.client("cloudtrail").lookup_events(
        LookupAttributes=[
            {"AttributeKey": "EventName", "AttributeValue": "ConsoleLogin"}
        ]
    )
    login = json.loads(found["Events"][0]["CloudTrailEvent"])
    assert login["responseElements"] == {"ConsoleLogin": "Success"}
    assert login["userIdentity"]["arn"] == session["principalArn"]
    federation = login["userIdentity"]["sessionContext"]["webIdFederationData"]
    assert federation["federatedProvider"].endswith(issuer.name)


@pytest.mark.parametrize("groups, ends", [("operators", "in"), ("strangers", "untrusted"), ("cooks", "unmeant")])
def test_the_way_there_and_back_in_a_real_browser(provided, issuer, chromium, groups, ends):
    """The provider is another site (another host): which cookies come along is for the browser to decide."""
    issuer.visitor = {"sub": "bob@example.com", "groups": groups}
    page = chromium.stranger(provided)
    page.goto("/console/sessions")
    page.get_by_role("link", name="Continue with Acme").click()
    expect(page).to_have_title("Provider")
    page.get_by_role("link", name="It is me").click()
    if ends == "in":
        expect(page).to_have_url(f"{provided.local_url}/console/sessions")
        expect(page.get_by_role("button", name="bob@example.com")).to_be_visible()
    else:
        told = {"untrusted": "does not trust this identity provider", "unmeant": "no role here is meant for you"}
        expect(page.get_by_text(told[ends])).to_be_visible()
        assert real.accessibility_faults(page) == []
    page.context.close()
    assert chromium.complaints == []


def test_only_the_browser_that_left_can_come_back(provided, issuer):
    browser, location = away(provided)
    address = issuer.authorize(location, groups="operators")
    stranger = Browser(provided)
    assert refused(back(stranger, address)) and stranger.cookies == {}
    other, _ = away(provided)
    assert refused(back(other, address)) and "__Host-postern" not in other.cookies
    assert back(browser, address).headers["location"] == "/console/"
    # The code has been used.
    assert refused(back(browser, address))


@pytest.mark.parametrize(
    "claims",
    [
        {"groups": ["staff"]},
        {"groups": "strangers"},
        {"groups": "operators", "nonce": "another"},
        {"groups": "operators", "nonce": None},
        {"groups": "operators", "aud": "another"},
        {"groups": "operators", "aud": "nobody"},
        {"groups": "operators", "exp": 1},
    ],
    ids=[
        "no-role",
        "role-trusts-others",
        "nonce",
        "no-nonce",
        "other-client",
        "no-client",
        "expired",
    ],
)
def test_a_token_that_does_not_fit_signs_nobody_in(provided, issuer, claims):
    browser, location = away(provided)
    assert refused(back(browser, issuer.authorize(location, **claims)))
    assert "__Host-postern" not in browser.cookies


def test_what_the_provider_refuses_is_told(provided, issuer):
    browser, location = away(provided)
    address = issuer.authorize(location, groups="operators")
    state = address.partition("state=")[2]
    denied = back(
        browser, f"{address.partition('?')[0]}?error=access_denied&state={state}"
    )
    assert denied.headers["location"] == "/console/sign-in?error=SignInFailed"
    assert refused(Browser(provided).get("oidc/unknown/start"))


VISIT = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    "headers, is_sent",
    [
        (VISIT | {"Sec-Fetch-Site": "same-origin"}, True),
        (VISIT | {"Sec-Fetch-Site": "none"}, True),
        (VISIT | {"Sec-Fetch-Site": "cross-site"}, False),
        (VISIT | {"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, False),
        ({"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, False),
        ({}, True),
    ],
    ids=["own page", "bookmark", "other site", "sibling", "image", "frame", "no browser"],
)
def test_only_a_page_of_this_server_sends_a_browser_away(provided, headers, is_sent):
    browser = Browser(provided)
    answer = browser.send("GET", "/console/api/oidc/acme/start", headers=headers)
    assert answer.status == 302
    assert answer.headers["location"].startswith("/console/sign-in?error=") is not is_sent
    assert (list(browser.cookies) == ["__Host-postern-oidc"]) is is_sent


def test_who_comes_back_in_vain_begins_anew(provided, issuer):
    browser, location = away(provided)
    address = issuer.authorize(location, groups="operators")
    image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    path = address.removeprefix(provided.url)
    for answer in [browser.send("GET", path, headers=image), back(browser, address)]:
        assert refused(answer)
        assert browser.cookies == {}, "what it left with is taken away"


def test_strangers_take_nothing_from_those_who_register_nodes(lab, authority, issuer, tmp_path):
    """Sending browsers away has a budget of its own, and who was not sent away spends none of it."""
    server = with_provider(lab, authority, issuer, tmp_path)
    stranger = Browser(server)
    for _ in range(65):
        assert refused(stranger.get("oidc/acme/callback?state=made-up&code=x"))
    # One comes back each second.
    spent = [stranger.get("oidc/acme/start") for _ in range(150)]
    assert spent[0].headers["location"].startswith(issuer.url)
    assert spent[-1].headers["location"] == "/console/sign-in?error=TooManyAttempts"
    lab.agent(server).register()


def test_signing_in_anew_ends_the_former_sign_in(provided, issuer):
    server = provided
    browser, location = away(server)
    assert back(browser, issuer.authorize(location, sub="erin@example.com", groups="operators")).status == 302
    browser.read_token()
    former = Browser(server)
    former.cookies, former.csrf = dict(browser.cookies), browser.csrf
    assert former.get("session").status == 200

    started = browser.get("oidc/acme/start")
    # The way back begins on another site: the browser keeps the cookie of its sign-in to itself.
    kept = browser.cookies.pop("__Host-postern")
    assert back(browser, issuer.authorize(started.headers["location"], sub="erin@example.com", groups="operators")).status == 302
    assert browser.cookies["__Host-postern"] != kept
    assert former.get("session").status == 403
    browser.read_token()
    assert browser.get("session").status == 200
    found = server.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "SignOut"}]
    )
    out = json.loads(found["Events"][0]["CloudTrailEvent"])
    assert out["userIdentity"]["arn"].endswith("/Operators/erin@example.com")


def test_a_mistake_in_the_configuration_is_named(lab, tmp_path):
    file = tmp_path / "postern.toml"
    file.write_text(
        '[console.oidc.acme]\nissuer = "http://idp.example"\nclient_id = "x"\nroles = []\n[console.oidc.b]\nx = 1\n'
    )
    server = lab.server(flags=["--config", str(file)])
    server.start(wait=False)
    assert server.program.wait() == 2
    logged = server.program.logged()
    assert "console.oidc.acme: issuer" in logged and "console.oidc.b" in logged
