"""Connections through `postern forward`, against `ssh -J … -L` and against what TLS can carry with the same hops."""

import contextlib
import multiprocessing
import os
import selectors
import socket
import statistics
import subprocess
import threading
import time
from pathlib import Path

from harness.programs import Program, binary, clean_environment, free_port, kill_group
from harness.waiting import eventually

SIZE = 512 << 20
CHUNK = 1 << 20
ROUNDS = 5
PAIRS, PAIRS_OF_A_ROUND = 40, 50
CONNECTIONS, CONNECTIONS_OF_A_ROUND = 10, 20
STREAMS, WARM_UP_S, STREAMS_FOR_S = 100, 3, 6
ENDLESS_DOWNLOAD = b"d" + (1 << 40).to_bytes(8, "big")


def measure(bench, report) -> None:
    print("forwarded connections", flush=True)
    with Peer() as peer, tunnels(bench, peer.port) as ports:
        throughput(ports, report)
        round_trips(ports, report)
        set_up(ports, report)
        together(bench, ports["postern"], report)


def throughput(ports: dict[str, int], report) -> None:
    for direction, once in (("download", download), ("upload", upload)):
        rates = {name: [] for name in ports}
        for n in range(ROUNDS):
            for name in sorted(ports, reverse=n % 2 == 1):
                rates[name].append(once(ports[name]) / 1e6)
        rate = {name: statistics.median(found) for name, found in rates.items()}
        report.compare(f"{direction}, one connection", rate["postern"], rate["ssh"], "MB/s", at_least=1.5)
        report.compare(f"{direction}, against TLS with the same hops", rate["postern"], rate["tls"], "MB/s", at_least=0.6)


def round_trips(ports: dict[str, int], report) -> None:
    """One byte there and back."""
    took = {name: [] for name in ports}
    with contextlib.ExitStack() as stack:
        connections = {name: stack.enter_context(connect(port, b"e")) for name, port in ports.items()}
        for n in range(PAIRS):
            for name in sorted(ports, reverse=n % 2 == 1):
                for _ in range(PAIRS_OF_A_ROUND):
                    took[name].append(one_round_trip(connections[name]))
    compare_times("one byte there and back", took, report)


def set_up(ports: dict[str, int], report) -> None:
    """From `connect` to the first byte of the far end."""
    took = {name: [] for name in ports}
    for n in range(CONNECTIONS):
        for name in sorted(ports, reverse=n % 2 == 1):
            for _ in range(CONNECTIONS_OF_A_ROUND):
                began = time.perf_counter()
                with connect(ports[name], b"e") as connection:
                    one_round_trip(connection)
                took[name].append(time.perf_counter() - began)
    compare_times("a new connection", took, report)


def compare_times(what: str, took: dict[str, list[float]], report) -> None:
    for percent in (50, 99):
        ours, theirs = (statistics.quantiles(took[name], n=100)[percent - 1] * 1000 for name in ("postern", "ssh"))
        report.compare(f"{what}, p{percent}", ours, theirs, "ms", at_most=1)


def together(bench, port: int, report) -> None:
    """Many connections at once; then again beside one that nobody reads."""
    before = {program.name: program.resident_bytes() for program in (bench.server.program, bench.agent.program)}
    fair = received_together(port)
    mean = statistics.mean(fair)
    report.limit(
        f"{STREAMS} connections at once, furthest from their mean",
        max(abs(each - mean) for each in fair) / mean * 100,
        "%",
        at_most=20,
    )
    with connect(port, ENDLESS_DOWNLOAD):
        # What it may hold is filled before the others are measured.
        time.sleep(1)
        beside = received_together(port)
        for program in (bench.server.program, bench.agent.program):
            grown = (program.resident_bytes() - before[program.name]) / (1 << 20)
            report.limit(f"{program.name} meanwhile, more than before", grown, "MiB", at_most=128)
    report.compare("the same beside one that stands still", sum(beside), sum(fair), "B", at_least=0.9)


def received_together(port: int) -> list[int]:
    """By one reader that takes as much of each as of any other, once all are under way."""
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        for n in range(STREAMS):
            connection = stack.enter_context(connect(port, ENDLESS_DOWNLOAD))
            selector.register(connection, selectors.EVENT_READ, n)
        read_for(selector, WARM_UP_S)
        return read_for(selector, STREAMS_FOR_S)


