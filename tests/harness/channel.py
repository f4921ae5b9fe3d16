"""A client of the data channel that is not Postern's: it does only what it is told to, well or badly."""

import contextlib
import json
import ssl
import time
import uuid

import botocore.exceptions
import websockets.exceptions

from . import wire
from .sockets import connect
from .wire import Message, PayloadType

CLIENT_VERSION = "1.2.835.0"


class Closed(Exception):
    """The server ended the session; the reason is what a plugin would print."""

    def __init__(self, output: str):
        super().__init__(output)
        self.output = output


def _what_came_before_the_end_can_still_be_read():
    return contextlib.suppress(websockets.exceptions.ConnectionClosed)


class Channel:
    """One websocket of a session, and the state of its two streams."""

    def __init__(self, url: str, token: str, tls: ssl.SSLContext, **options):
        self.url, self.tls = url, tls
        self.client_id = options.get("client_id", str(uuid.uuid4()))
        self.client_version = options.get("client_version", CLIENT_VERSION)
        self.headers = options.get("headers")
        self.size = options.get("size", (80, 24))
        self.acknowledges = options.get("acknowledges", True)
        self.next_out = 0
        self.next_in = 0
        self.early: dict[int, Message] = {}
        self.unacknowledged: dict[int, bytes] = {}
        self.output = b""
        self.error_output = b""
        self.exit_code: int | None = None
        self.closed: Message | None = None
        self.frames: list[Message] = []
        self.socket = None
        self.connect(token)

    def connect(self, token: str, url: str | None = None) -> None:
        """Opens a websocket, the first or after one was lost, and sends what is not acknowledged again."""
        self.socket = connect(url or self.url, self.tls, self.headers)
        opening = {"MessageSchemaVersion": "1.0", "RequestId": str(uuid.uuid4()), "TokenValue": token}
        if self.client_id is not None:
            opening |= {"ClientId": self.client_id, "ClientVersion": self.client_version}
        self.socket.send(json.dumps(opening))
        if self.next_out == 0 and self.client_id is None:
            self.send_size(*self.size)  # A browser's client waits for nothing.
        for frame in self.unacknowledged.values():
            self.socket.send(frame)

    # What goes out.

    def send_frame(self, frame: bytes | str) -> None:
        self.socket.send(frame)

    def send(self, payload: bytes, payload_type: int = PayloadType.OUTPUT) -> Message:
        message = Message(wire.INPUT, self.next_out, 0, payload_type, payload)
        self.next_out += 1
        self.unacknowledged[message.sequence_number] = message.encode()
        self.socket.send(self.unacknowledged[message.sequence_number])
        return message

    def type(self, text: str) -> None:
        self.send(text.encode())

    def send_size(self, columns: int, rows: int) -> None:
        self.send(wire.size(columns, rows), PayloadType.SIZE)

    # What comes in.

    def receive(self, within_s: float) -> Message | None:
        """The next frame that can be read, after it has taken its effect; `None` when the time is over."""
        try:
            frame = self.socket.recv(timeout=within_s)
        except TimeoutError:
            return None
        if isinstance(frame, str):
            return None
        message = wire.decode(frame)
        self.frames.append(message)
        if message.message_type == wire.OUTPUT:
            self._take_stream(message)
        elif message.message_type == wire.ACKNOWLEDGE:
            self.unacknowledged.pop(message.json()["AcknowledgedMessageSequenceNumber"], None)
        elif message.message_type == wire.CHANNEL_CLOSED:
            self.closed = message
        return message

    def _take_stream(self, message: Message) -> None:
        number = message.sequence_number
        if number > self.next_in:
            self.early[number] = message
        if self.acknowledges:
            with _what_came_before_the_end_can_still_be_read():
                self.socket.send(wire.acknowledge(message).encode())
        if number != self.next_in:
            return
        while message is not None:
            self.next_in += 1
            self._deliver(message)
            message = self.early.pop(self.next_in, None)

    def _deliver(self, message: Message) -> None:
        kind = message.payload_type
        if kind == PayloadType.OUTPUT:
            self.output += message.payload
        elif kind == PayloadType.STD_ERR:
            self.error_output += message.payload
        elif kind == PayloadType.EXIT_CODE:
            self.exit_code = int(message.payload.decode().removeprefix("EXIT_CODE: "))
        elif kind == PayloadType.HANDSHAKE_REQUEST:
            done = [
                {"ActionType": action["ActionType"], "ActionStatus": 1, "ActionResult": None, "Error": ""}
                for action in message.json()["RequestedClientActions"]
            ]
            answer = {"ClientVersion": self.client_version, "ProcessedClientActions": done, "Errors": None}
            with _what_came_before_the_end_can_still_be_read():
                self.send(json.dumps(answer).encode(), PayloadType.HANDSHAKE_RESPONSE)
        elif kind == PayloadType.HANDSHAKE_COMPLETE:
            with _what_came_before_the_end_can_still_be_read():
                self.send_size(*self.size)

    def until(self, true_of_us, what: str, within_s: float = 20) -> None:
        deadline = time.monotonic() + within_s
        while not true_of_us():
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"not within {within_s} s: {what}; output ends {self.output[-400:]!r}")
            self.receive(min(left, 0.5))
            if self.closed and not true_of_us():
                raise Closed(self.closed.json()["Output"])

    def read_until(self, expected: bytes, within_s: float = 20) -> bytes:
        """Output up to and with `expected`; what follows stays."""
        self.until(lambda: expected in self.output, f"output of {expected!r}", within_s)
        end = self.output.index(expected) + len(expected)
        taken, self.output = self.output[:end], self.output[end:]
        return taken

    def run(self, command: str, within_s: float = 20) -> str:
        """What a command prints in a shell. The marks are typed in pieces, so that their echo is not taken for them."""
        mark = uuid.uuid4().hex[:8]
        self.type(f" echo {mark[:4]}''{mark[4:]}; {command}; echo {mark[4:]}''{mark[:4]}\r")
        self.read_until(f"{mark}\r\n".encode(), within_s)
        printed = self.read_until(f"{mark[4:]}{mark[:4]}\r\n".encode(), within_s)
        return printed[: -len(f"{mark}\r\n")].decode(errors="replace").replace("\r\n", "\n")

    def reason(self, within_s: float = 20) -> str:
        """Waits for the session's end, and returns its reason."""
        self.until(lambda: self.closed is not None, "channel_closed", within_s)
        return self.closed.json()["Output"]

    def drop(self) -> None:
        """Vanishes: the connection is cut without a word."""
        self.socket.abort()

    def close(self) -> None:
        self.socket.abort()


