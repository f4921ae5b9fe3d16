"""One forwarded connection over a poor line, against `ssh -J`: 200 ms there and back, and one packet in a hundred is lost.

Client programs live in a network namespace that is joined to this one by two TUN devices and `Line` between them, because not
every kernel has netem. TCP is the kernel's at both ends; only packets are late or lost.
"""

import contextlib
import fcntl
import heapq
import os
import random
import select
import statistics
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from account import Account
from forwarding import Peer, connect
from harness.programs import Agent, Program, Server, binary, clean_environment, free_port, kill_group
from harness.waiting import eventually
from openssh import OpenSsh

NAMESPACE = "postern-bench"
HERE, THERE = "10.77.0.1", "10.77.0.2"
ONE_WAY_S, LOSS = 0.1, 0.01
QUEUE_PACKETS_MAX = 1000
ROUNDS, FOR_S = 6, 20
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def measure(directory: Path, report) -> None:
    print("a poor line", flush=True)
    if os.geteuid() != 0:
        report.note("a poor line", "not measured: network namespaces need root")
        return
    directory.mkdir(mode=0o755)
    account = Account()
    with contextlib.ExitStack() as stack:
        stack.callback(account.close)
        stack.enter_context(Line())
        server = Server(directory / "server", {"POSTERN_LOG_FILTER": "warn"}, public_name=HERE, address="0.0.0.0").start()
        stack.callback(lambda: kill_group(server.program))
        agent = Agent(directory / "agent", server).register().start()
        stack.callback(lambda: kill_group(agent.program))
        openssh = OpenSsh(directory / "openssh", account.name, bastion_address=HERE)
        stack.callback(openssh.close)
        peer = stack.enter_context(Peer())
        ports = {"postern": free_port(), "ssh": free_port()}
        to = f"{ports['postern']}:127.0.0.1:{peer.port}"
        ours = [binary("postern"), "forward", agent.node_id, "-L", to]
        commands = {
            "postern": (ours, server.client_environment()),
            "ssh": (openssh.forward_command(ports["ssh"], peer.port), clean_environment()),
        }
        for name, (arguments, environment) in commands.items():
            program = Program(name, in_namespace(arguments), directory / "tunnels.log", environment)
            stack.callback(kill_group, program)
            eventually(lambda name=name: run("try", ports[name]) == "yes", f"{name} listens", 60)
        for direction in ("download", "upload"):
            rates = {name: [] for name in ports}
            for n in range(ROUNDS):
                for name in sorted(ports, reverse=n % 2 == 1):
                    rates[name].append(float(run(direction, ports[name])) / 1e3)
            ours, theirs = (statistics.median(rates[name]) for name in ("postern", "ssh"))
            report.compare(f"{direction} over a poor line", ours, theirs, "kB/s", at_least=1)


def in_namespace(arguments: list[str]) -> list[str]:
    return ["ip", "netns", "exec", NAMESPACE, *arguments]


def run(what: str, port: int) -> str:
    command = in_namespace([sys.executable, __file__, what, str(port)])
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True)
    return done.stdout.strip()


def main(what: str, port: int) -> None:
    if what == "try":
        with connect(port, b"e"):
            print("yes")
        return
    word = b"d" if what == "download" else b"u"
    with connect(port, word + (1 << 40).to_bytes(8, "big")) as connection:
        # The line's queues are full and TCP has found its pace before anything counts.
        move(connection, what, 5)
        print(move(connection, what, FOR_S) / FOR_S)


def move(connection, what: str, for_s: float) -> int:
    moved, until, block = 0, time.monotonic() + for_s, bytearray(1 << 14)
    while time.monotonic() < until:
        moved += connection.recv_into(block) if what == "download" else connection.send(block)
    return moved


class Line:
    """Carries packets between two TUN devices, late, and loses some."""

    def __enter__(self) -> "Line":
        subprocess.run(["ip", "netns", "del", NAMESPACE], stderr=subprocess.DEVNULL, check=False)
        command("ip", "netns", "add", NAMESPACE)
        self.devices = [tun("postern0"), tun("postern1")]
        command("ip", "link", "set", "postern1", "netns", NAMESPACE)
        for within, name, address, other in (([], "postern0", HERE, THERE), (in_namespace([]), "postern1", THERE, HERE)):
            command(*within, "ip", "address", "add", address, "peer", other, "dev", name)
            command(*within, "ip", "link", "set", name, "up")
        command(*in_namespace(["ip", "link", "set", "lo", "up"]))
        self.is_over = threading.Event()
        self.threads = [
            threading.Thread(target=self.carry, args=(*ends, random.Random(seed)), daemon=True)
            for seed, ends in enumerate((self.devices, self.devices[::-1]))
        ]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        for device in self.devices:
            os.close(device)
        command("ip", "netns", "del", NAMESPACE)

    def carry(self, source: int, target: int, dice: random.Random) -> None:
        queue: list[tuple[float, int, bytes]] = []
        count = 0
        while not self.is_over.is_set():
            wait_s = max(0, queue[0][0] - time.monotonic()) if queue else 0.2
            if select.select([source], [], [], min(wait_s, 0.2))[0]:
                packet = os.read(source, 1 << 16)
                if dice.random() >= LOSS and len(queue) < QUEUE_PACKETS_MAX:
                    count += 1
                    heapq.heappush(queue, (time.monotonic() + ONE_WAY_S, count, packet))
            while queue and queue[0][0] <= time.monotonic():
                # A device that is down, as at the end, takes nothing.
                with contextlib.suppress(OSError):
                    os.write(target, heapq.heappop(queue)[2])


def tun(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def command(*arguments: str) -> None:
    subprocess.run(arguments, check=True, capture_output=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
