"""The audit trail, documents and settings in the browser."""

import csv
import io
import json
import re
from urllib.parse import urlencode

import pytest
from harness.chromium import PHONE, accessibility_faults, give_password, overflow_px, visit
from harness.people import Person, allow
from harness.programs import ACCOUNT, REGION
from playwright.sync_api import Page, expect


def events_of(name: str, value: str) -> str:
    return f"/audit?{urlencode({'attribute': name, 'value': value, 'since': '1-hour'})}"


@pytest.fixture(scope="module")
def suspect(server):
    """Somebody with one call that was allowed and one that was denied."""
    person = Person(server, allow("ssm:ListDocuments"))
    person.client("ssm").list_documents()
    with pytest.raises(person.client("ssm").exceptions.ClientError):
        person.client("ssm").describe_sessions(State="Active")
    return person


def test_events_are_looked_up_by_what_the_address_says(page, suspect):
    visit(page, events_of("Username", suspect.name))
    names = page.get_by_role("table").get_by_role("link").all_inner_texts()
    assert names == ["DescribeSessions", "ListDocuments"], "the newest first"
    expect(page.get_by_role("row", name=re.compile("DescribeSessions.*Denied"))).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("ListDocuments.*Succeeded"))).to_be_visible()

    page.get_by_role("textbox", name="Value").fill("nobody-at-all")
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_text("No events")).to_be_visible()
    assert "value=nobody-at-all" in page.url and "since=1-hour" in page.url


def test_older_events_are_loaded_once_each(page, owner):
    reads = 60
    sts = owner.client("sts")
    for _ in range(reads):
        sts.get_caller_identity()
    visit(page, events_of("EventName", "GetCallerIdentity"))
    rows = page.get_by_role("table").get_by_role("link")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="Load more").click()
    expect(rows.nth(reads - 1)).to_be_visible()
    addresses = [link.get_attribute("href") for link in rows.all()]
    assert len(addresses) == len(set(addresses)) >= reads


def test_a_record_leads_on(page, suspect):
    visit(page, events_of("Username", suspect.name))
    page.get_by_role("link", name="DescribeSessions").click()
    expect(page.get_by_role("heading", name="DescribeSessions")).to_be_visible()
    expect(page.get_by_text("because no identity-based policy allows the ssm:DescribeSessions action").first).to_be_visible()
    expect(page.get_by_text("Denied: nothing allowed it")).to_be_visible()
    raw = json.loads(page.get_by_role("region", name="Record", exact=True).locator("pre").inner_text())
    assert raw["errorCode"] == "AccessDenied" and raw["userIdentity"]["userName"] == suspect.name

    link = page.get_by_role("link", name="Explain in the simulator")
    assert urlencode({"principal": suspect.arn, "action": "ssm:DescribeSessions"}) in link.get_attribute("href")
    page.get_by_role("link", name=suspect.name, exact=True).click()
    expect(page).to_have_url(re.compile(f"/console/access/users/{suspect.name}$"))


def test_a_session_leads_to_its_node(page, session, node):
    visit(page, events_of("EventName", "StartSession"))
    page.get_by_role("link", name="StartSession").first.click()
    assert page.get_by_role("link", name=node.node_id).get_attribute("href") == f"/console/nodes/{node.node_id}"
    expect(page.get_by_text("Session", exact=True)).to_be_visible()


def test_an_event_that_is_not_there(page):
    visit(page, "/audit/00000000-0000-4000-8000-000000000000")
    expect(page.get_by_text("There is no such event")).to_be_visible()


def test_what_is_shown_is_exported(page, suspect):
    visit(page, events_of("Username", suspect.name))

    def exported(item: str) -> str:
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("menuitem", name=item).click()
        return download.value.path().read_text()

    records = json.loads(exported("What is shown, as JSON"))["Records"]
    assert [record["eventName"] for record in records] == ["DescribeSessions", "ListDocuments"]
    rows = list(csv.DictReader(io.StringIO(exported("What is shown, as CSV"), newline="")))
    assert [row["eventName"] for row in rows] == ["DescribeSessions", "ListDocuments"]
    assert [row["errorCode"] for row in rows] == ["AccessDenied", ""]
    assert {row["userName"] for row in rows} == {suspect.name}


