"""The real programs, started in directories of their own on free ports, with their logs kept."""

import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import boto3
import botocore.config
import botocore.session

from .waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(os.environ.get("POSTERN_BINARIES", ROOT / "target" / "debug"))
SCRIPTS = Path(sys.executable).parent
REGION = "us-east-1"
ACCOUNT = "000000000000"
ROLE = "PosternNode"
STOP_WITHIN_S = 20


def forget_other_servers() -> None:
    """This process too is a client: what the machine sets for other servers would go before the profile."""
    for name in list(os.environ):
        if re.match(r"(?i)AWS_|POSTERN_(?!BINARIES)|.*_CA_BUNDLE$|SSL_CERT|.*_proxy$", name):
            del os.environ[name]


forget_other_servers()


def binary(name: str) -> str:
    path = BINARIES / name
    assert path.exists(), f"{path} is missing: run `make build`"
    return str(path)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def without_profile(arguments: list[str]) -> list[str]:
    """A command whose login shells read no start-up files of this machine's user, which may do anything and take any
    time. Hiding them takes root; another user's are as they are."""
    if os.geteuid() != 0:
        return arguments
    hide = 'for file in .bash_profile .bash_login .profile .bashrc; do [ ! -e ~/$file ] || mount --bind /dev/null ~/$file; done'
    return ["unshare", "--mount", "sh", "-c", f'{hide}; exec "$@"', "sh", *arguments]