def read_for(selector: selectors.BaseSelector, for_s: float) -> list[int]:
    received, buffer = [0] * STREAMS, bytearray(1 << 16)
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        for key, _ in selector.select(0.1):
            received[key.data] += key.fileobj.recv_into(buffer)
    return received


def download(port: int) -> float:
    """Bytes in a second."""
    buffer = bytearray(CHUNK)
    with connect(port, b"d" + SIZE.to_bytes(8, "big")) as connection:
        began = time.perf_counter()
        received = 0
        while count := connection.recv_into(buffer):
            received += count
        took = time.perf_counter() - began
    if received != SIZE:
        raise AssertionError(f"{received} bytes instead of {SIZE}")
    return SIZE / took


def upload(port: int) -> float:
    block = os.urandom(CHUNK)
    with connect(port, b"u" + SIZE.to_bytes(8, "big")) as connection:
        began = time.perf_counter()
        for _ in range(SIZE // CHUNK):
            connection.sendall(block)
        if connection.recv(1) != b".":
            raise AssertionError("the far end has not had all")
        return SIZE / (time.perf_counter() - began)


def connect(port: int, words: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=120)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(words)
    return connection


def one_round_trip(connection: socket.socket) -> float:
    began = time.perf_counter()
    connection.sendall(b"x")
    if connection.recv(1) != b"x":
        raise AssertionError("the far end is gone")
    return time.perf_counter() - began


class Peer:
    """The far end, a process of its own: sends (`d` and how much), takes (`u` and how much), or echoes (`e`)."""

    def __enter__(self) -> "Peer":
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = listener.getsockname()[1]
        self.process = multiprocessing.get_context("fork").Process(target=serve, args=(listener,), daemon=True)
        self.process.start()
        listener.close()
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.join()


def serve(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve_one, args=(connection,), daemon=True).start()


def serve_one(connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        word = connection.recv(1)
        if word == b"e":
            while data := connection.recv(CHUNK):
                connection.sendall(data)
            return
        left = int.from_bytes(connection.recv(8, socket.MSG_WAITALL), "big")
        if word == b"d":
            block = memoryview(os.urandom(CHUNK))
            while left:
                connection.sendall(block[: min(left, CHUNK)])
                left -= min(left, CHUNK)
        else:
            buffer = bytearray(CHUNK)
            while left:
                left -= connection.recv_into(buffer)
            connection.sendall(b".")


@contextlib.contextmanager
def tunnels(bench, peer_port: int):
    """A local port for each way to the far end."""
    ports = {"postern": free_port(), "ssh": free_port()}
    log = bench.directory / "tunnels.log"
    environment = bench.server.client_environment()
    forward = ["forward", bench.agent.node_id, "-L", f"{ports['postern']}:127.0.0.1:{peer_port}"]
    to_ssh = bench.openssh.forward_command(ports["ssh"], peer_port)
    programs = [
        Program("postern forward", [binary("postern"), *forward], log, environment),
        Program("ssh", to_ssh, log, clean_environment()),
    ]
    hops = TlsHops(bench.directory / "hops", peer_port)
    ports["tls"] = hops.port
    try:
        for name, port in ports.items():
            eventually(lambda port=port: listens(port), f"{name} listens", 30)
        yield ports
    finally:
        for program in programs:
            kill_group(program)
        hops.close()


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


class TlsHops:
    """Client, server and node that do nothing but pass bytes on over TLS (`crates/dial/examples/tls_hops.rs`)."""

    def __init__(self, directory: Path, peer_port: int):
        directory.mkdir()
        program = str(Path(os.environ["POSTERN_BINARIES"]) / "examples" / "tls_hops")
        subprocess.run([program, "make", str(directory)], check=True)
        self.programs = []
        to = peer_port
        for role in ("node", "server", "client"):
            listen = free_port()
            arguments = [program, role, str(directory), f"127.0.0.1:{listen}", f"127.0.0.1:{to}"]
            self.programs.append(Program(f"tls_hops {role}", arguments, directory / f"{role}.log", clean_environment()))
            eventually(lambda listen=listen: listens(listen), f"the {role} listens", 10)
            to = listen
        self.port = to

    def close(self) -> None:
        for program in self.programs:
            kill_group(program)
