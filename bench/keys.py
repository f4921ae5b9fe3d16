"""From a key pressed to its echo on the screen: through client, server and node, against `ssh -J`."""

import statistics
import time

from terminal import PtyProgram, shell_commands

ROUNDS = 60
KEYS_OF_A_ROUND = 50
PAUSE_S = 0.002


def measure(bench, report) -> None:
    print("keystroke echo", flush=True)
    programs, took = {}, {}
    try:
        for name, (arguments, environment) in shell_commands(bench).items():
            programs[name] = PtyProgram(arguments, environment)
            begin(programs[name])
            took[name] = []
        for n in range(ROUNDS):
            for name in sorted(programs, reverse=n % 2 == 1):
                took[name] += one_round(programs[name])
    finally:
        for program in programs.values():
            program.close()
    for percent in (50, 99):
        ours, theirs = (statistics.quantiles(took[name], n=100)[percent - 1] * 1000 for name in ("postern", "ssh"))
        report.compare(f"keystroke echo, p{percent}", ours, theirs, "ms", at_most=1)


def begin(program: PtyProgram) -> None:
    program.until_prompt()
    # The terminal of the node echoes; no shell takes part.
    program.write(b"exec cat > /dev/null\r")
    program.until(lambda seen: b"null\r\n" in seen)
    one_round(program)


def one_round(program: PtyProgram) -> list[float]:
    took = []
    for _ in range(KEYS_OF_A_ROUND):
        began = time.perf_counter()
        program.write(b"x")
        program.until(lambda seen: b"x" in seen)
        took.append(time.perf_counter() - began)
        time.sleep(PAUSE_S)
    program.write(b"\r")
    program.until(lambda seen: b"\n" in seen)
    return took
