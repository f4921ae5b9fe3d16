"""Preferences and session documents in the browser: read, changed, refused, put back."""

import json
import re

import pytest
from harness.chromium import PHONE, accessibility_faults, give_password, overflow_px, visit
from harness.people import Person, allow
from playwright.sync_api import Page, expect

PREFERENCES = "SSM-SessionManagerRunShell"


@pytest.fixture
def server(lab):
    """The preferences of the shared one are those of all tests."""
    return lab.server().start()


@pytest.fixture
def owner(server):
    person = Person(server, allow("*"))
    give_password(server, person.name)
    return person


def inputs_of(server, name: str = PREFERENCES) -> dict:
    content = server.client().get_document(Name=name, DocumentVersion="$LATEST")["Content"]
    return json.loads(content)["inputs"]


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The preferences were saved.")).to_be_visible()


def write(page: Page, content: str) -> None:
    page.get_by_role("textbox", name="Document").fill(content)


def test_preferences_are_made_changed_and_put_back(page, server, owner):
    visit(page, "/preferences")
    expect(page.get_by_text("the built-in ones hold")).to_be_visible()
    expect(page.get_by_text("20 minutes")).to_be_visible()
    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Idle time-out").fill("15")
    page.get_by_role("checkbox", name="Run As").check()
    page.get_by_label("Default user").fill("ops")
    save(page)
    made = inputs_of(server)
    assert (made["idleSessionTimeout"], made["runAsEnabled"], made["runAsDefaultUser"]) == ("15", True, "ops")
    expect(page.get_by_text("15 minutes")).to_be_visible()

    page.get_by_role("link", name="Edit").click()
    page.get_by_label("Maximum duration").fill("480")
    save(page)
    assert inputs_of(server)["maxSessionDuration"] == "480"
    description = server.client().describe_document(Name=PREFERENCES)["Document"]
    assert (description["DefaultVersion"], description["LatestVersion"]) == ("2", "2")

    page.get_by_role("tab", name="Versions").click()
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="2"))
    expect(row.get_by_text("In use")).to_be_visible()
    expect(row.get_by_role("link", name=owner.name)).to_be_visible()
    page.get_by_role("button", name="Show 1").click()
    expect(page.get_by_role("dialog").get_by_text('"idleSessionTimeout"')).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Use 1").click()
    expect(page.get_by_text("Version 1 is used now.")).to_be_visible()
    assert inputs_of(server).get("maxSessionDuration") == ""

    page.get_by_role("button", name="Restore built-in preferences").click()
    page.get_by_role("dialog").get_by_role("button", name="Restore built-in preferences").click()
    expect(page.get_by_text("the built-in ones hold")).to_be_visible()
    assert inputs_of(server)["idleSessionTimeout"] == "20"


