"""Chromium on a server's console: signed in as somebody, with what it complained of."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from .programs import ROOT

PASSWORD = "Correct-Horse-Battery-9"
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
EXECUTABLE = "/usr/bin/chromium"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 800}
# Most waits are for one answer of a server on this machine; a debug build under load takes its time.
expect.set_options(timeout=15_000)


class Browser:
    """Chromium. Each `signed_in` is a window with cookies of its own."""

    def __init__(self):
        self.playwright = sync_playwright().start()
        self.chromium = self.playwright.chromium.launch(executable_path=EXECUTABLE, args=["--no-sandbox"])
        self.complaints: list[str] = []

    def signed_in(self, server, user_name: str, password: str = PASSWORD, **options) -> Page:
        """A window in which `user_name`, who has this password, is signed in."""
        context = self.window(server, **options)
        answer = context.request.post(
            "/console/api/sign-in",
            data={"userName": user_name, "password": password},
            headers={"Origin": server.local_url},
        )
        assert answer.ok and answer.json() == {"next": "done"}, answer.text()
        return self.page(context)

    def stranger(self, server, **options) -> Page:
        """A window in which nobody is signed in."""
        return self.page(self.window(server, **options))

    def window(self, server, **options) -> BrowserContext:
        options = {"viewport": DESKTOP, "base_url": server.local_url} | options
        return self.chromium.new_context(ignore_https_errors=True, **options)

    def page(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda message: self._hear(page, message))
        return page

    def _hear(self, page: Page, message) -> None:
        # A refused call is no fault of the page, nor is a server that a test makes silent.
        no_fault = ("the server responded with a status of 4", "net::ERR_FAILED")
        if message.type == "error" and not any(text in message.text for text in no_fault):
            self.complaints.append(f"{page.url}: {message.text}")

    def close_windows(self) -> None:
        """A page left open goes on asking its server."""
        for context in self.chromium.contexts:
            context.close()

    def close(self) -> None:
        self.chromium.close()
        self.playwright.stop()


def give_password(server, user_name: str) -> None:
    server.client("iam").create_login_profile(UserName=user_name, Password=PASSWORD)


def answered(page: Page, operation: str, answer: Callable[[dict], dict]) -> None:
    """Answers an operation of the JSON services in place of the server: what is asked for is made into what is answered."""

    def fulfil(route) -> None:
        if route.request.headers.get("x-amz-target", "").endswith(f".{operation}"):
            body = json.dumps(answer(json.loads(route.request.post_data)))
            route.fulfill(status=200, content_type="application/x-amz-json-1.1", body=body)
        else:
            route.fallback()

    page.route(re.compile(r"^https://[^/]+/$"), fulfil)


def is_settled(page: Page) -> None:
    """Waits until nothing is on its way."""
    page.wait_for_load_state("networkidle")
    expect(page.get_by_label("Loading the page")).to_have_count(0)


def visit(page: Page, path: str) -> None:
    """Goes to a page of the console, and waits until it is there."""
    page.goto(f"/console{path}")
    is_settled(page)


def accessibility_faults(page: Page) -> list[str]:
    """What axe finds on the page. What it finds while colours still change is none, so it looks again at what is there to stay."""
    found = _faults(page)
    if found:
        page.wait_for_load_state("networkidle")
        found = _faults(page)
    return found


def _faults(page: Page) -> list[str]:
    page.evaluate(Path(AXE).read_text())
    found = page.evaluate("axe.run().then((result) => result.violations.map((v) => [v.id, v.help, v.nodes.map((n) => n.html)]))")
    return [f"{identifier}: {help_text}: {nodes[:3]}" for identifier, help_text, nodes in found]


def overflow_px(page: Page) -> int:
    """How much wider than the window the page is."""
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
