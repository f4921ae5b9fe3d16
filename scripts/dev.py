"""`make dev`: a server and a node that keep their state in `target/dev`, rebuilt and restarted when a source changes."""

import shlex
import subprocess
import sys
import time
from pathlib import Path

from deployment import ROOT, Deployment, Failed, end_on_signals

PORT = 8443
LOOK_EVERY_S = 1


def newest_change() -> float:
    sources = [ROOT / "Cargo.toml", ROOT / "Cargo.lock", *(ROOT / "crates").rglob("*.rs"), *(ROOT / "crates").rglob("*.toml")]
    console = ROOT / "console"
    sources += [console / "index.html", console / "package-lock.json", *(path for path in (console / "src").rglob("*") if path.is_file())]
    return max(path.stat().st_mtime for path in sources)


def build() -> bool:
    steps = [["scripts/console", "build"], ["cargo", "build", "--bins"]]
    return all(subprocess.run(step, cwd=ROOT, stdin=subprocess.DEVNULL).returncode == 0 for step in steps)


def start(deployment: Deployment) -> None:
    deployment.start_server()
    remembered = deployment.directory / "node-id"
    if remembered.exists():
        deployment.node_id = remembered.read_text()
    else:
        deployment.register()
        remembered.write_text(deployment.node_id)
    deployment.start_agent()
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in deployment.exports().items())
    print(f"\nready at {deployment.url}; logs in {deployment.directory}\n  export {exports}")
    print(f"  {deployment.program('postern')} start-session --target {deployment.node_id}\n", flush=True)


def main() -> int:
    end_on_signals()
    directory = Path(ROOT / "target" / "dev")
    directory.mkdir(parents=True, exist_ok=True)
    deployment = Deployment(directory, PORT)
    try:
        while True:
            seen = newest_change()
            if build():
                deployment.stop()
                try:
                    start(deployment)
                except Failed as failure:
                    print(failure, file=sys.stderr)
                    deployment.print_logs()
            while newest_change() == seen:
                time.sleep(LOOK_EVERY_S)
    except KeyboardInterrupt:
        return 0
    finally:
        deployment.stop()


if __name__ == "__main__":
    sys.exit(main())
