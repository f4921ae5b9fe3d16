"""The console in the browser: the terminal's 50 MB of output without a pause that one notices, a key's echo beside the CLI's,
and the filter of many nodes.

Chromium draws without a graphics processor here, so these are figures of the slower of xterm.js's two renderers.
"""

import base64
import os
import statistics
import time

from harness.chromium import Browser, give_password
from harness.console_nodes import FILTER_ONCE, many, served
from harness.console_terminal import ConsoleTerminal
from harness.people import Person, allow
from terminal import PtyProgram, shell_commands

SIZE = 50_000_000
KEYS = 200
PAUSE_S = 0.02
NODES = 10_000
FILTERS = ("web-999", "web-55", "Online", "192.0.2.7", "web-9", "web-1234", "example", "192.0.2.77", "Connection")
OUTPUT_WITHIN_MS = 120_000

# Keeps what blocked the page: tasks of more than 50 ms (https://w3c.github.io/longtasks/).
WATCH_TASKS = """() => {
  window.longTasks = [];
  new PerformanceObserver((list) => window.longTasks.push(...list.getEntries().map((entry) => entry.duration)))
    .observe({ entryTypes: ['longtask'] });
}"""

# From the key to the change of the screen that shows it. The next frame paints it.
ECHOES = """() => {
  window.echoes = [];
  let pressed;
  document.addEventListener('keydown', () => { pressed = performance.now(); }, true);
  new MutationObserver(() => {
    if (pressed !== undefined) {
      window.echoes.push(performance.now() - pressed);
      pressed = undefined;
    }
  }).observe(document.querySelector('.xterm-rows'), { childList: true, subtree: true, characterData: true });
}"""


def measure(bench, report) -> None:
    print("terminal in the browser", flush=True)
    person = Person(bench.server, allow("*"))
    give_password(bench.server, person.name)
    browser = Browser()
    try:
        page = browser.signed_in(bench.server, person.name)
        terminal = ConsoleTerminal(page)
        terminal.start(bench.agent.node_id)
        page.evaluate("localStorage.setItem('postern.terminal', JSON.stringify({ fontSize: 14, screenReader: false }))")
        page.reload()
        terminal.is_connected()
        _output(bench, terminal, report)
        _keys(bench, terminal, report)
        _filter(browser.signed_in(bench.server, person.name), report)
    finally:
        browser.close()


def _output(bench, terminal: ConsoleTerminal, report) -> None:
    path = bench.directory / "lines-for-the-browser"
    path.write_bytes(base64.encodebytes(os.urandom(SIZE * 3 // 4))[:SIZE])
    path.chmod(0o644)
    page = terminal.page
    page.evaluate(WATCH_TASKS)
    _is_watching(page)
    began = time.perf_counter()
    terminal.run(f"cat {path}; printf '\\033]0;do''ne\\007'")
    page.get_by_title("Set by the program").get_by_text("done").wait_for(timeout=OUTPUT_WITHIN_MS)
    took = time.perf_counter() - began
    report.note("terminal output in the browser", f"{SIZE / took / 1e6:.1f} MB/s")
    report.limit("longest pause meanwhile", max(page.evaluate("window.longTasks"), default=0), "ms", at_most=100)


def _is_watching(page) -> None:
    """That no pause is seen must not be for want of looking: one of our own is seen, and forgotten."""
    page.evaluate("() => { setTimeout(() => { const until = performance.now() + 120; while (performance.now() < until); }); }")
    page.wait_for_timeout(500)
    assert page.evaluate("window.longTasks.some((duration) => duration >= 100)"), "pauses are not seen"
    page.evaluate("() => { window.longTasks.length = 0; }")


def _keys(bench, terminal: ConsoleTerminal, report) -> None:
    page = terminal.page
    terminal.run("clear; stty echo; exec cat > /dev/null")
    page.wait_for_timeout(500)
    page.evaluate(ECHOES)
    for _ in range(KEYS):
        page.keyboard.press("x")
        time.sleep(PAUSE_S)
    echoes = page.evaluate("window.echoes")
    ours, theirs = statistics.median(echoes), _keys_of_the_cli(bench)
    report.note("keystroke echo in the browser, p50", f"{ours:.2f} ms, of the CLI {theirs:.2f} ms")
    report.limit("what the browser adds", ours - theirs, "ms", at_most=10)


def _filter(page, report) -> None:
    served(page, many(NODES))
    page.goto("/console/nodes")
    page.get_by_role("heading", name=f"Nodes ({NODES})").wait_for(timeout=60_000)
    took = [page.evaluate(FILTER_ONCE, text) for text in FILTERS]
    report.limit(f"filter of {NODES} nodes, p50", statistics.median(took), "ms", at_most=100)
    report.note("the slowest of them", f"{max(took):.0f} ms")


def _keys_of_the_cli(bench) -> float:
    arguments, environment = shell_commands(bench)["postern"]
    program = PtyProgram(arguments, environment)
    took = []
    try:
        program.until_prompt()
        program.write(b"exec cat > /dev/null\r")
        program.until(lambda seen: b"null\r\n" in seen)
        for _ in range(KEYS):
            began = time.perf_counter()
            program.write(b"x")
            program.until(lambda seen: b"x" in seen)
            took.append((time.perf_counter() - began) * 1000)
            time.sleep(PAUSE_S)
    finally:
        program.close()
    return statistics.median(took)
