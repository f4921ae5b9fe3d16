"""Encrypted sessions in the terminal of a browser, and who may not have their key."""

import json
import uuid

import pytest
from harness import wire
from harness.chromium import accessibility_faults, give_password
from harness.console_terminal import ConsoleTerminal
from harness.people import Person, allow, deny
from harness.programs import ROLE
from playwright.sync_api import expect

# What encryption adds to a message.
NONCE_AND_TAG_BYTES = 12 + 16


@pytest.fixture(scope="module")
def document(server):
    """A session document with a key that the nodes may decrypt with."""
    key = server.client("kms").create_key(Description="of the browser")["KeyMetadata"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [allow("kms:Decrypt", key)]}
    iam, ssm = server.client("iam"), server.client("ssm")
    iam.put_role_policy(RoleName=ROLE, PolicyName="browser", PolicyDocument=json.dumps(policy))
    name = f"Encrypted-{uuid.uuid4().hex[:8]}"
    content = {"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {"kmsKeyId": key, "recording": "required"}}
    ssm.create_document(Name=name, DocumentType="Session", Content=json.dumps(content))
    yield name
    ssm.delete_document(Name=name)
    iam.delete_role_policy(RoleName=ROLE, PolicyName="browser")


def start(browser, server, node, document: str, *statements) -> ConsoleTerminal:
    person = Person(server, *statements)
    give_password(server, person.name)
    terminal = ConsoleTerminal(browser.signed_in(server, person.name))
    terminal.page.goto(f"/console/start-session?target={node.node_id}&document={document}")
    terminal.page.get_by_role("button", name="Start session").last.click()
    return terminal


def test_a_session_is_encrypted_between_browser_and_node(browser, server, node, document):
    terminal = start(browser, server, node, document, allow("*"))
    terminal.is_connected()
    frames = []

    def hear(frame) -> None:
        frames.append(frame)

    terminal.page.on("websocket", lambda socket: socket.on("framesent", hear))
    terminal.run("PS1='$ '; stty -echo; value=kept; echo shown-$((40 + 2))")
    terminal.shows("shown-42")
    expect(terminal.page.get_by_text("Encrypted between browser and node")).to_be_visible()
    assert accessibility_faults(terminal.page) == []
    [session_id] = terminal.session_ids()
    # Another page gets the data key again, by kms:Decrypt.
    terminal.page.reload()
    terminal.is_connected()
    terminal.run("echo $value ''again")
    terminal.shows("kept again")
    sent = [wire.decode(frame) for frame in frames if isinstance(frame, bytes)]
    typed = [message.payload for message in sent if message.payload_type == wire.PayloadType.OUTPUT]
    assert typed and all(len(payload) > NONCE_AND_TAG_BYTES for payload in typed), "what is typed goes nowhere in clear"
    assert not any(b"echo $value" in payload for payload in typed)
    terminal.run("exit 3")
    expect(terminal.banner()).to_contain_text("Exit code 3")
    [recorded] = (server.data / "recordings").rglob(f"{session_id}*.cast")
    assert "shown-42" in recorded.read_text()


def test_whoever_may_not_have_a_data_key_is_told(browser, server, node, document):
    terminal = start(browser, server, node, document, allow("ssm:*"), allow("ssmmessages:*"))
    expect(terminal.page.get_by_text("not authorized to perform: kms:GenerateDataKey").first).to_be_visible()
    expect(terminal.banner()).to_contain_text("The session has ended")


def test_whoever_may_not_decrypt_does_not_go_on_in_another_page(browser, server, node, document):
    terminal = start(browser, server, node, document, allow("*"), deny("kms:Decrypt"))
    terminal.is_connected()
    terminal.run("echo shown-$((40 + 2))")
    terminal.shows("shown-42")
    terminal.page.reload()
    expect(terminal.banner()).to_contain_text("its key cannot be had again")
    expect(terminal.page.get_by_text("not authorized to perform: kms:Decrypt").first).to_be_visible()


def test_an_encrypted_session_is_not_taken_over(browser, server, node, document):
    terminal = start(browser, server, node, document, allow("*"))
    terminal.is_connected()
    [session_id] = terminal.session_ids()
    name = terminal.page.context.request.get("/console/api/session").json()["userName"]
    foreign = ConsoleTerminal(browser.signed_in(server, name))
    foreign.page.goto(f"/console/terminal?session={session_id}")
    foreign.banner().get_by_role("button", name="Take over").click()
    expect(foreign.banner()).to_contain_text("This session cannot be taken over: it is encrypted")
    terminal.run("echo still-$((40 + 2))")
    terminal.shows("still-42")
