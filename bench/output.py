"""50 MB of base64 lines through a terminal, against `ssh -J` and a bare PTY."""

import base64
import os
import statistics
import time

from harness.programs import clean_environment
from terminal import PtyProgram, shell_commands

SIZE = 50_000_000
ROUNDS = 5


def measure(bench, report) -> None:
    print("terminal output", flush=True)
    path = bench.directory / "lines"
    path.write_bytes(base64.encodebytes(os.urandom(SIZE * 3 // 4))[:SIZE])
    commands = shell_commands(bench)
    commands["bare"] = (["sh", "-i"], clean_environment())
    rates = {name: [] for name in commands}
    for n in range(ROUNDS):
        for name in sorted(commands, reverse=n % 2 == 1):
            rates[name].append(once(*commands[name], path))
    ours, theirs, bare = (statistics.median(rates[name]) / 1e6 for name in ("postern", "ssh", "bare"))
    report.compare("terminal output", ours, theirs, "MB/s", at_least=1.3)
    report.note("terminal output of a bare PTY", f"{bare:.1f} MB/s")


def once(arguments, environment, path) -> float:
    """Bytes in a second."""
    program = PtyProgram(arguments, environment)
    try:
        program.until_prompt()
        program.write(b"stty -echo; PS1=; echo re''ady\r")
        program.until(lambda seen: b"ready\r\n" in seen)
        program.write(f"cat {path}; echo '#do''ne'\r".encode())
        began = time.perf_counter()
        received, tail = 0, b""
        while b"#done\r\n" not in tail:
            piece = program.read(60)
            received += len(piece)
            tail = (tail + piece)[-64:]
        took = time.perf_counter() - began
        if received < SIZE:
            raise AssertionError(f"{received} bytes are too few")
        return SIZE / took
    finally:
        program.close()
