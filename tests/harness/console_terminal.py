"""A terminal of the console, as who sits before it uses it."""

import re
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Locator, Page, expect

# What is drawn is pixels; in screen reader mode xterm.js keeps it as text beside them.
READABLE = """if (!localStorage.getItem('postern.terminal')) {
  localStorage.setItem('postern.terminal', JSON.stringify({ fontSize: 14, screenReader: true }));
}"""


class ConsoleTerminal:
    """The terminal in use on a page."""

    def __init__(self, page: Page):
        self.page = page
        page.add_init_script(READABLE)

    def start(self, node_id: str) -> str:
        """Starts a session as the page for it does, waits for the shell, and gives the session's id."""
        self.page.goto(f"/console/start-session?target={node_id}")
        self.page.get_by_role("button", name="Start session").last.click()
        self.is_connected()
        self.run("PS1='$ '; stty -echo; echo read''y")
        self.shows("ready")
        return self.session_ids()[0]

    def session_ids(self) -> list[str]:
        tabs = parse_qs(urlparse(self.page.url).query)["session"]
        return [session_id for tab in tabs for session_id in re.split("[|~]", tab)]

    def run(self, line: str) -> None:
        """Types a line and Enter."""
        self.page.keyboard.type(line)
        self.page.keyboard.press("Enter")

    def rows(self, pane: int = 0) -> Locator:
        return self.page.locator(".terminal-pane").nth(pane).locator(".xterm-accessibility-tree")

    def shows(self, text: str, pane: int = 0) -> None:
        # The tree's text may hold non-breaking spaces.
        pattern = r"[\s\u00a0]".join(re.escape(word) for word in text.split(" "))
        expect(self.rows(pane)).to_contain_text(re.compile(pattern))

    def text(self, pane: int = 0) -> str:
        return self.rows(pane).inner_text().replace("\u00a0", " ")

    def is_connected(self, pane: int = 0) -> None:
        expect(self.page.get_by_test_id("terminal-state").nth(pane)).to_have_text("Connected")

    def focus(self, pane: int = 0) -> None:
        self.page.locator(".xterm-helper-textarea").nth(pane).focus()

    def banner(self, pane: int = 0) -> Locator:
        return self.page.locator(".terminal-pane").nth(pane).get_by_test_id("terminal-banner")

    def tool(self, name: str) -> None:
        self.page.get_by_role("toolbar", name="Terminal tools").get_by_role("button", name="More").click()
        self.page.get_by_role("menuitem", name=name).or_(self.page.get_by_role("menuitemcheckbox", name=name)).click()
