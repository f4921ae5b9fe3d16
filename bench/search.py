"""How long searches over a thousand recorded hours take: each page within a second."""

import re
import subprocess
from pathlib import Path

HOURS = 1000
TARGET_MS = 1000


def measure(directory: Path, report) -> None:
    print(f"searches over {HOURS} recorded hours", flush=True)
    directory.mkdir()
    command = ["cargo", "run", "--release", "-q", "-p", "postern-search", "--example", "thousand_hours", "--"]
    out = subprocess.run([*command, str(directory), str(HOURS)], stdout=subprocess.PIPE, text=True, check=True).stdout
    summary, *searches = out.splitlines()
    report.note("search index", summary)
    for line in searches:
        query, milliseconds = re.fullmatch(r"search (.*): ([0-9.]+) ms, .*", line).groups()
        report.limit(f"search for {query}", float(milliseconds), "ms", TARGET_MS)
