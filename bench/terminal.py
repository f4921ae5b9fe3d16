"""A program in a pseudo-terminal of ours, driven as cheaply as Python can."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

PROMPT = re.compile(rb"[#$] (\x1b\[\S*)?$")
CHUNK = 1 << 16
END_WITHIN_S = 5


class PtyProgram:
    def __init__(self, arguments: list[str], environment: dict[str, str]):
        self.seen = b""
        self.started = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(arguments[0], arguments, environment | {"TERM": "xterm-256color"})
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def read(self, within_s: float) -> bytes:
        """What there is, or nothing at the end of the program or the time."""
        if not select.select([self.fd], [], [], within_s)[0]:
            raise TimeoutError(f"nothing within {within_s} s after {self.seen[-200:]!r}")
        try:
            return os.read(self.fd, CHUNK)
        except OSError:
            return b""

    def write(self, data: bytes) -> None:
        os.write(self.fd, data)

    def until(self, true_of, within_s: float = 30) -> bytes:
        """Reads until the output since the last call is as wished."""
        self.seen = b""
        while not true_of(self.seen):
            piece = self.read(within_s)
            if not piece:
                raise EOFError(f"the program ended after {self.seen[-400:]!r}")
            self.seen += piece
        return self.seen

    def until_prompt(self, within_s: float = 30) -> None:
        self.until(PROMPT.search, within_s)

    def close(self) -> None:
        """Ends the program, whatever signals it was made to ignore."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            os.kill(self.pid, number)
            deadline = time.monotonic() + END_WITHIN_S
            while time.monotonic() < deadline:
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self.fd)
                    return
                time.sleep(0.002)
        raise AssertionError(f"process {self.pid} does not end")


def shell_commands(bench) -> dict[str, tuple[list[str], dict[str, str]]]:
    """How either side opens a shell on the node."""
    from harness.programs import binary, clean_environment

    target = ["--target", bench.agent.node_id]
    return {
        "postern": ([binary("postern"), "start-session", *target], bench.server.client_environment()),
        "ssh": (bench.openssh.command(), clean_environment()),
    }
