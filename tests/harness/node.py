"""A node that is not Postern's agent: it registers, has a role, and opens channels; honest or not, as told."""

import base64
import json
import uuid

import botocore.auth
import botocore.credentials
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from . import wire
from .programs import REGION
from .requests import Answer, Request, sign, ssm_call
from .sockets import connect
from .waiting import eventually
from .wire import Message

AGENT_VERSION = "3.3.987.0"


class NodeKeyAuth(botocore.auth.SigV4Auth):
    """SigV4 whose last step is RSASSA-PSS with the node's key: agent/ssm/rsaauth in aws/amazon-ssm-agent."""

    def __init__(self, key: rsa.RSAPrivateKey, node_id: str):
        super().__init__(botocore.credentials.Credentials(node_id, "unused"), "ssm", REGION)
        self.key = key

    def signature(self, string_to_sign, request):
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        return base64.b64encode(self.key.sign(string_to_sign.encode(), pss, hashes.SHA256())).decode()


class Node:
    def __init__(self, server, key: rsa.RSAPrivateKey | None = None):
        self.server = server
        self.key = key or rsa.generate_private_key(65537, 2048)
        self.fingerprint = str(uuid.uuid4())
        self.id: str | None = None
        self.role: botocore.credentials.Credentials | None = None
        self.control = None

    def public_key(self) -> str:
        der = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(der).decode()

    def register(self, activation=None, **changes) -> Answer:
        activation = activation or self.server.activation()
        arguments = {
            "ActivationId": activation.id,
            "ActivationCode": activation.code,
            "PublicKey": self.public_key(),
            "PublicKeyType": "Rsa",
            "Fingerprint": self.fingerprint,
        }
        answer = ssm_call("RegisterManagedInstance", arguments | changes).send(self.server)
        if answer.status == 200:
            self.id = answer.json()["InstanceId"]
        return answer

    def signed_with_key(self, request: Request, node_id: str | None = None) -> Request:
        auth = NodeKeyAuth(self.key, node_id or self.id)
        return sign(request, self.server, auth=auth)

    def request_role(self, node_id: str | None = None, fingerprint: str | None = None) -> Answer:
        request = ssm_call("RequestManagedInstanceRoleToken", {"Fingerprint": fingerprint or self.fingerprint})
        answer = self.signed_with_key(request, node_id).send(self.server)
        if answer.status == 200:
            role = answer.json()
            self.role = botocore.credentials.Credentials(
                role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"]
            )
        return answer

    def joined(self) -> "Node":
        for step in (self.register, self.request_role):
            answer = step()
            assert answer.status == 200, answer
        return self

    def call(self, operation: str, arguments: dict) -> Answer:
        """A call to `ssm` as the node's role."""
        return sign(ssm_call(operation, arguments), self.server, keys=self.role).send(self.server)

    def create_channel(self, kind: str, of: str) -> Answer:
        body = {"MessageSchemaVersion": "1.0", "RequestId": str(uuid.uuid4()), "ClientId": ""}
        request = Request({"Content-Type": "application/json"}, json.dumps(body).encode(), path=f"/v1/{kind}/{of}")
        return sign(request, self.server, "ssmmessages", keys=self.role).send(self.server)

    def open_socket(self, path: str, opening: dict):
        request = Request(method="GET", path=path)
        headers = sign(request, self.server, "ssmmessages", keys=self.role).headers if self.role else {}
        socket = connect(self.server.local_url.replace("https", "wss") + path, self.server.tls(), headers)
        socket.send(json.dumps({"MessageSchemaVersion": "1.0", "RequestId": str(uuid.uuid4())} | opening))
        return socket

    def open_control(self, of: str | None = None, token: str | None = None):
        of = of or self.id
        token = token or token_of(self.create_channel("control-channel", of))
        opening = {"TokenValue": token, "AgentVersion": AGENT_VERSION, "PlatformType": "Linux"}
        self.control = self.open_socket(f"/v1/control-channel/{of}?role=subscribe&stream=input", opening)
        return self.control

    def connected(self) -> "Node":
        self.open_control()
        ssm = self.server.client()
        eventually(lambda: ssm.get_connection_status(Target=self.id)["Status"] == "connected", "connected")
        return self

    def next_task(self, within_s: float = 20) -> dict:
        """What the server asks of the node: the content of the next `interactive_shell`."""
        while True:
            message = wire.decode(self.control.recv(timeout=within_s))
            if message.message_type == "interactive_shell":
                return json.loads(message.json()["Content"])

    def open_data(self, session_id: str, token: str | None = None) -> "NodeChannel":
        token = token or token_of(self.create_channel("data-channel", session_id))
        opening = {"TokenValue": token, "ClientInstanceId": self.id, "ClientId": ""}
        path = f"/v1/data-channel/{session_id}?role=publish_subscribe"
        return NodeChannel(self.open_socket(path, opening), session_id)


class NodeChannel:
    """The node's end of a data channel."""

    def __init__(self, socket, session_id: str):
        self.socket, self.next_out = socket, 0
        state = {"SchemaVersion": 1, "SessionState": "Connected", "SessionId": session_id}
        self.send_frame(Message("agent_session_state", 0, 3, 0, json.dumps(state).encode()).encode())

    def send_frame(self, frame: bytes) -> None:
        self.socket.send(frame)

    def send(self, payload: bytes, payload_type: int = wire.PayloadType.OUTPUT) -> None:
        flags = wire.SYN if self.next_out == 0 else 0
        self.send_frame(Message(wire.OUTPUT, self.next_out, flags, payload_type, payload).encode())
        self.next_out += 1

    def receive(self, within_s: float = 20) -> Message:
        message = wire.decode(self.socket.recv(timeout=within_s))
        if message.message_type == wire.INPUT:
            self.send_frame(wire.acknowledge(message).encode())
        return message


def token_of(answer: Answer) -> str:
    assert answer.status == 201, answer
    return answer.body.decode().partition("<TokenValue>")[2].partition("</TokenValue>")[0]