def test_each_field_says_what_is_wrong_with_it(page):
    visit(page, "/preferences/edit")
    button = page.get_by_role("button", name="Save")
    expect(button).to_be_disabled()
    for label, wrong, told, right in [
        ("Idle time-out", "soon", "This is not a whole number of minutes.", "30"),
        ("Default user", "alice", "It has no effect without Run As", ""),
        ("Bucket", "Logs", "A bucket has 3 to 63 lower-case letters", ""),
        ("Prefix of keys", "a/", "There is no bucket for it", ""),
        ("Log group", "a b", "A log group has letters", ""),
        ("KMS key", "arn:aws:s3:::a", "neither the ID nor the ARN", ""),
        ("Linux and macOS", "x" * 513, "at most 512 characters", ""),
    ]:
        field = page.get_by_label(label, exact=True)
        field.fill(wrong)
        expect(page.get_by_text(told)).to_be_visible()
        expect(button).to_be_disabled()
        field.fill(right)
        expect(page.get_by_text(told)).to_have_count(0)
    # Only the server knows what its operator allows.
    page.get_by_label("Idle time-out").fill("61")
    button.click()
    expect(page.get_by_text(re.compile("inputs.idleSessionTimeout.*from 1 to 60")).first).to_be_visible()
    expect(page.get_by_label("Idle time-out")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Idle time-out").fill("60")
    save(page)


def test_what_the_form_does_not_know_stays(page, server):
    content = {
        "schemaVersion": "1.0",
        "description": "Ours",
        "sessionType": "Standard_Stream",
        "inputs": {"idleSessionTimeout": "5"},
        "properties": {"linux": {"commands": "", "runAsElevated": False}},
    }
    server.client().create_document(Name=PREFERENCES, Content=json.dumps(content), DocumentType="Session")
    visit(page, "/preferences/edit")
    page.get_by_label("Idle time-out").fill("6")
    save(page)
    kept = json.loads(server.client().get_document(Name=PREFERENCES, DocumentVersion="$LATEST")["Content"])
    assert (kept["description"], kept["properties"]) == ("Ours", content["properties"])
    assert kept["inputs"]["idleSessionTimeout"] == "6"

    content["parameters"] = {"minutes": {"type": "String", "default": "7"}}
    content["inputs"]["idleSessionTimeout"] = "{{ minutes }}"
    server.client().update_document(Name=PREFERENCES, Content=json.dumps(content))
    visit(page, "/preferences")
    expect(page.get_by_text("cannot show")).to_be_visible()


def test_a_document_is_written_changed_and_deleted(page, server):
    visit(page, "/documents")
    page.get_by_role("link", name="Create document").click()
    name = page.get_by_label("Name")
    for wrong, told in [("a", "3 to 128"), ("AWS-Mine", "are reserved")]:
        name.fill(wrong)
        expect(page.get_by_text(told).last).to_be_visible()
    name.fill("From-Console")
    write(page, '{"schemaVersion": "1.0",')
    expect(page.get_by_role("list", name="What is wrong")).to_be_visible()
    content = {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {"color": "red"}}
    write(page, json.dumps(content, indent=2))
    page.get_by_role("button", name="Create", exact=True).click()
    wrong = page.get_by_role("list", name="What is wrong")
    expect(wrong.get_by_text("inputs.color is not a field of session documents")).to_be_visible()
    expect(wrong.get_by_role("button", name="Line 5")).to_be_visible()
    content["inputs"] = {"idleSessionTimeout": "5"}
    write(page, json.dumps(content))
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("heading", name="From-Console")).to_be_visible()
    assert inputs_of(server, "From-Console") == {"idleSessionTimeout": "5"}

    page.get_by_role("link", name="Edit").click()
    page.get_by_role("checkbox", name="Use this version at once").uncheck()
    content["inputs"] = {"idleSessionTimeout": "6"}
    write(page, json.dumps(content))
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Use 2").click()
    expect(page.get_by_text("Version 2 is used now.")).to_be_visible()
    assert server.client().describe_document(Name="From-Console")["Document"]["DefaultVersion"] == "2"
    page.get_by_role("button", name="Delete 1").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("1")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Show 1")).to_have_count(0)

    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("From-Console")
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("From-Console was deleted.")).to_be_visible()
    names = {item["Name"] for item in server.client().list_documents()["DocumentIdentifiers"]}
    assert "From-Console" not in names


def test_what_is_not_allowed_is_explained(browser, server):
    reads = Person(server, allow(["ssm:Get*", "ssm:Describe*", "ssm:List*"]))
    give_password(server, reads.name)
    page = browser.signed_in(server, reads.name)
    visit(page, "/preferences/edit")
    page.get_by_label("Idle time-out").fill("5")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("What is missing: ssm:CreateDocument")).to_be_visible()


@pytest.mark.parametrize("path", ["/preferences", "/preferences/edit", "/documents/create/session", f"/documents/{PREFERENCES}?tab=versions"])
def test_the_pages_are_accessible_at_any_width(browser, server, owner, path):
    content = json.dumps({"schemaVersion": "1.0", "sessionType": "Standard_Stream"})
    server.client().create_document(Name=PREFERENCES, Content=content, DocumentType="Session")
    for options in [{}, {"viewport": PHONE}, {"color_scheme": "dark"}]:
        page = browser.signed_in(server, owner.name, **options)
        visit(page, path)
        assert accessibility_faults(page) == []
        assert overflow_px(page) <= 0
