"""`make demo`, without the build: what a newcomer sees first."""

import os
import re
import signal
import subprocess
import sys

from harness.programs import ROOT, clean_environment
from harness.terminal import Terminal
from harness.waiting import eventually

DEMO = [sys.executable, str(ROOT / "scripts" / "demo.py")]


def left_over(directory: str) -> str:
    """Processes that still use the demo's directory."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as command:
                words = command.read().decode(errors="replace")
        except OSError:
            continue
        if directory in words and int(pid) != os.getpid():
            found.append(words.replace("\0", " "))
    return "\n".join(found)


def directory_of(text: str) -> str:
    return re.search(r"AWS_CONFIG_FILE=(\S+?)/server/", text).group(1)


def test_without_a_terminal_it_runs_one_command_and_checks_it():
    done = subprocess.run(
        DEMO, env=clean_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "\n42 from session process " in done.stdout
    recording = re.search(r"recorded in (\S+\.cast)", done.stdout).group(1)
    with open(recording) as cast:
        assert "42 from session process" in cast.read()
    assert "aws ssm start-session --target mi-" in done.stdout
    directory = directory_of(done.stdout)
    assert not os.path.exists(directory)
    assert not left_over(directory)


def test_on_a_terminal_it_opens_a_shell(lab, tmp_path):
    terminal = Terminal(tmp_path, DEMO, clean_environment(), size=(220, 40))
    lab.closers.append(terminal.close)
    screen = terminal.shows("leave it with `exit`")
    directory = directory_of(screen)
    terminal.line("echo in-$((40+2))")
    terminal.shows("in-42")
    terminal.line("exit")
    assert terminal.status() == 0
    terminal.shows("recorded in ")
    assert not left_over(directory)


def test_a_signal_stops_everything_it_started(tmp_path):
    log = tmp_path / "log"
    with log.open("wb") as output:
        demo = subprocess.Popen(DEMO, env=clean_environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        eventually(lambda: demo.poll() is not None or b"AWS_CONFIG_FILE" in log.read_bytes(), "the demo is up", 60)
        directory = directory_of(log.read_text())
        demo.send_signal(signal.SIGTERM)
        demo.wait(60)
    finally:
        demo.kill()
    eventually(lambda: not left_over(directory), "nothing is left")
    assert not os.path.exists(directory)
