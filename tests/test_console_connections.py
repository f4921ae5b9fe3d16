"""What was forwarded through a session, on its page."""

import datetime
import json
import re
import socket

import pytest
from harness.chromium import PHONE, accessibility_faults, answered, give_password, overflow_px, visit
from harness.forward import Forward
from harness.peer import Peer
from harness.people import Person, allow, deny
from harness.waiting import eventually
from playwright.sync_api import Page, expect

OPENED_AT = datetime.datetime(2026, 11, 27, 10, 0, 0, tzinfo=datetime.UTC)


def record(name: str, connection: dict, seconds: int = 0, **more) -> dict:
    """As `LookupEvents` has it."""
    number = f"{name}-{connection['id']}"
    details = {"sessionId": "s", "connection": {"direction": "local", "protocol": "tcp"} | connection}
    written = {"eventID": number, "eventName": name, "serviceEventDetails": details} | more
    at = (OPENED_AT + datetime.timedelta(seconds=seconds)).timestamp()
    return {"EventId": number, "EventName": name, "EventTime": at, "CloudTrailEvent": json.dumps(written)}


def opened(number: int, **more) -> dict:
    at = (OPENED_AT + datetime.timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
    host = {"host": "db.internal", "port": 5432, "source": f"127.0.0.1:{40_000 + number}", "openedAt": at}
    return {"id": str(number)} | host | more


def closed(number: int, lasted_s: int, **more) -> dict:
    at = (OPENED_AT + datetime.timedelta(seconds=number + lasted_s)).isoformat().replace("+00:00", "Z")
    end = {"closedAt": at, "address": "10.0.0.5:5432", "bytesIn": 2048, "bytesOut": 5 << 20, "endReason": "node-reset", "details": "idle"}
    return opened(number, **(end | more))


DECISION = {"result": "EXPLICIT_DENY", "layer": "identity", "policy": "NoDatabases", "statement": 1}
RECORDS = [
    record("ConnectionOpened", opened(4, protocol="udp", host="fd00::1", port=53), 4),
    record(
        "ConnectionDenied",
        opened(3, host="10.9.9.9", port=22),
        3,
        errorCode="AccessDenied",
        errorMessage="User: alice is not authorized to perform: ssm:StartSession",
        additionalEventData={"decision": DECISION},
    ),
    record("ConnectionClosed", closed(2, 90, direction="remote", host="127.0.0.1", port=8080), 92),
    record("ConnectionOpened", opened(2, direction="remote", host="127.0.0.1", port=8080), 2),
    record("ConnectionOpened", opened(1, host="\u202egpj.<b>x</b>", source="<img src=x>"), 1),
]


def recorded(page: Page, records: list[dict]) -> None:
    """Answers with these, in place of the audit trail."""
    answered(page, "LookupEvents", lambda _: {"Events": records})


def table(page: Page):
    return page.get_by_role("table").filter(has_text="How it ended")


def rows(page: Page):
    return table(page).get_by_role("row").filter(has=page.get_by_role("rowheader"))


def look_again(page: Page) -> None:
    """As whoever comes back to the tab."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_each_connection_is_listed_with_how_it_went(page, session):
    recorded(page, RECORDS)
    visit(page, f"/sessions/{session.id}")
    expect(page.get_by_role("heading", name="Connections (4)")).to_be_visible()
    texts = [re.sub(r"\s+", " ", text) for text in rows(page).all_inner_texts()]
    # Newest first.
    for text, parts in zip(
        texts,
        [
            ["[fd00::1]:53", "UDP, from the client", "127.0.0.1:40004", "Open"],
            ["10.9.9.9:22", "Denied", "Statement 2 of NoDatabases", "User: alice is not authorized"],
            ["127.0.0.1:8080", "TCP, from the node", "at 10.0.0.5:5432", "2.0 KiB, 5.0 MiB", "1 min 30 s", "Closed", "broken off at the node’s end", "idle"],
            ["U+202E", "gpj.<b>x</b>:5432", "<img src=x>", "Open"],
        ],
        strict=True,
    ):
        for part in parts:
            assert part in text, (part, text)
    assert rows(page).nth(1).get_by_role("link").get_attribute("href") == "/console/audit/ConnectionDenied-3"


def test_a_link_leads_to_a_connection(page, session):
    recorded(page, [record("ConnectionClosed", closed(number, 1), number) for number in range(120, 0, -1)])
    visit(page, f"/sessions/{session.id}")
    expect(page.get_by_role("heading", name="Connections (120)")).to_be_visible()
    expect(rows(page)).to_have_count(50)
    page.get_by_role("searchbox", name="Find connections").fill("127.0.0.1:40007")
    expect(rows(page)).to_have_count(1)
    assert "connections=127.0.0.1" in page.url
    page.reload()
    expect(page.get_by_role("heading", name="Connections (1 of 120)")).to_be_visible()
    expect(rows(page)).to_have_count(1)


def test_a_connection_appears_by_itself_and_is_seen_to_end(page, session):
    trail = [record("ConnectionOpened", opened(1), 1)]
    recorded(page, trail)
    visit(page, f"/sessions/{session.id}")
    expect(rows(page)).to_have_count(1)
    trail.insert(0, record("ConnectionOpened", opened(2), 2))
    expect(rows(page)).to_have_count(2)
    trail.insert(0, record("ConnectionClosed", closed(1, 5), 6))
    look_again(page)
    expect(rows(page).last.get_by_text("Closed")).to_be_visible()
    trail.insert(0, {"EventId": "end", "EventName": "SessionEnded", "EventTime": 2e9, "CloudTrailEvent": "{}"})
    look_again(page)
    expect(rows(page).first.get_by_text("Ended with the session")).to_be_visible()


def test_a_session_that_does_not_forward_has_no_table(page, session):
    visit(page, f"/sessions/{session.id}")
    expect(page.get_by_role("link", name="StartSession").first).to_be_visible()
    expect(page.get_by_role("heading", name="Connections")).to_have_count(0)


def echo(connection: socket.socket) -> None:
    with connection:
        while data := connection.recv(65_536):
            connection.sendall(data)


@pytest.fixture
def peer(lab):
    peer = Peer(echo)
    lab.closers.append(peer.close)
    return peer


def open_sessions(person: Person) -> list[dict]:
    filters = [{"key": "Owner", "value": person.arn}]
    return person.server.client().describe_sessions(State="Active", Filters=filters)["Sessions"]


def test_what_is_forwarded_is_seen_while_it_happens(browser, lab, server, node, peer):
    person = Person(server, allow("*"))
    give_password(server, person.name)
    forward = Forward(lab, person.environment(), node.node_id, "-L", f"0:127.0.0.1:{peer.port}", "-D", "0")
    with forward.connect() as connection:
        connection.sendall(b"hello")
        assert connection.recv(5) == b"hello"
        session = eventually(lambda: open_sessions(person), "the session is there")[0]["SessionId"]
        page = browser.signed_in(server, person.name)
        visit(page, f"/sessions/{session}")
        row = rows(page).filter(has_text=f"127.0.0.1:{peer.port}")
        for text in ["TCP, from the client", "Open", f"127.0.0.1:{connection.getsockname()[1]}"]:
            expect(row.get_by_text(text, exact=True)).to_be_visible()
    expect(row.get_by_text("Closed")).to_be_visible()
    expect(row.get_by_text("5 B, 5 B")).to_be_visible()
    # What a statement denies from now on is not reached, and the page says which.
    person.put(allow("*"), deny("ssm:StartSession", Sid="NotDiscard", Condition={"StringEquals": {"postern:DestinationPort": "9"}}))
    with forward.connect("-D") as connection:
        connection.sendall(b"\x05\x01\x00" + b"\x05\x01\x00\x01\x7f\x00\x00\x01\x00\x09")
        assert connection.makefile("rb").read(4)[3] != 0
    denied = rows(page).filter(has_text="127.0.0.1:9")
    expect(denied.get_by_text("Denied")).to_be_visible()
    expect(denied.get_by_text(re.compile("Statement 2 of"))).to_be_visible()
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", name="ConnectionClosed")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", ["desktop", "phone"])
def test_the_table_is_accessible(browser, server, owner, session, scheme, window):
    options = {"color_scheme": scheme} | ({"viewport": PHONE} if window == "phone" else {})
    page = browser.signed_in(server, owner.name, **options)
    recorded(page, RECORDS)
    visit(page, f"/sessions/{session.id}")
    expect(rows(page)).to_have_count(4)
    assert accessibility_faults(page) == []
    assert overflow_px(page) <= 0
