"""Users that exist for one agent only: it sees a user database of its own, and the machine's stays as it is."""

import os
import shlex
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

# Far above what systems give to their own, so that no file of the machine belongs to it.
FIRST_ID = 47_001


@dataclass(frozen=True)
class User:
    name: str
    home: Path
    shell: str = "/bin/bash"
    uid: int = FIRST_ID
    gid: int = FIRST_ID + 1
    # Supplementary groups, by their names.
    groups: dict[str, int] = field(default_factory=lambda: {"testers": FIRST_ID + 2, "readers": FIRST_ID + 3})

    def passwd(self) -> str:
        return f"{self.name}:x:{self.uid}:{self.gid}::{self.home}:{self.shell}\n"

    def group(self) -> str:
        others = "".join(f"{name}:x:{gid}:{self.name}\n" for name, gid in self.groups.items())
        return f"{self.name}:x:{self.gid}:\n{others}"


class Home:
    """A home directory that its owner can reach, which pytest's directories are not."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="home-", dir="/tmp")
        self.path = Path(self.directory.name)

    def give_to(self, user: User) -> None:
        for path in [self.path, *self.path.rglob("*")]:
            os.chown(path, user.uid, user.gid)

    def close(self) -> None:
        self.directory.cleanup()


def wrapper(directory: Path, user: User) -> list[str]:
    """The beginning of a command that sees `user` among the machine's users. Takes root."""
    mounts = []
    for database, more in [("/etc/passwd", user.passwd()), ("/etc/group", user.group())]:
        copy = directory / Path(database).name
        copy.write_text(Path(database).read_text().rstrip("\n") + "\n" + more)
        copy.chmod(0o644)
        mounts.append(f"mount --bind {shlex.quote(str(copy))} {database}")
    return ["unshare", "--mount", "sh", "-c", f'{" && ".join(mounts)} && exec "$@"', "sh"]
