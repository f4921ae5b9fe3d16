"""`postern forward` as its users run it, and what it says."""

import json
import os
import signal
import socket
import subprocess
import threading

from .programs import binary
from .waiting import eventually


class Forward:
    """A running `postern forward --json`, its events, and what it told people."""

    def __init__(self, lab, environment: dict[str, str], *words: str):
        self.events: list[dict] = []
        self.told = ""
        self.environment = environment
        self.process = subprocess.Popen(
            [binary("postern"), "forward", "--json", *map(str, words)],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True,
        )  # fmt: skip
        lab.closers.append(self._end)
        self.listeners = [threading.Thread(target=listen, daemon=True) for listen in (self._hear, self._read)]
        for listener in self.listeners:
            listener.start()

    def _hear(self) -> None:
        for line in self.process.stdout:
            self.events.append(json.loads(line))

    def _read(self) -> None:
        for line in self.process.stderr:
            self.told += line.decode(errors="replace")

    def _end(self) -> None:
        """As a user does, so that its sessions do not stay with the node; at once if that is of no use."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)

    def all(self, event: str, **fields) -> list[dict]:
        """Events of that kind, with those fields."""
        kind = [found for found in list(self.events) if found["event"] == event]
        return [found for found in kind if fields.items() <= found.items()]

    def event(self, event: str, within_s: float = 60, **fields) -> dict:
        """The first of them, waited for."""

        def found():
            seen = self.all(event, **fields)
            assert seen or self.process.poll() is None, f"it ended: {self.told}{self.events}"
            return seen

        return eventually(found, f"{event} {fields}: {self.told}", within_s)[0]

    def address(self, option: str, index: int = 0) -> tuple[str, int]:
        """Where a forward of that option listens."""
        listening = eventually(
            lambda: self._listening(option, index) or self.process.poll(), f"{option} listens: {self.told}", 60
        )
        assert isinstance(listening, list), self.told
        host, _, port = listening[index]["address"].partition(" ")[0].rpartition(":")
        return host.strip("[]"), int(port)

    def _listening(self, option: str, index: int) -> list[dict] | None:
        found = [event for event in self.all("listening") if event["forward"].startswith(option + " ")]
        return found if len(found) > index else None

    def connect(self, option: str = "-L", index: int = 0) -> socket.socket:
        return socket.create_connection(self.address(option, index), timeout=60)

    def wait(self, within_s: float = 60) -> int:
        """Its exit status, once all that it said has been heard."""
        status = self.process.wait(within_s)
        for listener in self.listeners:
            listener.join(within_s)
        return status

    def interrupt(self) -> int:
        os.killpg(self.process.pid, signal.SIGINT)
        return self.wait()


def order(environment, path, do: str, *words: str) -> subprocess.CompletedProcess:
    """What another command tells a running one."""
    given = [binary("postern"), "forward", "-S", str(path), "-O", do, *map(str, words)]
    return subprocess.run(given, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
