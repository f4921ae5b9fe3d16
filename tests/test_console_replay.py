"""Recordings in the browser: replay, search, links to a moment, downloads; and sessions that somebody else follows."""

import re
import urllib.parse

import pytest
from harness import requests
from harness.chromium import PHONE, accessibility_faults, give_password, is_settled, overflow_px, visit
from harness.console_terminal import ConsoleTerminal
from harness.people import Person, allow
from harness.programs import ROOT
from harness.waiting import eventually
from playwright.sync_api import expect


@pytest.fixture
def page(browser, server, owner):
    page = browser.signed_in(
        server, owner.name, permissions=["clipboard-read", "clipboard-write"], reduced_motion="reduce"
    )
    yield page
    page.context.close()


@pytest.fixture
def terminal(browser, server, owner, node):
    page = browser.signed_in(server, owner.name)
    terminal = ConsoleTerminal(page)
    terminal.start(node.node_id)
    yield terminal
    page.context.close()


def end(terminal: ConsoleTerminal) -> str:
    """Ends the session and gives its id."""
    [session_id] = terminal.session_ids()
    terminal.run("exit 5")
    expect(terminal.banner()).to_contain_text("The session has ended")
    return session_id


def test_a_recording_is_searched_and_a_link_leads_to_a_moment(terminal, page):
    terminal.run("echo 'the need''le'; sleep 1")
    terminal.shows("the needle")
    terminal.run("clear; echo the e''nd")
    terminal.shows("the end")
    session_id = end(terminal)
    page.goto(f"/console/sessions/{session_id}/replay")
    is_settled(page)
    facts = page.locator("main")
    expect(facts).to_contain_text("SHA-256 as the server has it")
    expect(facts).to_contain_text("Finished")
    player = page.get_by_role("region", name="Player")
    expect(player.locator(".ap-term")).to_be_visible()
    assert accessibility_faults(page) == []

    page.get_by_label("Search in the recording").fill("THE NEEDLE")
    expect(page.get_by_text("1 match", exact=True)).to_be_visible()
    page.get_by_role("list", name="Matches").get_by_role("button").click()
    expect(player).to_contain_text("the needle")
    assert "the end" not in player.inner_text()

    page.get_by_role("button", name="Copy link to this moment").click()
    expect(page.get_by_text("The link is copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    [moment] = urllib.parse.parse_qs(urllib.parse.urlparse(link).query)["t"]
    assert float(moment) > 0
    page.goto(link)
    expect(player).to_contain_text("the needle")
    assert "the end" not in player.inner_text()


def test_a_recording_is_downloaded_as_it_is_and_as_text(terminal, page, server):
    terminal.run(r"printf '\033[31mred\033[0m \033]0;title\007plain\n'")
    terminal.shows("red plain")
    session_id = end(terminal)
    page.goto(f"/console/sessions/{session_id}/replay")

    def downloaded(name: str) -> str:
        page.get_by_role("button", name="Download").click()
        with page.expect_download() as download:
            page.get_by_role("menuitem", name=name).click()
        assert download.value.suggested_filename.startswith(session_id)
        return download.value.path().read_text()

    assert downloaded("As asciicast").startswith('{"version":3,')
    text = downloaded("As text")
    assert "red plain" in text and "\x1b" not in text and "title" not in text.replace("0;title", "")


@pytest.mark.parametrize(
    "attack",
    [
        r"\033]52;c;c3RvbGVu\007",
        r"\033]8;;javascript:alert(1)\033\\click\033]8;;\033\\",
        r"<img src=x onerror=alert(1)><script>alert(1)</script>",
        r"\033]0;<b>title</b>\007",
    ],
)
def test_hostile_output_does_nothing_in_a_replay(terminal, page, attack):
    terminal.run(f"printf '{attack}'; echo; echo aft''er")
    terminal.shows("after")
    session_id = end(terminal)
    page.goto("/console/sessions")
    page.evaluate("navigator.clipboard.writeText('mine')")
    page.goto(f"/console/sessions/{session_id}/replay?t=9999")
    player = page.get_by_role("region", name="Player")
    expect(player).to_contain_text("after")
    assert page.evaluate("navigator.clipboard.readText()") == "mine"
    assert page.title() == f"Replay of {session_id} · Postern"
    assert player.locator("a, img, script").count() == 0


def test_what_would_reorder_a_line_does_not(terminal, page):
    terminal.run(r"printf 'a\342\200\256bc <d>\n'; echo aft''er")
    terminal.shows("after")
    session_id = end(terminal)
    page.goto(f"/console/sessions/{session_id}/replay?t=9999")
    player = page.get_by_role("region", name="Player")
    expect(player).to_contain_text(re.compile("a ?bc <d>.*after", re.S))
    assert "\u202e" not in player.inner_text()
    page.get_by_label("Search in the recording").fill("bc <d>")
    expect(page.get_by_role("list", name="Matches")).to_contain_text("\u2329U+202E\u232abc <d>")


def test_a_second_user_follows_a_session_and_changes_nothing(terminal, browser, server):
    [session_id] = terminal.session_ids()
    watcher = Person(server, allow(["postern:AttachSession", "ssm:DescribeSessions"]))
    give_password(server, watcher.name)
    page = browser.signed_in(server, watcher.name, reduced_motion="reduce")
    ConsoleTerminal(page)
    terminal.run("echo be''fore")
    terminal.shows("before")
    page.goto(f"/console/sessions/{session_id}/follow")
    screen = page.locator(".follow-screen")
    rows = screen.locator(".xterm-accessibility-tree")
    expect(rows).to_contain_text("before")
    expect(page.get_by_text("Live. You only watch")).to_be_visible()
    assert accessibility_faults(page) == []

    screen.click()
    page.keyboard.type("echo from the watch''er\n")
    terminal.run(r"printf '\033]52;c;c3RvbGVu\007'; echo mean''while")
    expect(rows).to_contain_text("meanwhile")
    assert "from the watcher" not in terminal.text()
    end(terminal)
    expect(page.get_by_text("The session has ended")).to_be_visible()
    page.context.close()


def test_who_may_not_follow_is_told_so(terminal, browser, server):
    [session_id] = terminal.session_ids()
    stranger = Person(server, allow("ssm:DescribeSessions"))
    give_password(server, stranger.name)
    page = browser.signed_in(server, stranger.name)
    page.goto(f"/console/sessions/{session_id}/follow")
    expect(page.get_by_text("You are not allowed to do this")).to_be_visible()
    page.goto(f"/console/sessions/{session_id}/replay")
    expect(page.get_by_text("You are not allowed to do this")).to_be_visible()
    page.context.close()


def marked(terminal: ConsoleTerminal) -> None:
    """A bash that tells of its commands, and echoes what is typed."""
    terminal.run("exec bash --norc --noprofile")
    terminal.run(f"PS1='$ '; stty echo; . {ROOT}/deploy/shell-integration/postern.bash; echo tell''ing")
    terminal.shows("telling")


def is_read(server, session_id: str) -> None:
    """Waits until the server has read the recording."""
    timeline = requests.postern_call("GetSessionTimeline", {"SessionId": session_id})
    eventually(lambda: requests.sign(timeline, server, "postern").send(server).json()["Complete"], "the recording is read")


def test_the_commands_of_a_recording_lead_to_their_moments(terminal, page, server):
    marked(terminal)
    terminal.run("cd /tmp; echo al''pha; sleep 1")
    terminal.shows("alpha")
    terminal.run("clear; (exit 42)")
    terminal.run("clear; echo ome''ga")
    terminal.shows("omega")
    session_id = end(terminal)
    page.goto(f"/console/sessions/{session_id}/replay")
    failed = page.get_by_role("row").filter(has_text="(exit 42)")
    expect(failed).to_contain_text("42")
    expect(failed).to_contain_text("/tmp")
    expect(failed).not_to_contain_text("(guessed)")
    player = page.get_by_role("region", name="Player")
    assert player.locator(".ap-marker-container").count() >= 3
    assert accessibility_faults(page) == []
    page.get_by_role("button", name=re.compile("Go to .*al''pha")).click()
    expect(player).to_contain_text("alpha")
    assert "omega" not in player.inner_text()
    page.get_by_role("button", name=re.compile("Go to .*ome''ga")).click()
    expect(player).not_to_contain_text("alpha")


def test_who_may_not_know_the_commands_is_told_so(terminal, page):
    session_id = end(terminal)
    page.route("**/*", lambda route: refuse(route) if "GetSessionTimeline" in str(route.request.headers) else route.fallback())
    page.goto(f"/console/sessions/{session_id}/replay")
    expect(page.get_by_text("The index is away")).to_be_visible()
    expect(page.get_by_role("region", name="Player")).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("The index is away")).to_have_count(0)
    expect(page.get_by_role("heading", name="Commands")).to_be_visible()


def refuse(route) -> None:
    body = '{"__type": "ValidationException", "Message": "The index is away"}'
    route.fulfill(status=400, content_type="application/x-amz-json-1.1", body=body)


def test_all_recordings_are_searched(terminal, page, server):
    terminal.run("echo 'hay''stack9 <img src=x onerror=alert(1)>'; sleep 1; clear; echo la''ter")
    terminal.shows("later")
    session_id = end(terminal)
    is_read(server, session_id)
    page.goto("/console/recordings")
    expect(page.get_by_text("Search what sessions showed")).to_be_visible()
    assert accessibility_faults(page) == []
    page.get_by_label("Words").fill("haystack9")
    page.get_by_label("Words").press("Enter")
    found = page.get_by_role("row").filter(has_text="<img src=x onerror=alert(1)>")
    expect(found.locator("mark")).to_have_text("haystack9")
    assert urllib.parse.parse_qs(urllib.parse.urlparse(page.url).query) == {"q": ["haystack9"]}
    assert page.locator("img[src=x]").count() == 0
    assert accessibility_faults(page) == []
    found.get_by_role("link", name=f"Replay of {session_id}").click()
    player = page.get_by_role("region", name="Player")
    expect(player).to_contain_text("haystack9")
    assert "later" not in player.inner_text()

    page.goto("/console/recordings?q=no-such-word-anywhere")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    page.goto("/console/recordings?q=%2F")
    expect(page.get_by_text("at least one letter or digit is needed")).to_be_visible()


def test_who_may_not_search_is_told_why(browser, server):
    stranger = Person(server, allow("ssm:DescribeSessions"))
    give_password(server, stranger.name)
    page = browser.signed_in(server, stranger.name)
    page.goto("/console/recordings?q=anything")
    expect(page.get_by_text("You are not allowed to do this")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", ["desktop", "phone"])
def test_replay_and_search_fit_and_are_accessible(terminal, browser, server, owner, scheme, window):
    marked(terminal)
    terminal.run("echo gira''ffe7; false")
    terminal.shows("giraffe7")
    session_id = end(terminal)
    is_read(server, session_id)
    options = {"color_scheme": scheme} | ({"viewport": PHONE} if window == "phone" else {})
    page = browser.signed_in(server, owner.name, reduced_motion="reduce", **options)
    for path in [f"/sessions/{session_id}/replay", "/recordings", "/recordings?q=giraffe7"]:
        visit(page, path)
        assert accessibility_faults(page) == [], path
        assert overflow_px(page) <= 0, path