class Session(Channel):
    """A data channel together with the calls that an owner of the session makes."""

    def __init__(self, server, started: dict, **options):
        self.server, self.id = server, started["SessionId"]
        self.token = started["TokenValue"]
        url = started["StreamUrl"].replace(server.url.partition("//")[2], server.local_url.partition("//")[2])
        super().__init__(url, self.token, server.tls(), **options)

    def resume(self) -> None:
        """As the plugin does: asks for a new token and opens the next websocket."""
        answer = self.server.client().resume_session(SessionId=self.id)
        self.connect(answer["TokenValue"])

    def close(self) -> None:
        """Leaves nothing behind, whatever became of the server."""
        super().close()
        with contextlib.suppress(botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
            self.terminate()

    def terminate(self) -> None:
        self.server.client().terminate_session(SessionId=self.id)

    def described(self) -> dict | None:
        """What DescribeSessions tells about this session, alive or ended."""
        ssm = self.server.client()
        for state in ("Active", "History"):
            found = ssm.describe_sessions(State=state, Filters=[{"key": "SessionId", "value": self.id}])["Sessions"]
            if found:
                return found[0]
        return None


def start(server, node_id: str, document: str | None = None, parameters=None, **more) -> dict:
    arguments = {"Target": node_id} | more
    if document:
        arguments |= {"DocumentName": document, "Parameters": parameters or {}}
    return server.client().start_session(**arguments)


def open_session(server, node_id: str, document: str | None = None, parameters=None, reason=None, **options) -> Session:
    more = {"Reason": reason} if reason else {}
    return Session(server, start(server, node_id, document, parameters, **more), **options)


def command(name: str, line: str) -> dict:
    """Arguments of a session that runs one command."""
    return {"document": f"AWS-Start{name}Command", "parameters": {"command": [line]}}
