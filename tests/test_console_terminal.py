"""The terminal in the browser: typing, sizes, splits, lost connections, other pages, and what hostile output can do."""

import pytest
from harness.chromium import PHONE, Browser, accessibility_faults, give_password, overflow_px
from harness.console_terminal import ConsoleTerminal
from harness.people import Person, allow
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def browser():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def page(browser, server, owner):
    page = browser.signed_in(server, owner.name, permissions=["clipboard-read", "clipboard-write"])
    yield page
    page.context.close()
    complaints, browser.complaints = browser.complaints, []
    assert complaints == []


@pytest.fixture
def terminal(page, node):
    terminal = ConsoleTerminal(page)
    terminal.start(node.node_id)
    return terminal


def test_a_shell_is_typed_into_and_ends_with_its_exit_code(terminal):
    terminal.run(r"printf '%s gr\303\274\303\237e\n' $((6 * 7))")
    terminal.shows("42 grüße")
    expect(terminal.page.get_by_test_id("round-trip")).to_contain_text("ms")
    terminal.run("exit 3")
    expect(terminal.banner()).to_contain_text("The session has ended. Exit code 3.")
    expect(terminal.banner().get_by_role("link", name="Replay")).to_be_visible()


def test_the_shell_learns_the_window_s_size(terminal):
    def size(mark: str) -> tuple[int, int]:
        terminal.run(f"echo {mark} $(stty size) {mark}")
        terminal.shows(f" {mark}")
        rows, columns = terminal.text().split(f"{mark} ")[1].split()[:2]
        return int(rows), int(columns)

    rows, columns = size("first")
    terminal.page.set_viewport_size({"width": 700, "height": 500})
    terminal.page.wait_for_timeout(100)
    fewer_rows, fewer_columns = size("second")
    assert 20 < fewer_rows < rows and 60 < fewer_columns < columns


def test_a_session_is_terminated_after_a_question(terminal, server, owner):
    [session_id] = terminal.session_ids()
    terminal.page.get_by_role("button", name="Terminate").click()
    dialog = terminal.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
    terminal.page.get_by_role("button", name="Terminate").click()
    dialog.get_by_role("button", name="Terminate").click()
    expect(terminal.banner()).to_contain_text("The session has ended")
    sessions = server.client("ssm").describe_sessions(State="History", Filters=[{"key": "SessionId", "value": session_id}])
    assert [session["Status"] for session in sessions["Sessions"]] == ["Terminated"]


def test_a_server_that_restarts_loses_nothing(lab, browser):
    server = lab.server().start()
    node = lab.node(server)
    owner = Person(server, allow("*"))
    give_password(server, owner.name)
    page = browser.signed_in(server, owner.name)
    terminal = ConsoleTerminal(page)
    terminal.start(node.node_id)
    server.stop()
    expect(terminal.banner()).to_contain_text("The connection is lost")
    terminal.run("echo typed while it was $((1 + 1))00 away")
    server.start()
    terminal.shows("typed while it was 200 away")
    terminal.is_connected()
    expect(terminal.banner()).to_have_count(0)
    page.context.close()
    # The browser says itself that there was no connection.
    browser.complaints = [text for text in browser.complaints if "ERR_" not in text and "WebSocket" not in text]


def test_a_page_that_is_loaded_again_goes_on(terminal):
    terminal.run("value=kept; echo fir''st")
    terminal.shows("first")
    terminal.page.reload()
    terminal.is_connected()
    for count in range(3):
        terminal.run(f"echo $value {count} ''again")
        terminal.shows(f"kept {count} again")


def test_the_page_that_opens_a_session_last_has_it(terminal, browser):
    second = ConsoleTerminal(browser.page(terminal.page.context))
    second.page.goto(terminal.page.url)
    second.is_connected()
    expect(terminal.banner()).to_contain_text("Another page goes on with this session")
    second.run("echo from the sec''ond")
    second.shows("from the second")
    terminal.page.bring_to_front()
    terminal.banner().get_by_role("button", name="Go on here").click()
    terminal.is_connected()
    terminal.focus()
    terminal.run("echo back in the fir''st")
    terminal.shows("back in the first")
    expect(second.banner()).to_contain_text("Another page")


def test_sessions_stand_in_tabs_and_side_by_side(terminal):
    terminal.tool("Split to the right")
    terminal.is_connected(1)
    terminal.run("echo in the second $((1 + 1))")
    terminal.shows("in the second 2", 1)
    assert len(terminal.session_ids()) == 2
    terminal.focus(0)
    terminal.run("echo in the first $((1 + 0))")
    terminal.shows("in the first 1", 0)
    terminal.tool("New session in a tab")
    tabs = terminal.page.get_by_role("button", name="Close the terminal of")
    expect(tabs).to_have_count(2)
    terminal.is_connected()
    terminal.page.keyboard.press("Control+Shift+F7")
    terminal.shows("in the first 1", 0)
    tabs.first.click()
    expect(tabs).to_have_count(1)
    assert len(terminal.session_ids()) == 1