def clean_environment() -> dict[str, str]:
    """The environment without anything that would lead to another server, proxy, profile, or language."""
    kept = {"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "CARGO_HOME", "RUSTUP_HOME", "LLVM_PROFILE_FILE"}
    environment = {name: value for name, value in os.environ.items() if name in kept}
    return environment | {"LANG": "C.UTF-8", "RUST_BACKTRACE": "1", "AWS_EC2_METADATA_DISABLED": "true"}


class Program:
    """A child whose output goes to a file, in a process group of its own."""

    all_started: list["Program"] = []

    def __init__(self, name: str, arguments: list[str], log: Path, environment: dict[str, str], **options):
        self.name, self.log = name, log
        self.log_start = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                **options,
            )
        Program.all_started.append(self)

    @property
    def pid(self) -> int:
        return self.process.pid

    def is_running(self) -> bool:
        return self.process.poll() is None

    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def logged(self) -> str:
        return self.log.read_bytes()[self.log_start :].decode(errors="replace")

    def tail(self, lines: int = 40) -> str:
        return "\n".join(self.logged().splitlines()[-lines:])

    def wait(self, within_s: float = STOP_WITHIN_S) -> int:
        return self.process.wait(within_s)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Asks it to end, and makes it end."""
        if self.is_running():
            self.process.terminate()
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} did not end on SIGTERM:\n{self.tail()}") from None


class Server:
    """`postern-server` with a data directory; the port stays the same over restarts."""

    def __init__(
        self,
        directory: Path,
        environment: dict[str, str] | None = None,
        flags: list[str] | None = None,
        public_name: str | None = None,
        address: str = "127.0.0.1",
    ):
        self.directory = directory
        self.data = directory / "data"
        self.port = free_port()
        self.public_name = public_name
        self.address = address
        self.environment = environment or {}
        self.flags = flags or []
        self.program: Program | None = None

    @property
    def local_url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """As clients and nodes know it. A public name exists only for a proxy or a network of ours."""
        return f"https://{self.public_name}:{self.port}" if self.public_name else self.local_url

    @property
    def ca_file(self) -> Path:
        return self.data / "tls" / "ca.pem"

    def start(self, wait: bool = True, **options) -> "Server":
        self.directory.mkdir(parents=True, exist_ok=True)
        environment = clean_environment() | {
            # Every node of a run comes from one address, and the benchmarks have ten thousand.
            "POSTERN_LIMITS_CONNECTIONS_PER_ADDRESS_MAX": "100000",
            "POSTERN_LIMITS_UNSIGNED_CALLS_PER_MINUTE_MAX": "100000",
            "POSTERN_LOG_FILTER": "info,postern_server=debug,postern_gateway=debug",
        }
        arguments = [binary("postern-server"), "--data-dir", str(self.data), "--listen", f"{self.address}:{self.port}"]
        if self.public_name:
            arguments += ["--public-url", self.url]
        self.program = Program(
            "postern-server",
            arguments + self.flags,
            self.directory / "server.log",
            environment | self.environment,
            **options,
        )
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self) -> None:
        eventually(lambda: self.answers() or not self.program.is_running(), "the server answers", 60)
        assert self.program.is_running(), f"postern-server ended:\n{self.program.tail()}"

    def answers(self) -> bool:
        try:
            connection = self.https()
            connection.request("GET", "/")
            connection.getresponse().read()
            connection.close()
        except OSError:
            return False
        return True

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)

    def https(self, timeout_s: float = 20) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls(), timeout=timeout_s)

    def kill(self) -> None:
        self.program.kill()

    def stop(self) -> int:
        return self.program.stop() if self.program else 0

    def client_environment(self, **more: str) -> dict[str, str]:
        """What a user exports: the three lines that the first start prints."""
        bootstrap = self.data / "bootstrap"
        return clean_environment() | {
            "AWS_CONFIG_FILE": str(bootstrap / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(bootstrap / "credentials"),
            "AWS_PROFILE": "postern",
        } | more

    def botocore_session(self) -> botocore.session.Session:
        session = botocore.session.Session()
        bootstrap = self.data / "bootstrap"
        session.set_config_variable("config_file", str(bootstrap / "config"))
        session.set_config_variable("credentials_file", str(bootstrap / "credentials"))
        session.set_config_variable("profile", "postern")
        return session

    def client(self, service: str = "ssm", validate: bool = True, session=None, **credentials):
        """A boto3 client of this server. Errors are not retried: the tests look at the first answer."""
        session = boto3.Session(botocore_session=session or self.botocore_session())
        config = botocore.config.Config(
            retries={"total_max_attempts": 1}, parameter_validation=validate, read_timeout=30, connect_timeout=10
        )
        return session.client(service, endpoint_url=self.local_url, config=config, **credentials)

    def activation(self, **arguments) -> "Activation":
        answer = self.client().create_activation(**({"IamRole": ROLE, "RegistrationLimit": 10} | arguments))
        return Activation(answer["ActivationId"], answer["ActivationCode"])

    def nodes(self) -> list[dict]:
        pages = self.client().get_paginator("describe_instance_information").paginate()
        return [node for page in pages for node in page["InstanceInformationList"]]


@dataclass(frozen=True)
class Activation:
    id: str
    code: str


class Agent:
    """`postern-agent` with a state directory."""

    def __init__(self, directory: Path, server: Server, environment: dict[str, str] | None = None):
        self.directory = directory
        self.state = directory / "state"
        self.server = server
        self.environment = clean_environment() | (environment or {})
        self.program: Program | None = None
        self.node_id: str | None = None
        # Put before the command that runs the agent.
        self.wrapper: list[str] = []

    def hide_home(self) -> None:
        """Sessions find an empty home: what this machine's user has in its profile is not to be tested."""
        if os.geteuid() == 0:
            home = self.directory / "home"
            home.mkdir(parents=True, exist_ok=True)
            script = f'mount --bind "{home}" "{Path.home()}" && exec "$@"'
            self.wrapper = ["unshare", "--mount", "sh", "-c", script, "sh"]

    def register_command(self, activation: Activation) -> list[str]:
        return [
            binary("postern-agent"), "register",
            "--state-dir", str(self.state),
            "--endpoint", self.server.url,
            "--ca-file", str(self.server.ca_file),
            "--region", REGION,
            "--activation-id", activation.id,
            "--activation-code", activation.code,
        ]  # fmt: skip

    def try_to_register(self, activation: Activation) -> subprocess.CompletedProcess:
        self.directory.mkdir(parents=True, exist_ok=True)
        return subprocess.run(
            self.register_command(activation),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def register(self, activation: Activation | None = None) -> "Agent":
        done = self.try_to_register(activation or self.server.activation())
        assert done.returncode == 0, f"registration failed:\n{done.stdout}{done.stderr}"
        self.node_id = re.search(r"mi-[0-9a-f]{17}", done.stdout + done.stderr).group()
        return self

    def start(self, wait: bool = True) -> "Agent":
        self.directory.mkdir(parents=True, exist_ok=True)
        self.program = Program(
            "postern-agent",
            [*self.wrapper, binary("postern-agent"), "run", "--state-dir", str(self.state)],
            self.directory / "agent.log",
            self.environment,
        )
        if wait:
            self.wait_until_connected()
        return self

    def wait_until_connected(self) -> None:
        connected = f"{self.node_id} is connected"
        eventually(lambda: self.is_connected() or not self.program.is_running(), connected, 45)
        assert self.program.is_running(), f"postern-agent ended:\n{self.program.tail()}"

    def is_connected(self) -> bool:
        return self.server.client().get_connection_status(Target=self.node_id)["Status"] == "connected"

    def copy_state_to(self, other: "Agent") -> None:
        shutil.copytree(self.state, other.state)
        other.node_id = self.node_id

    def kill(self) -> None:
        self.program.kill()

    def stop(self) -> int:
        return self.program.stop() if self.program else 0


def kill_group(program: Program) -> None:
    """Ends what a test may have left of a program: its group, whatever became of the leader."""
    try:
        os.killpg(program.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
