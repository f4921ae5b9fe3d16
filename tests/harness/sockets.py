"""Websockets for tests that are written as they happen, one step after the other.

The sockets live in an event loop of their own thread: Python's TLS, before 3.13, cannot read and write one connection
from two threads, as the library's synchronous client does.
"""

import asyncio
import threading

import websockets.asyncio.client
import websockets.exceptions

OPEN_WITHIN_S = 20
SEND_WITHIN_S = 60

_loop = asyncio.new_event_loop()
threading.Thread(target=_loop.run_forever, name="websockets", daemon=True).start()


def _wait(coroutine, within_s: float):
    return asyncio.run_coroutine_threadsafe(asyncio.wait_for(coroutine, within_s), _loop).result()


def connect(url: str, tls, headers=None) -> "Socket":
    """A client that answers pings and sends none, offers no compression and knows no limit of size."""

    async def opened():
        return await websockets.asyncio.client.connect(
            url,
            ssl=tls,
            proxy=None,
            compression=None,
            max_size=None,
            additional_headers=headers,
            open_timeout=OPEN_WITHIN_S,
            close_timeout=2,
            ping_interval=None,
        )

    return Socket(_wait(opened(), OPEN_WITHIN_S + 5))


class Socket:
    def __init__(self, connection: websockets.asyncio.client.ClientConnection):
        self.connection = connection

    def send(self, data: bytes | str) -> None:
        _wait(self.connection.send(data), SEND_WITHIN_S)

    def recv(self, timeout: float) -> bytes | str:
        """The next message; `TimeoutError` when there is none in time, an exception at the end of the connection."""
        return _wait(self.connection.recv(), timeout)

    def close(self, code: int = 1000, reason: str = "") -> None:
        _wait(self.connection.close(code, reason), SEND_WITHIN_S)

    def abort(self) -> None:
        """Cuts the connection without a word."""
        _loop.call_soon_threadsafe(self.connection.transport.abort)
        _wait(self.connection.wait_closed(), SEND_WITHIN_S)

    def __enter__(self) -> "Socket":
        return self

    def __exit__(self, *_) -> None:
        self.abort()
