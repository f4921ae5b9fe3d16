"""What is at the other end of a connection through a node."""

import contextlib
import os
import socket
import threading


class Peer:
    """A TCP server on this machine, which is the node too. `serve` gets each connection in a thread."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1000)
        self.port = self.listener.getsockname()[1]
        self.serve, self.connections = serve, []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    def close(self) -> None:
        self.listener.close()


def echo(connection: socket.socket) -> None:
    """Says what it hears, until either side has enough."""
    with connection, contextlib.suppress(ConnectionError):
        while data := connection.recv(65_536):
            connection.sendall(data)


def exchange(connection: socket.socket, data: bytes) -> bytes:
    """What an echo makes of it."""
    threading.Thread(target=connection.sendall, args=[data], daemon=True).start()
    return connection.makefile("rb").read(len(data))


def all_at_once(connect, count: int, size: int) -> None:
    """So many connections to an echo, each with data of its own, while all of them are open."""
    connections = [connect() for _ in range(count)]
    data = {index: os.urandom(size) for index in range(count)}
    got = {}

    def run(index: int) -> None:
        got[index] = exchange(connections[index], data[index])

    threads = [threading.Thread(target=run, args=[index]) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert got == data
