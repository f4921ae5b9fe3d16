"""Passkeys: an authenticator in software that does what it is told, wrong things included, and Chromium's virtual one."""

import base64
import hashlib
import json
import os
import urllib.parse

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from playwright.sync_api import Page

from .browser import Browser
from .chromium import PASSWORD
from .requests import Answer

USER_PRESENT, USER_VERIFIED, CREDENTIAL = 0x01, 0x04, 0x40


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor(value) -> bytes:
    """Numbers, texts, bytes and maps of them (RFC 8949)."""

    def head(kind: int, number: int) -> bytes:
        if number < 24:
            return bytes([kind << 5 | number])
        size = 1 if number < 256 else 2
        return bytes([kind << 5 | (23 + size)]) + number.to_bytes(size, "big")

    match value:
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case dict():
            return head(5, len(value)) + b"".join(cbor(key) + cbor(item) for key, item in value.items())
    raise TypeError(value)


class Authenticator:
    """One passkey. What it says can be changed before it says it."""

    def __init__(self, server):
        self.origin, self.party = server.url, urllib.parse.urlsplit(server.url).hostname
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.id, self.user_handle = os.urandom(16), b""
        self.flags, self.sign_count = USER_PRESENT | USER_VERIFIED, 0
        self.more_client_data: dict = {}

    def client_data(self, kind: str, challenge: str) -> bytes:
        data = {"type": f"webauthn.{kind}", "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(data | self.more_client_data).encode()

    def data(self, more: bytes = b"") -> bytes:
        flags = self.flags | (CREDENTIAL if more else 0)
        return hashlib.sha256(self.party.encode()).digest() + bytes([flags]) + self.sign_count.to_bytes(4, "big") + more

    def create(self, options: dict) -> dict:
        """`RegistrationResponseJSON`."""
        self.user_handle = unb64(options["user"]["id"])
        point = self.key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        made = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor(key)
        attestation = cbor({"fmt": "none", "attStmt": {}, "authData": self.data(made)})
        return self.answer(
            clientDataJSON=b64(self.client_data("create", options["challenge"])),
            attestationObject=b64(attestation),
            transports=["internal"],
        )

    def get(self, options: dict) -> dict:
        """`AuthenticationResponseJSON`."""
        client_data, data = self.client_data("get", options["challenge"]), self.data()
        signature = self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))
        return self.answer(
            clientDataJSON=b64(client_data),
            authenticatorData=b64(data),
            signature=b64(signature),
            userHandle=b64(self.user_handle),
        )

    def answer(self, **response) -> dict:
        known = {"id": b64(self.id), "rawId": b64(self.id), "type": "public-key", "clientExtensionResults": {}}
        return known | {"response": response}


class PasskeyBrowser(Browser):
    """A browser with a page at the server's public URL."""

    def __init__(self, server):
        super().__init__(server)
        self.origin = server.url

    def send(self, method, path, body=b"", headers=None) -> Answer:
        return super().send(method, path, body, {"Host": self.server.url.partition("//")[2]} | (headers or {}))

    def register(self, authenticator: Authenticator, name: str = "passkey", password: str = PASSWORD) -> Answer:
        begun = self.post("passkeys/registration", {"password": password})
        if begun.status != 200:
            return begun
        return self.post("passkeys", {"name": name, "credential": authenticator.create(begun.json())})

    def options(self, second_factor: bool = False) -> dict:
        return self.post("sign-in/passkey/options", {"secondFactor": second_factor}).json()

    def use(self, authenticator: Authenticator, second_factor: bool = False) -> Answer:
        """Signs in."""
        answer = self.post("sign-in/passkey", authenticator.get(self.options(second_factor)))
        self.read_token()
        return answer


class VirtualAuthenticator:
    """The one that Chromium has for a page: it is in the machine, and knows its user."""

    def __init__(self, page: Page):
        self.devtools = page.context.new_cdp_session(page)
        self.devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        added = self.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.id = added["authenticatorId"]

    def credentials(self) -> list[dict]:
        return self.devtools.send("WebAuthn.getCredentials", {"authenticatorId": self.id})["credentials"]

    def put(self, credential: dict) -> None:
        """In the place of whatever it had."""
        self.devtools.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})
        self.devtools.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": credential})
