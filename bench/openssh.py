"""OpenSSH as administrators use it today: a target behind a bastion. Two sshds of our own, with keys of their own."""

import os
import shutil
import subprocess
from pathlib import Path

from harness.programs import Program, clean_environment, free_port, kill_group
from harness.waiting import eventually


class OpenSsh:
    def __init__(self, directory: Path, user: str, bastion_address: str = "127.0.0.1"):
        # sshd reads the authorized keys as the user who signs in.
        directory.mkdir(parents=True, mode=0o755)
        self.directory = directory
        sshd = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin")
        if os.geteuid() == 0:
            # Where sshd separates privileges; Debian makes it when the service starts.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self._key("user")
        (directory / "authorized_keys").write_text((directory / "user.pub").read_text())
        (directory / "authorized_keys").chmod(0o644)
        self.daemons, hosts = [], []
        for name, address in (("bastion", bastion_address), ("target", "127.0.0.1")):
            port = free_port()
            self._key(name)
            config = directory / f"{name}.conf"
            config.write_text(
                f"Port {port}\nListenAddress {address}\nHostKey {directory / name}\nPidFile none\nUsePAM no\n"
                f"AuthorizedKeysFile {directory / 'authorized_keys'}\nStrictModes no\nPermitRootLogin yes\n"
                "PasswordAuthentication no\nPrintMotd no\nPrintLastLog no\n"
            )
            log = directory / f"{name}.log"
            arguments = [sshd, "-D", "-e", "-f", str(config)]
            self.daemons.append(Program(f"sshd ({name})", arguments, log, clean_environment()))
            eventually(lambda log=log: "Server listening" in log.read_text(), f"the {name} listens")
            hosts.append(f"Host {name}\n  HostName {address}\n  Port {port}\n")
        self.config = directory / "config"
        self.config.write_text(
            "".join(hosts)
            + f"Host *\n  User {user}\n  IdentityFile {directory / 'user'}\n"
            "  IdentitiesOnly yes\n  StrictHostKeyChecking accept-new\n  LogLevel ERROR\n"
            f"  UserKnownHostsFile {directory / 'known_hosts'}\n"
        )
        # The host keys become known.
        subprocess.run(self.command("true"), env=clean_environment(), check=True, stdin=subprocess.DEVNULL, timeout=60)

    def _key(self, name: str) -> None:
        path = self.directory / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)

    def command(self, *line: str) -> list[str]:
        terminal = [] if line else ["-t"]
        return ["ssh", "-F", str(self.config), *terminal, "-J", "bastion", "target", *line]

    def forward_command(self, local_port: int, port: int) -> list[str]:
        forward = f"127.0.0.1:{local_port}:127.0.0.1:{port}"
        return ["ssh", "-F", str(self.config), "-N", "-L", forward, "-J", "bastion", "target"]

    def close(self) -> None:
        for daemon in self.daemons:
            kill_group(daemon)
