"""Sessions in the browser: started, refused with the reason, listed, ended, looked at afterwards."""

import re

import pytest
from harness.chromium import PHONE, accessibility_faults, give_password, overflow_px, visit
from harness.people import Person, allow, deny
from harness.programs import ACCOUNT, REGION
from harness.waiting import eventually
from playwright.sync_api import Page, expect


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("button", name=re.compile(rf"^{label}")).click()
    page.get_by_role("option", name=re.compile(option)).click()


def sessions_of(server, owner, state: str) -> list[dict]:
    filters = [{"key": "Owner", "value": owner.arn}]
    return server.client().describe_sessions(State=state, Filters=filters)["Sessions"]


def test_a_session_is_started_from_the_list_of_nodes_and_terminated_from_that_of_sessions(page, server, node, owner):
    visit(page, f"/nodes?filter=id%3D{node.node_id}")
    page.get_by_role("radio").check()
    page.get_by_role("link", name="Start session").click()
    page.get_by_label("Reason").fill("looking <b>around</b>")
    page.get_by_role("button", name="Start session").click()
    expect(page).to_have_url(re.compile(r"/console/terminal\?"))
    session = eventually(lambda: sessions_of(server, owner, "Active"), "the session is there")[0]
    assert session["Target"] == node.node_id and session["Reason"] == "looking <b>around</b>"

    visit(page, f"/sessions?filter=id%3D{session['SessionId']}")
    row = page.get_by_role("row").filter(has_text=session["SessionId"])
    expect(row.get_by_text("looking <b>around</b>")).to_be_visible()
    row.get_by_role("radio").check()
    page.get_by_role("button", name="Terminate").click()
    assert accessibility_faults(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Terminate").click()
    expect(page.get_by_text("is being terminated")).to_be_visible()
    eventually(lambda: not sessions_of(server, owner, "Active"), "the session has ended")

    visit(page, f"/sessions?list=history&filter=id%3D{session['SessionId']}")
    page.get_by_role("link", name=session["SessionId"]).click()
    expect(page.get_by_role("link", name="Replay")).to_have_attribute(
        "href", f"/console/sessions/{session['SessionId']}/replay"
    )
    # The trail's records of it: who started and who ended it, and its course.
    for event in ["StartSession", "TerminateSession", "SessionEnded"]:
        expect(page.get_by_role("link", name=event).first).to_be_visible()
    # And what they say together.
    for label, value in [("Started from", "127.0.0.1"), ("Used by", "postern/"), ("To the node, and back", " B, "), ("Access type", "Standard")]:
        told = page.locator("dt").filter(has_text=label).locator("xpath=following-sibling::dd[1]")
        expect(told).to_contain_text(value)
    assert accessibility_faults(page) == []


def test_a_documents_parameters_become_fields(page, server, node, owner):
    visit(page, f"/start-session?target={node.node_id}")
    choose(page, "Document", "^AWS-StartInteractiveCommand")
    assert "document=AWS-StartInteractiveCommand" in page.url
    page.get_by_role("button", name="Start session").click()
    expect(page.get_by_text("This parameter needs a value.")).to_be_visible()
    page.get_by_role("textbox", name="command", exact=True).fill("sleep 60")
    page.get_by_role("button", name="Start session").click()
    expect(page).to_have_url(re.compile(r"/console/terminal\?"))
    session = sessions_of(server, owner, "Active")[0]
    assert session["DocumentName"] == "AWS-StartInteractiveCommand"
    server.client().terminate_session(SessionId=session["SessionId"])


def test_ports_are_forwarded_elsewhere(page, node):
    visit(page, f"/start-session?target={node.node_id}&document=AWS-StartPortForwardingSession")
    page.get_by_role("textbox", name="portNumber", exact=True).fill("0x50")
    expect(page.get_by_text("The document allows only what fits")).to_be_visible()
    page.get_by_role("textbox", name="portNumber", exact=True).fill("5432")
    command = (
        f"start-session --target {node.node_id} --document-name AWS-StartPortForwardingSession "
        """--parameters '{"portNumber":["5432"]}'"""
    )
    expect(page.get_by_text(f"postern {command}")).to_be_visible()
    expect(page.get_by_text(f"aws ssm {command}")).to_be_visible()
    expect(page.get_by_role("button", name="Start session")).to_be_disabled()


def test_a_refusal_by_tag_is_explained_with_the_nodes_tags(browser, server, node):
    server.client().add_tags_to_resource(
        ResourceType="ManagedInstance", ResourceId=node.node_id, Tags=[{"Key": "refused-by", "Value": "tag"}]
    )
    by_tag = {"StringEquals": {"ssm:resourceTag/refused-by": "tag"}}
    person = Person(
        server, allow(["ssm:*", "iam:*"]), deny("ssm:StartSession", Sid="NotWithThisTag", Condition=by_tag)
    )
    give_password(server, person.name)
    page = browser.signed_in(server, person.name)
    visit(page, f"/start-session?target={node.node_id}")
    page.get_by_role("button", name="Start session").click()
    expect(page.get_by_text("NotWithThisTag")).to_be_visible()
    expect(page.get_by_text("DENIED:")).to_be_visible()
    server.client().remove_tags_from_resource(
        ResourceType="ManagedInstance", ResourceId=node.node_id, TagKeys=["refused-by"]
    )


@pytest.mark.parametrize("may_ask", [True, False], ids=["who may ask why", "who may not"])
def test_a_refusal_says_what_decided(browser, server, node, may_ask):
    arn = f"arn:aws:ssm:{REGION}:{ACCOUNT}:managed-instance/{node.node_id}"
    more = [allow("iam:SimulatePrincipalPolicy")] if may_ask else []
    person = Person(server, allow("ssm:*"), deny("ssm:StartSession", arn, Sid="NotThisOne"), *more)
    give_password(server, person.name)
    page = browser.signed_in(server, person.name)
    visit(page, f"/start-session?target={node.node_id}")
    page.get_by_role("button", name="Start session").click()
    expect(page.get_by_text("You are not allowed to do this")).to_be_visible()
    expect(page.get_by_text(f"ssm:StartSession on {arn}", exact=True)).to_be_visible()
    expect(page.get_by_text("explicit deny").first).to_be_visible()
    if may_ask:
        expect(page.get_by_text("NotThisOne").first).to_be_visible()
    else:
        expect(page.get_by_text("which you do not have")).to_be_visible()
    assert accessibility_faults(page) == []


def test_a_session_that_is_none(page):
    visit(page, "/sessions/nobody-0123456789abcdef0")
    expect(page.get_by_text("There is no such session")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", ["desktop", "phone"])
def test_the_pages_are_accessible(browser, server, owner, node, session, scheme, window):
    options = {"color_scheme": scheme} | ({"viewport": PHONE} if window == "phone" else {})
    page = browser.signed_in(server, owner.name, **options)
    paths = [
        "/sessions",
        "/sessions?list=history",
        f"/sessions/{session.id}",
        f"/start-session?target={node.node_id}&document=AWS-StartPortForwardingSession",
        "/sign-ins",
        "/switch-role",
        "/no/such/page",
    ]
    for path in paths:
        visit(page, path)
        assert accessibility_faults(page) == [], path
        assert overflow_px(page) <= 0, path
