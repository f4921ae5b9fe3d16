"""Clients that others wrote for AWS's service."""

import json
import subprocess
import sys

from harness import channel
from harness.programs import ROOT

BRIDGE = """
import asyncio, sys
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
"""


def bridge(node, what: str) -> subprocess.CompletedProcess:
    environment = node.server.client_environment(
        SSL_CERT_FILE=str(node.server.ca_file), AWS_CA_BUNDLE=str(node.server.ca_file), AWS_REGION="us-east-1"
    )
    return subprocess.run(
        [sys.executable, "-c", BRIDGE, what, node.node_id], env=environment, capture_output=True, timeout=90
    )


def numbers(end: bytes) -> bytes:
    return end.join(b"%d" % n for n in range(1, 5001)) + end


def test_a_shell_through_aws_ssm_bridge(node):
    done = bridge(node, "shell")
    assert done.returncode == 0, done.stderr
    assert numbers(b"\r\n") in done.stdout


def test_a_command_through_aws_ssm_bridge(node):
    done = bridge(node, "command")
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
