"""An SSH server of our own, with keys of its own, and the client's options that know it and nothing else."""

import getpass
import os
import shutil
import subprocess
from pathlib import Path

from .programs import Program, clean_environment, free_port
from .waiting import eventually

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")


class SshServer:
    """`sshd` for this process's own user. `close` ends it."""

    def __init__(self, directory: Path):
        directory.mkdir(parents=True, exist_ok=True)
        self.port, self.directory = free_port(), directory
        for name in ("host", "user"):
            key = str(directory / name)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        if os.geteuid() == 0:
            # Where sshd separates privileges; Debian makes it when the service starts.
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = directory / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {directory / 'host'}\nPidFile none\n"
            f"AuthorizedKeysFile {directory / 'user.pub'}\nStrictModes no\nPasswordAuthentication no\n"
            "UsePAM no\nPermitRootLogin yes\nSubsystem sftp internal-sftp\nLogLevel VERBOSE\n"
        )
        arguments = [SSHD, "-D", "-e", "-f", str(config)]
        self.program = Program("sshd", arguments, directory / "sshd.log", clean_environment())
        eventually(lambda: "Server listening" in self.program.logged(), "sshd listens")

    def options(self, proxy_command: str) -> list[str]:
        """For `ssh`, `sftp` and `scp`."""
        known = self.directory / "known_hosts"
        known.write_text(f"node {(self.directory / 'host.pub').read_text()}")
        options = {
            "ProxyCommand": proxy_command,
            "IdentityFile": self.directory / "user",
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": known,
            "GlobalKnownHostsFile": "/dev/null",
            "HostKeyAlias": "node",
            "BatchMode": "yes",
            "User": getpass.getuser(),
            "ControlMaster": "no",
        }
        return ["-F", "/dev/null", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]

    def close(self) -> None:
        self.program.stop()