def test_several_lines_are_pasted_after_a_question_only(terminal):
    page = terminal.page
    page.evaluate("navigator.clipboard.writeText('echo one\\u001b[201~line')")
    page.keyboard.press("Control+Shift+V")
    terminal.page.keyboard.press("Enter")
    terminal.shows("one[201~line")

    page.evaluate("navigator.clipboard.writeText('echo fir\\'\\'st\\necho sec\\'\\'ond\\n')")
    page.keyboard.press("Control+Shift+V")
    dialog = page.get_by_role("dialog", name="Paste several lines?")
    expect(dialog.get_by_role("textbox")).to_have_value("echo fir''st\necho sec''ond\n")
    assert accessibility_faults(page) == []
    dialog.get_by_role("button", name="Cancel").click()
    page.keyboard.press("Control+Shift+V")
    dialog.get_by_role("button", name="Paste").click()
    page.keyboard.press("Enter")
    terminal.shows("second")
    assert terminal.text().count("first") == 1


# Each is printed by a program on the node.
ATTACKS = {
    "the clipboard": r"\033]52;c;c3RvbGVu\007",
    "the clipboard, asked for": r"\033]52;c;?\007",
    "a title": r"\033]0;\342\200\256gnp.exe<img src=x onerror=alert(1)>\007",
    "a link to a script": r"\033]8;;javascript:alert(1)\033\\script\033]8;;\033\\",
    "a link with another name": r"\033]8;;https://bank.example@evil.example/\033\\bank\033]8;;\033\\",
    "markup": r"<script>alert(1)</script><img src=x onerror=alert(1)>",
    "the window": r"\033[8;5;5t\033[3;0;0t\033[2t\033[21t",
    "an endless string": r"\033P1$r\033_x\033^y\033\\",
    "a file": r"\033]1337;File=name=eA==;inline=1:aGVsbG8=\007",
    "a notification": r"\033]9;hello\007\033]777;notify;a;b\007",
}


@pytest.mark.parametrize("attack", ATTACKS, ids=ATTACKS.keys())
def test_hostile_output_does_nothing(terminal, attack):
    page = terminal.page
    page.evaluate("navigator.clipboard.writeText('mine')")
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    size = page.viewport_size
    terminal.run(f"printf '{ATTACKS[attack]}'; echo; echo aft''er")
    terminal.shows("after")
    assert page.evaluate("navigator.clipboard.readText()") == "mine"
    assert page.title() == "Terminal · Postern"
    assert page.evaluate("[innerWidth, innerHeight]") == [size["width"], size["height"]]
    assert page.locator("img[src=x], script:not([src])").count() == 0
    assert dialogs == []
    if attack == "a title":
        expect(page.get_by_title("Set by the program")).to_have_text("gnp.exe<img src=x onerror=alert(1)>")
    for word in ("script", "bank"):
        if word in terminal.text() and attack.startswith("a link"):
            _click(terminal, word)
            page.wait_for_timeout(300)
            assert page.get_by_role("dialog").count() == 0
    assert len(page.context.pages) == 1


def test_a_link_is_shown_before_it_is_opened(terminal):
    terminal.run("clear; printf 'https://example.com/path?a=1\\n'; echo aft''er")
    terminal.shows("after")
    _click(terminal, "https://example.com")
    dialog = terminal.page.get_by_role("dialog", name="Open this link?")
    expect(dialog).to_contain_text("https://example.com/path?a=1")
    link = dialog.get_by_role("link", name="Open")
    assert link.get_attribute("rel") == "noopener noreferrer" and link.get_attribute("target") == "_blank"
    dialog.get_by_role("button", name="Cancel").click()
    assert len(terminal.page.context.pages) == 1


def _click(terminal: ConsoleTerminal, word: str) -> None:
    """Clicks where the terminal shows that word."""
    row = next(index for index, line in enumerate(terminal.text().splitlines()) if line.startswith(word))
    box = terminal.page.locator(".xterm-screen").first.bounding_box()
    rows = len(terminal.text().splitlines())
    x, y = box["x"] + 12, box["y"] + (row + 0.5) * box["height"] / rows
    terminal.page.mouse.move(x + 6, y)
    terminal.page.mouse.move(x, y)
    terminal.page.wait_for_timeout(300)
    terminal.page.mouse.click(x, y)


def test_the_keyboard_alone_leaves_the_terminal(terminal):
    page = terminal.page
    terminal.run("cat")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "xterm-helper-textarea", "Tab is the program's"
    page.keyboard.press("Control+Shift+F6")
    expect(page.get_by_role("toolbar").get_by_role("button", name="Search")).to_be_focused()
    terminal.focus()
    page.keyboard.press("Control+Shift+F")
    page.keyboard.type("ready")
    expect(page.get_by_text("1 of 1")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.className") == "xterm-helper-textarea"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible_and_fits_a_phone(browser, server, owner, node, scheme):
    page = browser.signed_in(server, owner.name, color_scheme=scheme, reduced_motion="reduce")
    terminal = ConsoleTerminal(page)
    terminal.start(node.node_id)
    assert accessibility_faults(page) == []
    page.set_viewport_size(PHONE)
    assert overflow_px(page) <= 0
    terminal.run("exit")
    expect(terminal.banner()).to_contain_text("The session has ended")
    assert accessibility_faults(page) == []
    page.context.close()


def test_the_first_page_has_nothing_of_the_terminal(page):
    loaded = []
    page.on("response", lambda response: loaded.append(response.text() if response.url.endswith(".js") else ""))
    page.goto("/console/nodes")
    page.wait_for_load_state("networkidle")
    assert loaded and not any("xterm-helper-textarea" in text or "ap-terminal" in text for text in loaded)
