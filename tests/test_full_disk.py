"""No recording, no session: and nobody else notices."""

import contextlib
import os
import subprocess

import botocore.exceptions
import pytest
from harness import channel


@contextlib.contextmanager
def small_disk(path, size: str):
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    path.mkdir(parents=True, mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "postern-test", path], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def test_a_full_disk_ends_the_session_with_a_reason(lab):
    server = lab.server()
    server.data.mkdir(parents=True, mode=0o700)
    with small_disk(server.data / "recordings", "512k"):
        server.start()
        node = lab.node(server)
        quiet = lab.session(node)
        quiet.run("true")
        session = lab.session(node)
        session.type("yes full\r")
        with pytest.raises(channel.Closed) as closed:
            session.until(lambda: False, "the end", 60)
        assert "record" in closed.value.output.lower(), closed.value.output
        assert session.described()["Status"] in ("Terminating", "Terminated", "Failed")
        assert server.program.is_running() and server.answers()
        assert node.is_connected()
        # With room again, sessions go on.
        for cast in (server.data / "recordings").glob(f"{session.id}.*"):
            cast.unlink()
        assert lab.session(node).run("echo again") == "again\n"
        server.stop()


def test_a_disk_that_is_full_from_the_start_refuses_the_session(lab):
    server = lab.server()
    server.data.mkdir(parents=True, mode=0o700)
    with small_disk(server.data / "recordings", "64k") as disk:
        server.start()
        node = lab.node(server)
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
        with pytest.raises(botocore.exceptions.ClientError, match="InternalServerError"):
            lab.session(node)
        assert not server.client().describe_sessions(State="Active")["Sessions"]
        assert server.answers()
        (disk / "filler").unlink()
        assert lab.session(node).run("echo again") == "again\n"
        server.stop()
