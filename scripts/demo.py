"""`make demo`: a server and a node on this machine, and a session between them.

On a terminal it opens a shell. Elsewhere it runs one command through a real session, checks what came back, and says by
its exit status whether all was right.
"""

import json
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deployment import ROOT, Deployment, Failed, end_on_signals, end_undisturbed, free_port

COMMAND_WITHIN_S = 60
# Everything else of the demo is removed at its end.
KEPT = ROOT / "target" / "demo"


def main() -> int:
    end_on_signals()
    # Whoever reads it from a file or a pipe sees it when it is so.
    sys.stdout.reconfigure(line_buffering=True)
    on_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    with tempfile.TemporaryDirectory(prefix="postern-demo-") as directory:
        deployment = Deployment(Path(directory), free_port())
        try:
            deployment.start_server()
            deployment.register()
            deployment.start_agent()
            print_usage(deployment)
            shell(deployment) if on_terminal else command(deployment)
            print_recordings(deployment)
            return 0
        except Failed as failure:
            print(f"the demo failed: {failure}", file=sys.stderr)
            deployment.print_logs()
            return 1
        except KeyboardInterrupt:
            return 130
        finally:
            end_undisturbed()
            deployment.stop()


def print_usage(deployment: Deployment) -> None:
    plugin = deployment.directory / "bin" / "session-manager-plugin"
    plugin.parent.mkdir()
    plugin.symlink_to(deployment.program("postern"))
    print(f"postern-server is at {deployment.url}, and this machine is the node {deployment.node_id}.")
    print("\nIn another terminal, while this runs:\n")
    for name, value in deployment.exports().items():
        print(f"  export {name}={shlex.quote(value)}")
    if "AWS_CA_BUNDLE" in os.environ:
        # It goes before the profile's.
        print(f"  export AWS_CA_BUNDLE={shlex.quote(str(deployment.ca_file))}")
    print(f"  export PATH={shlex.quote(str(plugin.parent))}:$PATH    # the plugin of the AWS CLI")
    print(f"  aws ssm start-session --target {deployment.node_id}")
    print(f"  {deployment.program('postern')} start-session --target {deployment.node_id}\n")
    if link := re.search(r"https://\S+/console/setup#\S+", deployment.log("postern-server").read_text()):
        print("Or in a browser, which will ask about the certificate; this sets the password of the user admin, once:\n")
        print(f"  {link.group()}\n")
    sys.stdout.flush()


def shell(deployment: Deployment) -> None:
    print("A shell on the node, through the server; leave it with `exit`.\n", flush=True)
    subprocess.run(
        [deployment.program("postern"), "start-session", "--target", deployment.node_id], env=deployment.environment()
    )


def command(deployment: Deployment) -> None:
    line = "uname -n; echo $((6 * 7)) from session process $$"
    print(f"$ {line}")
    printed = deployment.run(
        [
            deployment.program("postern"), "start-session", "--target", deployment.node_id,
            "--document-name", "AWS-StartInteractiveCommand", "--parameters", json.dumps({"command": [line]}),
        ],
        COMMAND_WITHIN_S,
    )  # fmt: skip
    lines = printed.replace("\r\n", "\n").splitlines()
    print("\n".join(lines))
    right = len(lines) == 2 and lines[0] == platform.node() and lines[1].startswith("42 from session process ")
    if not right:
        raise Failed(f"the session's output is not what the command prints: {printed!r}")


def print_recordings(deployment: Deployment) -> None:
    recordings = sorted((deployment.data / "recordings").glob("*.cast"), key=lambda path: path.stat().st_mtime)
    if not recordings:
        raise Failed("the session was not recorded")
    for recording in recordings:
        if recording.stat().st_size == 0:
            raise Failed(f"{recording} is empty")
        KEPT.mkdir(parents=True, exist_ok=True)
        print(f"recorded in {shutil.copy(recording, KEPT)}")
    sys.stdout.flush()


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
