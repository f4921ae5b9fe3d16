"""A real terminal, by tmux: programs run in it, keys are typed, the screen is read."""

import shlex
import subprocess
import tempfile
from pathlib import Path

from .waiting import eventually


class Terminal:
    """One tmux server with one window."""

    def __init__(self, directory: Path, arguments: list[str], environment: dict[str, str], size=(100, 30)):
        # The path of a socket is short by the rules of the kernel, and pytest's directories are not.
        self.sockets = tempfile.TemporaryDirectory(prefix="tmux-")
        self.socket = str(Path(self.sockets.name) / "s")
        self.status_file = directory / f"status-{Path(self.sockets.name).name}"
        command = f"{shlex.join(arguments)}; echo $? > {shlex.quote(str(self.status_file))}; sleep 600"
        columns, rows = map(str, size)
        subprocess.run(
            ["tmux", "-u", "-f", "/dev/null", "-S", self.socket, "new-session", "-d", "-x", columns, "-y", rows, command],
            env=environment | {"TERM": "screen-256color", "SHELL": "/bin/sh"},
            check=True,
            timeout=20,
        )
        self.tmux("set-option", "-g", "escape-time", "0")
        self.tmux("set-option", "-g", "status", "off")

    def tmux(self, *arguments: str, given: bytes | None = None) -> str:
        done = subprocess.run(
            ["tmux", "-u", "-S", self.socket, *arguments], input=given, capture_output=True, check=True, timeout=20
        )
        return done.stdout.decode(errors="replace")

    def keys(self, *names: str) -> None:
        """Keys by tmux's names: `Enter`, `C-c`, `Escape`."""
        self.tmux("send-keys", *names)

    def type(self, text: str) -> None:
        self.tmux("send-keys", "-l", text)

    def line(self, text: str) -> None:
        self.type(text)
        self.keys("Enter")

    def paste(self, data: bytes) -> None:
        self.tmux("load-buffer", "-", given=data)
        self.tmux("paste-buffer", "-r")

    def resize(self, columns: int, rows: int) -> None:
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def shows(self, text: str, within_s: float = 30) -> str:
        """Waits until the screen has `text`, and returns it whole."""

        def shown():
            screen = self.screen()
            assert text in screen, f"{text!r} is not on the screen:\n{screen}"
            return screen

        return eventually(shown, f"{text!r} on the screen", within_s)

    def shows_line(self, line: str, within_s: float = 30) -> str:
        def shown():
            screen = self.screen()
            assert line in [each.rstrip() for each in screen.splitlines()], f"no line {line!r}:\n{screen}"
            return screen

        return eventually(shown, f"a line {line!r} on the screen", within_s)

    def status(self, within_s: float = 30) -> int:
        """The exit status of the program."""

        def ended():
            return self.status_file.exists() and self.status_file.read_text().strip()

        return int(eventually(ended, f"the program ends; screen:\n{self.screen()}", within_s))

    def close(self) -> None:
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, timeout=20)
        self.sockets.cleanup()
