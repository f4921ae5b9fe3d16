"""What is at the other end of a connection through a node."""

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
