"""`make bench`: speed and memory, each against its target. Name measurements to run only those: `make bench BENCH="keys idle"`.

What is compared runs in one process and in turn, so that both sides meet the same machine; figures are medians, and
ratios are what counts.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("POSTERN_BINARIES", str(Path(__file__).resolve().parents[1] / "target" / "release"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import api
import browser
import forwarding
import idle
import keys
import logged
import lossy
import output
import prompt
import search
from account import Account
from harness.programs import Agent, Server, kill_group
from openssh import OpenSsh
from report import Report


class Bench:
    """A server, a node and two sshds on this machine."""

    def __init__(self, directory: Path):
        self.directory = directory
        directory.chmod(0o755)
        self.account = Account()
        quiet = {"POSTERN_LOG_FILTER": "warn"}
        self.server = Server(directory / "server", quiet).start()
        shells = {"POSTERN_AGENT_SESSION_USER": self.account.name}
        self.agent = Agent(directory / "agent", self.server, shells).register().start()
        self.openssh = OpenSsh(directory / "openssh", self.account.name)

    def close(self) -> None:
        self.openssh.close()
        for program in (self.agent.program, self.server.program):
            kill_group(program)
        self.account.close()


COMPARED = {
    "keys": keys.measure,
    "forwarding": forwarding.measure,
    "prompt": prompt.measure,
    "output": output.measure,
    "browser": browser.measure,
    "logged": logged.measure,
}
ALONE = {
    "api": api.measure,
    "agent": idle.measure_agent,
    "nodes": idle.measure_nodes,
    "search": search.measure,
    "lossy": lossy.measure,
}


def main(names: list[str]) -> int:
    names = names or [*COMPARED, *ALONE]
    if unknown := set(names) - COMPARED.keys() - ALONE.keys():
        sys.exit(f"no such measurement: {', '.join(unknown)}; there are {', '.join([*COMPARED, *ALONE])}")
    report = Report()
    with tempfile.TemporaryDirectory(prefix="postern-bench-") as directory:
        if any(name in COMPARED for name in names):
            bench = Bench(Path(directory))
            try:
                for name in names:
                    if name in COMPARED:
                        COMPARED[name](bench, report)
            finally:
                bench.close()
        for name in names:
            if name in ALONE:
                ALONE[name](Path(directory) / name, report)
    report.print()
    return 0 if report.all_met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
