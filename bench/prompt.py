"""From the command to the first usable prompt, a new connection each time, against `ssh -J`."""

import statistics
import time

from harness.programs import clean_environment
from terminal import PtyProgram, shell_commands

ROUNDS = 15


def measure(bench, report) -> None:
    print("first prompt", flush=True)
    commands = shell_commands(bench)
    commands["bare"] = (["sh", "-i"], clean_environment())
    took = {name: [] for name in commands}
    for command in commands.values():
        _once(*command)  # What the disk cache makes of it.
    for n in range(ROUNDS):
        for name in sorted(commands, reverse=n % 2 == 1):
            took[name].append(_once(*commands[name]))
    ours, theirs, bare = (statistics.median(took[name]) * 1000 for name in ("postern", "ssh", "bare"))
    report.compare("first prompt", ours, theirs, "ms", at_most=1 / 3)
    report.note("first prompt of a bare PTY", f"{bare:.1f} ms")


def _once(arguments, environment) -> float:
    program = PtyProgram(arguments, environment)
    try:
        program.until_prompt()
        took = time.perf_counter() - program.started
        # Usable: it answers.
        program.write(b"echo us''able\r")
        program.until(lambda seen: b"usable\r\n" in seen)
        return took
    finally:
        program.close()
