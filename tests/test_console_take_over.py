"""Sessions that another browser or a command line has, and that their owner takes over in a page."""

import pytest
from harness.chromium import PASSWORD, accessibility_faults, give_password
from harness.console_terminal import ConsoleTerminal
from harness.people import Person, allow, deny
from harness.programs import binary
from harness.terminal import Terminal
from harness.waiting import eventually
from playwright.sync_api import expect


@pytest.fixture
def terminal(browser, server, owner, node):
    terminal = ConsoleTerminal(browser.signed_in(server, owner.name))
    terminal.start(node.node_id)
    return terminal


def elsewhere(browser, server, owner, session_id: str) -> ConsoleTerminal:
    """The page of a session in a browser that has not carried it."""
    page = browser.signed_in(server, owner.name)
    foreign = ConsoleTerminal(page)
    page.goto(f"/console/terminal?session={session_id}")
    expect(foreign.banner()).to_contain_text("This session was started elsewhere")
    return foreign


def take_over(terminal: ConsoleTerminal) -> None:
    terminal.banner().get_by_role("button", name="Take over").click()
    terminal.is_connected()
    terminal.focus()


def counts(terminal: ConsoleTerminal, mark: str) -> None:
    """Types more than numbers are reserved for at once; each key counts."""
    terminal.run(f"a={'x' * 150}{mark}; echo ${{#a}} ''{mark}")
    terminal.shows(f"{150 + len(mark)} {mark}")


def test_another_browser_takes_a_session_over_and_gives_it_back(browser, server, owner, terminal):
    terminal.run("value=kept; echo fir''st")
    terminal.shows("first")
    [session_id] = terminal.session_ids()
    second = elsewhere(browser, server, owner, session_id)
    expect(second.banner().get_by_role("link", name="Follow")).to_be_visible()
    assert accessibility_faults(second.page) == []
    take_over(second)
    expect(terminal.banner()).to_contain_text("Another client has taken this session over")
    second.run("echo $value ''there")
    second.shows("kept there")
    counts(second, "second")
    # A page that is loaded again does not fight for it, and knows that its own numbers are not those of the session.
    terminal.page.reload()
    expect(terminal.banner()).to_contain_text("This session was started elsewhere, or another client has taken it")
    take_over(terminal)
    expect(second.banner()).to_contain_text("Another client has taken this session over")
    counts(terminal, "first")
    terminal.page.reload()
    terminal.is_connected()
    counts(terminal, "again")


def test_a_session_of_the_command_line_is_taken_over_from_the_list(browser, server, owner, node, lab, tmp_path):
    environment = owner.environment() | {"SSL_CERT_FILE": str(server.ca_file)}
    shell = Terminal(tmp_path, [binary("postern"), "start-session", "--target", node.node_id, "--reason", "begun there"], environment)
    lab.closers.append(shell.close)
    eventually(lambda: shell.screen().strip(), "something on the screen")
    shell.line("value=kept; echo rea''dy")
    shell.shows("ready")
    page = browser.signed_in(server, owner.name)
    terminal = ConsoleTerminal(page)
    page.goto("/console/sessions")
    row = page.get_by_role("row").filter(has_text="begun there")
    row.get_by_role("radio").check(force=True)
    page.get_by_role("link", name="Take over").click()
    take_over(terminal)
    terminal.run("PS1='$ '; echo $value ''here")
    terminal.shows("kept here")
    counts(terminal, "page")
    eventually(lambda: "resumed by another client" in shell.screen().replace("\n", ""), "the command line is told")
    assert isinstance(shell.status(), int)
    terminal.run("exit 3")
    expect(terminal.banner()).to_contain_text("Exit code 3")


def test_sessions_of_others_are_not_taken_over(browser, server, owner, terminal):
    terminal.run("echo mi''ne")
    terminal.shows("mine")
    [session_id] = terminal.session_ids()
    other = Person(server, allow("*"), deny("ssm:ResumeSession"))
    give_password(server, other.name)
    page = browser.signed_in(server, other.name, PASSWORD)
    page.goto(f"/console/sessions/{session_id}")
    expect(page.get_by_role("link", name="Follow live")).to_be_visible()
    expect(page.get_by_role("link", name="Take over")).to_have_count(0)
    foreign = ConsoleTerminal(page)
    page.goto(f"/console/terminal?session={session_id}")
    foreign.banner().get_by_role("button", name="Take over").click()
    expect(page.get_by_text("The session could not be taken over")).to_be_visible()
    expect(page.get_by_text("not authorized to perform: ssm:ResumeSession").first).to_be_visible()
    terminal.run("echo still mi''ne")
    terminal.shows("still mine")


def test_a_session_with_files_stays_where_it_is(browser, server, owner, node, lab):
    session = lab.session(node, document="Postern-StartSFTPSession")
    page = browser.signed_in(server, owner.name)
    foreign = ConsoleTerminal(page)
    page.goto(f"/console/terminal?session={session.id}")
    foreign.banner().get_by_role("button", name="Take over").click()
    expect(foreign.banner()).to_contain_text("This session cannot be taken over: it has no terminal.")


def test_a_session_is_taken_over_after_a_restart_of_the_server(browser, lab):
    server = lab.server().start()
    node = lab.node(server)
    owner = Person(server, allow("*"))
    give_password(server, owner.name)
    terminal = ConsoleTerminal(browser.signed_in(server, owner.name))
    terminal.start(node.node_id)
    [session_id] = terminal.session_ids()
    server.stop()
    expect(terminal.banner()).to_contain_text("The connection is lost")
    server.start()
    terminal.is_connected()
    second = elsewhere(browser, server, owner, session_id)
    terminal.focus()
    terminal.run("echo still he''re")
    terminal.shows("still here")
    take_over(second)
    counts(second, "second")
    expect(terminal.banner()).to_contain_text("Another client has taken this session over")
    browser.close_windows()
    # The browser says itself that there was no connection.
    browser.complaints = [text for text in browser.complaints if "ERR_" not in text and "WebSocket" not in text]