def test_the_state_of_the_trail_and_how_to_verify_it(page, server):
    visit(page, "/audit/trail")
    expect(page.get_by_text("Every call is recorded")).to_be_visible()
    arn = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/postern"
    expect(page.get_by_role("region", name="With AWS’s own tool, over the API")).to_contain_text(f"--trail-arn {arn}")
    keys = server.client("cloudtrail").list_public_keys()["PublicKeyList"]
    expect(page.get_by_text(keys[0]["Fingerprint"])).to_be_visible()


def test_who_may_not_look_up_learns_what_is_missing(browser, server):
    person = Person(server)
    give_password(server, person.name)
    page = browser.signed_in(server, person.name)
    visit(page, "/audit")
    expect(page.get_by_text("What is missing: cloudtrail:LookupEvents")).to_be_visible()
    page.context.close()


def test_documents_are_listed_and_read(page):
    visit(page, "/documents")
    page.get_by_role("searchbox", name="Find documents").fill("PortForwarding")
    assert page.url.endswith("?find=PortForwarding")
    page.get_by_role("link", name="AWS-StartPortForwardingSession", exact=True).click()
    expect(page.get_by_role("region", name="Content")).to_contain_text('"portNumber"')
    page.get_by_role("tab", name=re.compile("Parameters")).click()
    expect(page.get_by_role("row", name=re.compile("localPortNumber"))).to_be_visible()
    start = page.get_by_role("link", name="Start a session with it").get_attribute("href")
    assert start == "/console/start-session?document=AWS-StartPortForwardingSession"


def test_the_settings_tell_what_a_client_needs(page, server, owner):
    visit(page, "/settings")
    expect(page.get_by_text(server.local_url)).to_be_visible()
    expect(page.get_by_role("tabpanel", name="General").get_by_text(owner.arn)).to_be_visible()
    expect(page.get_by_text("The server makes and renews it itself.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"127\.0\.0\.1, .*localhost"))).to_be_visible()
    expect(page.get_by_text("log and digest files in the bucket")).to_be_visible()
    page.get_by_role("link", name="Where you are signed in").click()
    expect(page).to_have_url(re.compile("/console/sign-ins$"))

    visit(page, "/settings?tab=cli")
    expect(page.get_by_role("region", name="A profile")).to_contain_text(f"endpoint_url = {server.local_url}")
    key = page.get_by_role("link", name="Your credentials").get_attribute("href")
    assert key == f"/console/access/users/{owner.name}?tab=credentials"


def test_the_appearance_is_chosen_and_kept(page):
    visit(page, "/settings")
    page.get_by_role("radio", name="Dark").check()
    assert "awsui-dark-mode" in page.locator("body").get_attribute("class")
    page.reload()
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    page.get_by_role("radio", name="As the system").check()


def test_licences_of_console_and_server_are_told(page):
    visit(page, "/settings?tab=licences")
    page.get_by_role("searchbox", name="Find packages").fill("rustls")
    expect(page.get_by_role("row", name=re.compile("^rustls .*Server")).first).to_be_visible()
    page.get_by_role("searchbox", name="Find packages").fill("react-dom")
    page.get_by_role("button", name="Show the licence of react-dom").click()
    expect(page.get_by_role("region", name="Licence of react-dom")).to_contain_text("MIT License")


PAGES = {
    "events": "/audit",
    "trail": "/audit/trail",
    "documents": "/documents",
    "document": "/documents/AWS-StartPortForwardingSession?tab=parameters",
    "settings": "/settings",
    "AWS CLI": "/settings?tab=cli",
    "licences": "/settings?tab=licences",
}


def a_record(page: Page) -> str:
    visit(page, events_of("EventName", "ConsoleLogin"))
    return page.get_by_role("link", name="ConsoleLogin").first.get_attribute("href").removeprefix("/console")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_the_pages(browser, server, owner, scheme):
    page = browser.signed_in(server, owner.name, color_scheme=scheme)
    for name, path in (PAGES | {"event": a_record(page)}).items():
        visit(page, path)
        assert accessibility_faults(page) == [], name
    page.context.close()


def test_the_pages_fit_a_phone(browser, server, owner):
    page = browser.signed_in(server, owner.name, viewport=PHONE, reduced_motion="reduce")
    for name, path in (PAGES | {"event": a_record(page)}).items():
        visit(page, path)
        assert overflow_px(page) <= 0, name
    page.context.close()
