"""Clients that others wrote for AWS's service."""

import json
import os
import re
import subprocess
import sys

import pytest

from harness import channel
from harness.programs import ROOT

BRIDGE = """
import asyncio, os, sys
from aws_ssm_bridge import SessionManager

async def read_until(output, expected):
    seen = b""
    async for piece in output:
        seen += piece
        if expected in seen:
            return seen
    raise SystemExit(f"the output ended: {seen!r}")

async def shell(target):
    manager = await SessionManager.new(region="us-east-1")
    async with await manager.start_session(target, reason="bridge") as session:
        output = session.output()
        await session.send_terminal_size(97, 34)
        await session.send(b"stty -echo; PS1=\\r")
        await session.send(b"stty size; seq 1 5000; echo do''ne\\r")
        seen = await asyncio.wait_for(read_until(output, b"done\\r\\n"), 40)
        sys.stdout.buffer.write(seen)

async def command(target):
    manager = await SessionManager.new(region="us-east-1")
    session = await manager.start_session(
        target, document_name="AWS-StartNonInteractiveCommand", parameters={"command": ["seq 1 5000"]}
    )
    output = session.output()
    seen = await asyncio.wait_for(read_until(output, b"5000\\n"), 40)
    await asyncio.wait_for(session.wait_closed(), 40)
    sys.stdout.buffer.write(seen)

asyncio.run(globals()[sys.argv[1]](sys.argv[2]))
# The bridge's own threads crash an interpreter that they outlive.
sys.stdout.flush()
os._exit(0)
"""


# The bridge's Python side sends a session's token to no host with another name, as AWS's newest plugin.
AWS_NAME = "ssmmessages.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def named_node(shared_lab):
    """A node of a server that has a name of AWS's form, as split-horizon DNS gives it."""
    server = shared_lab.server(public_name=AWS_NAME).start()
    node = shared_lab.agent(server)
    done = register_locally(node)
    node.node_id = re.search(r"mi-[0-9a-f]{17}", done).group()
    return node.start()


def register_locally(node) -> str:
    """The node itself needs no such name: it dials the address."""
    command = node.register_command(node.server.activation())
    command[command.index("--endpoint") + 1] = node.server.local_url
    node.directory.mkdir(parents=True, exist_ok=True)
    return subprocess.run(command, env=node.environment, capture_output=True, text=True, check=True, timeout=60).stdout


def bridge(node, what: str, tmp_path) -> subprocess.CompletedProcess:
    if os.geteuid() != 0:
        pytest.skip("giving the server a name of AWS's needs root: a hosts file in a mount namespace")
    environment = node.server.client_environment(
        SSL_CERT_FILE=str(node.server.ca_file), AWS_CA_BUNDLE=str(node.server.ca_file), AWS_REGION="us-east-1"
    )
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {AWS_NAME}\n")
    in_namespace = f"mount --bind {hosts} /etc/hosts && exec \"$@\""
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", in_namespace, "sh", sys.executable, "-c", BRIDGE, what, node.node_id],
        env=environment,
        capture_output=True,
        timeout=90,
    )


def numbers(end: bytes) -> bytes:
    return end.join(b"%d" % n for n in range(1, 5001)) + end


def test_a_shell_through_aws_ssm_bridge(named_node, tmp_path):
    done = bridge(named_node, "shell", tmp_path)
    assert done.returncode == 0, done.stderr
    assert numbers(b"\r\n") in done.stdout


def test_a_command_through_aws_ssm_bridge(named_node, tmp_path):
    done = bridge(named_node, "command", tmp_path)
    assert done.returncode == 0, done.stderr
    assert numbers(b"\n") in done.stdout


def ssm_session(node, lines: list[str], until: str) -> subprocess.CompletedProcess:
    started = channel.start(node.server, node.node_id)
    wanted = {key: started[key] for key in ("StreamUrl", "TokenValue")} | {"lines": lines, "until": until}
    return subprocess.run(
        ["node", str(ROOT / "tests" / "node" / "shell.js")],
        env=node.server.client_environment(NODE_EXTRA_CA_CERTS=str(node.server.ca_file)),
        input=json.dumps(wanted).encode(),
        capture_output=True,
        timeout=60,
    )


def test_a_shell_through_ssm_session_of_npm(node):
    done = ssm_session(node, ["stty size", "echo $((6*7))", "seq 1 5000", "echo do''ne"], "done\r\n")
    assert done.returncode == 0, done
    assert b"34 97\r\n" in done.stdout
    assert b"42\r\n" in done.stdout
    assert numbers(b"\r\n") in done.stdout
    assert b"AgentVersion" not in done.stdout, "no handshake with a client that would print it"
