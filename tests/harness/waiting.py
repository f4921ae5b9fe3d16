"""Waiting for something to become true, with a limit."""

import time

INTERVAL_S = 0.02


def eventually(probe, what: str, within_s: float = 20.0):
    """Calls `probe` until it returns something true, which is returned. Exceptions other than assertions pass."""
    deadline = time.monotonic() + within_s
    last = None
    while True:
        try:
            last = probe()
            if last:
                return last
        except AssertionError as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what} (last: {last!r})")
        time.sleep(INTERVAL_S)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
