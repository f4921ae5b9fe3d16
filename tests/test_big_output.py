"""100 MB to the terminal: all of it, in order, and stopped within a second when the user has had enough."""

import hashlib
import os
import subprocess
import time

import pytest
from harness import channel
from harness.programs import binary

SIZE = 100_000_000


@pytest.fixture(scope="module")
def big_file(tmp_path_factory):
    """Lines of base64, which a terminal changes only at their ends."""
    path = tmp_path_factory.mktemp("big") / "file"
    with path.open("wb") as file:
        subprocess.run(
            f"head -c {SIZE * 3 // 4} /dev/urandom | base64 -w 75 | head -c {SIZE}", shell=True, stdout=file, check=True
        )
    for directory in list(path.parents)[:3]:
        directory.chmod(0o755)
    path.chmod(0o644)
    return path


@pytest.mark.timeout(400)
def test_it_arrives_complete_and_in_order_through_postern(node, big_file, tmp_path):
    out = tmp_path / "out"
    with out.open("wb") as stdout:
        done = subprocess.run(
            [binary("postern"), "start-session", "--target", node.node_id,
             "--document-name", "AWS-StartInteractiveCommand", "--parameters", f"command=cat {big_file}"],
            env=node.server.client_environment(), stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
            timeout=380,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    received = hashlib.sha256()
    with out.open("rb") as file:
        while piece := file.read(1 << 20):
            received.update(piece.replace(b"\r\n", b"\n").replace(b"\r", b""))
    assert os.path.getsize(out) > SIZE
    assert received.hexdigest() == hashlib.sha256(big_file.read_bytes()).hexdigest()


@pytest.mark.timeout(400)
def test_ctrl_c_stops_it_within_a_second(session, big_file):
    session.run("true")
    session.type(f"cat {big_file} {big_file} {big_file}\r")
    received = 0
    while received < 5_000_000:
        session.until(lambda: len(session.output) > 100_000, "output")
        received += len(session.output)
        session.output = b""
    session.type("\x03")
    began = time.monotonic()
    # Not the echo of the key, but the shell's word that the program is gone.
    session.type("echo status-$?\r")
    session.until(lambda: b"status-130" in session.output, "the shell", 20)
    took = time.monotonic() - began
    assert session.run("echo back") == "back\n"
    assert took < 1, took


def test_other_sessions_stay_quick_meanwhile(lab, node, session, big_file):
    session.run("true")
    busy = lab.session(node, **channel.command("Interactive", f"cat {big_file}"))
    busy.until(lambda: len(busy.output) > 1_000_000, "output")
    took = []
    for _ in range(20):
        began = time.monotonic()
        session.run("true")
        took.append(time.monotonic() - began)
    busy.terminate()
    assert sorted(took)[10] < 0.5, took
