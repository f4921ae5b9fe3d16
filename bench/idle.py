"""What nothing costs: a node that waits, and a server with thousands of such nodes, TLS and all."""

import asyncio
import concurrent.futures
import json
import os
import resource
import time
import uuid
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key
from harness.node import AGENT_VERSION, Node, token_of
from harness.programs import Agent, Server, kill_group
from harness.requests import Request, sign
from websockets.asyncio.client import connect

COUNTS = tuple(int(count) for count in os.environ.get("BENCH_NODES", "2000,10000").split(","))
CONNECTING_AT_ONCE = 32
SETTLE_S = 20
WATCH_S = 60
# A ping and its answer every 20 s, and what the runtime makes of each.
WAKE_UPS_A_MINUTE_MAX = 30


def resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def wake_ups(pid: int) -> int:
    """Voluntary context switches of all threads."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def measure_agent(directory: Path, report) -> None:
    print("idle agent", flush=True)
    server = Server(directory / "server", {"POSTERN_LOG_FILTER": "warn"}).start()
    agent = Agent(directory / "agent", server).register().start()
    try:
        time.sleep(SETTLE_S)
        before = wake_ups(agent.program.pid)
        time.sleep(WATCH_S)
        woken = wake_ups(agent.program.pid) - before
        report.limit("idle agent, resident", resident_kib(agent.program.pid) / 1024, "MiB", 10)
        report.limit("idle agent, wake-ups in a minute", woken, "", WAKE_UPS_A_MINUTE_MAX)
    finally:
        for each in (agent, server):
            kill_group(each.program)


def measure_nodes(directory: Path, report) -> None:
    print("idle nodes on the server", flush=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = Server(directory / "server", {"POSTERN_LOG_FILTER": "warn"}).start()
    try:
        nodes = _registered(server, max(COUNTS))
        # What registering left in the allocator is not part of the question.
        server.stop()
        server.start()
        asyncio.run(_connect_and_measure(server, nodes, report))
    finally:
        kill_group(server.program)


def _registered(server, count: int) -> list[Node]:
    nodes, activation = [], None
    # The nodes' keys take the most time.
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for n, key in enumerate(pool.map(_key, range(count), chunksize=50)):
            if n % 1000 == 0:
                activation = server.activation(RegistrationLimit=1000)
                print(f"  registered {n}", flush=True)
            node = Node(server, load_der_private_key(key, None, unsafe_skip_rsa_key_validation=True))
            registered = node.register(activation)
            assert registered.status == 200, registered
            role = node.request_role()
            assert role.status == 200, role
            nodes.append(node)
    return nodes


def _key(_: int) -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


async def _connect_and_measure(server, nodes, report) -> None:
    tls = server.tls()
    at_once = asyncio.Semaphore(CONNECTING_AT_ONCE)
    sockets = []

    async def open_control(node):
        async with at_once:
            token = token_of(await asyncio.to_thread(node.create_channel, "control-channel", node.id))
            path = f"/v1/control-channel/{node.id}?role=subscribe&stream=input"
            headers = sign(Request(method="GET", path=path), server, "ssmmessages", keys=node.role).headers
            socket = await connect(
                server.url.replace("https", "wss") + path, ssl=tls, proxy=None, compression=None,
                ping_interval=None, additional_headers=headers, open_timeout=60,
            )  # fmt: skip
            opening = {"MessageSchemaVersion": "1.0", "RequestId": str(uuid.uuid4()), "TokenValue": token}
            await socket.send(json.dumps(opening | {"AgentVersion": AGENT_VERSION, "PlatformType": "Linux"}))
            sockets.append(socket)

    await asyncio.sleep(2)
    base = resident_kib(server.program.pid)
    report.note("server without nodes", f"{base / 1024:.1f} MiB")
    for count in COUNTS:
        await asyncio.gather(*(open_control(node) for node in nodes[len(sockets) : count]))
        await asyncio.sleep(SETTLE_S)
        alive = sum(socket.state.name == "OPEN" for socket in sockets)
        assert alive == count, f"{alive} of {count} connections are open"
        grown = resident_kib(server.program.pid) - base
        report.limit(f"server, each of {count} idle nodes", grown / count, "KiB", 40)
    for socket in sockets:
        socket.transport.abort()
