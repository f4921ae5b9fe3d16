"""A server and a node on this machine, for the demo and for development. Only Python's standard library."""

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REGION = "us-east-1"
ROLE = "PosternNode"
STOP_WITHIN_S = 15


class Failed(Exception):
    """Something did not work; the text says what."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Deployment:
    """What is started is stopped by `stop`, on every path."""

    def __init__(self, directory: Path, port: int, binaries: Path = ROOT / "target" / "debug"):
        self.directory, self.port, self.binaries = directory, port, binaries
        self.data = directory / "server"
        self.state = directory / "node"
        self.ca_file = self.data / "tls" / "ca.pem"
        self.url = f"https://127.0.0.1:{port}"
        self.running: dict[str, subprocess.Popen] = {}
        self.node_id: str | None = None

    def program(self, name: str) -> str:
        return str(self.binaries / name)

    def log(self, name: str) -> Path:
        return self.directory / f"{name}.log"

    def start(self, name: str, *arguments: str) -> None:
        with self.log(name).open("ab") as log:
            self.running[name] = subprocess.Popen(
                [self.program(name), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.clean_environment(),
                # A Ctrl-C on the terminal is for the session; we stop the programs ourselves.
                start_new_session=True,
            )

    def start_server(self) -> None:
        self.start("postern-server", "--data-dir", str(self.data), "--listen", f"127.0.0.1:{self.port}")
        self.wait_for("the server to answer", self.server_answers, 60)

    def start_agent(self) -> None:
        self.start("postern-agent", "run", "--state-dir", str(self.state))
        self.wait_for("the node to be connected", self.node_is_connected, 60)

    def server_answers(self) -> bool:
        with suppress(OSError):
            context = ssl.create_default_context(cafile=self.ca_file)
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain:
                with context.wrap_socket(plain, server_hostname="127.0.0.1"):
                    return True
        return False

    def node_is_connected(self) -> bool:
        listed = self.run([self.program("postern"), "--output", "json", "nodes", "list"])
        return any(
            (node["InstanceId"], node["PingStatus"]) == (self.node_id, "Online")
            for node in json.loads(listed)["InstanceInformationList"]
        )

    def wait_for(self, what: str, probe, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while not probe():
            for name, process in self.running.items():
                if process.poll() is not None:
                    raise Failed(f"{name} ended with status {process.returncode} while waiting for {what}")
            if time.monotonic() > deadline:
                raise Failed(f"waited {within_s:.0f} s in vain for {what}")
            time.sleep(0.05)

    def clean_environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POSTERN_"))}

    def exports(self) -> dict[str, str]:
        """What makes `aws` and `postern` find the server."""
        return {
            "AWS_CONFIG_FILE": str(self.data / "bootstrap" / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.data / "bootstrap" / "credentials"),
            "AWS_PROFILE": "postern",
        }

    def environment(self) -> dict[str, str]:
        return self.clean_environment() | self.exports()

    def run(self, arguments: list[str], within_s: float = 60) -> str:
        """Standard output of a command that must succeed."""
        try:
            done = subprocess.run(
                arguments,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=within_s,
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"`{arguments[0]} {arguments[1]}` did not end within {within_s:.0f} s") from None
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            raise Failed(f"`{arguments[0]} {arguments[1]}` ended with status {done.returncode}:\n{said}")
        return done.stdout.decode(errors="replace")

    def aws_cli(self) -> str | None:
        own = ROOT / ".venv" / "bin" / "aws"
        return str(own) if own.exists() else shutil.which("aws")

    def register(self) -> None:
        """Makes this machine a node, through an activation."""
        if aws := self.aws_cli():
            created = self.run([aws, "ssm", "create-activation", "--iam-role", ROLE, "--output", "json"])
        else:
            created = self.run([self.program("postern"), "activation", "create", "--iam-role", ROLE])
        activation_id = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", created).group()
        code = next(word for word in re.findall(r"[A-Za-z0-9+/]{20,}", created))
        registered = self.run(
            [self.program("postern-agent"), "register", "--state-dir", str(self.state), "--endpoint", self.url,
             "--ca-file", str(self.ca_file), "--region", REGION,
             "--activation-id", activation_id, "--activation-code", code]
        )  # fmt: skip
        self.node_id = re.search(r"mi-[0-9a-f]{17}", registered).group()

    def stop(self) -> None:
        """The agent first: it ends its sessions while there is a server to tell."""
        for name in ["postern-agent", "postern-server"]:
            process = self.running.pop(name, None)
            if process is None:
                continue
            with suppress(ProcessLookupError):
                process.terminate()
            try:
                process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                print(f"{name} did not end on SIGTERM", file=sys.stderr)
                process.kill()
                process.wait()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def print_logs(self, lines: int = 30) -> None:
        for log in sorted(self.directory.glob("*.log")):
            print(f"\n--- the end of {log.name}", file=sys.stderr)
            print("\n".join(log.read_text(errors="replace").splitlines()[-lines:]), file=sys.stderr)


def end_on_signals() -> None:
    """Signals become an exit, so that what was started is stopped."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))


def end_undisturbed() -> None:
    """From here on signals change nothing: the end is under way already."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
