"""An OIDC provider of the tests' own: its description and keys over HTTPS, and tokens, good and bad."""

import base64
import hashlib
import html
import json
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .https import Authority, Https, Request

KEEP = object()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Key:
    """A signing key with its ID; RS256 or ES256."""

    def __init__(self, kid: str, algorithm: str = "RS256"):
        self.kid, self.algorithm = kid, algorithm
        if algorithm == "RS256":
            self.private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            self.private = ec.generate_private_key(ec.SECP256R1())

    def jwk(self) -> dict:
        numbers = self.private.public_key().public_numbers()
        common = {"kid": self.kid, "alg": self.algorithm, "use": "sig"}
        if self.algorithm == "RS256":
            return common | {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        x, y = (b64(value.to_bytes(32, "big")) for value in (numbers.x, numbers.y))
        return common | {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    def sign(self, text: bytes) -> bytes:
        if self.algorithm == "RS256":
            return self.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.private.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def token(key: Key, claims: dict, **header) -> str:
    head = {"typ": "JWT", "alg": key.algorithm, "kid": key.kid} | header
    head = {name: value for name, value in head.items() if value is not None}
    text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{text}.{b64(key.sign(text.encode()))}"


class Issuer:
    """A provider that listens on a free port until it is closed."""

    def __init__(self, authority: Authority, path: str = ""):
        self.keys = [Key("first"), Key("curve", "ES256")]
        self.requests: list[str] = []
        # Answers in the place of the right ones: a status with headers and a body, by path.
        self.instead: dict[str, tuple[int, dict, bytes]] = {}
        # Claims of the tokens that codes are exchanged for, with the challenge that the code was asked for with.
        self.codes: dict[str, tuple[str, dict]] = {}
        self.authorizations: list[str | None] = []
        # Who sits in front of a browser that comes to sign in: the claims about them.
        self.visitor: dict = {}
        self.https = Https(authority, self._serve)
        self.name = f"localhost:{self.https.port}{path}"
        self.url = f"https://{self.name}"
        self.path = path

    def _serve(self, request: Request) -> tuple[int, dict, bytes]:
        if request.method == "POST":
            form = urllib.parse.parse_qs(request.body.decode())
            fields = {name: values[0] for name, values in form.items()}
            status, body = self._redeem(fields, request.headers["Authorization"])
            return status, {"Content-Type": "application/json"}, body
        self.requests.append(request.path)
        return self._answer(request.path)

    def _answer(self, path: str) -> tuple[int, dict, bytes]:
        if path in self.instead:
            return self.instead[path]
        if path.startswith(f"{self.path}/authorize?"):
            back = self.authorize(f"{self.url}{path.removeprefix(self.path)}", **self.visitor)
            page = f'<!doctype html><title>Provider</title><a href="{html.escape(back)}">It is me</a>'
            return 200, {"Content-Type": "text/html"}, page.encode()
        documents = {
            f"{self.path}/.well-known/openid-configuration": {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
            },
            f"{self.path}/keys": {"keys": [{"kty": "unheard-of"}] + [key.jwk() for key in self.keys]},
        }
        if path not in documents:
            return 404, {}, b""
        return 200, {"Content-Type": "application/json"}, json.dumps(documents[path]).encode()

    def _redeem(self, form: dict, authorization: str | None) -> tuple[int, bytes]:
        """RFC 6749, section 4.1.3, and RFC 7636, section 4.6: a code works once and for whoever asked for it."""
        self.authorizations.append(authorization)
        challenge, claims = self.codes.pop(form.get("code", ""), ("", {}))
        proved = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if not challenge or proved != challenge:
            return 400, b'{"error": "invalid_grant"}'
        return 200, json.dumps({"token_type": "Bearer", "id_token": self.token(**claims)}).encode()

    def authorize(self, location: str, **claims) -> str:
        """Signs somebody in who was sent here, and gives the address that the browser is sent back to."""
        assert location.startswith(f"{self.url}/authorize?"), location
        asked = {name: values[0] for name, values in urllib.parse.parse_qs(location.partition("?")[2]).items()}
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.codes)}-{time.time_ns()}"
        given = {"aud": asked["client_id"], "nonce": asked["nonce"]} | claims
        self.codes[code] = (asked["code_challenge"], given)
        return f"{asked['redirect_uri']}?{urllib.parse.urlencode({'code': code, 'state': asked['state']})}"

    def claims(self, **changes) -> dict:
        """Those of a job of GitHub Actions, with `changes`; `None` takes a claim away."""
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": "sts.amazonaws.com",
            "sub": "repo:acme/app:ref:refs/heads/main",
            "iat": now,
            "nbf": now - 300,
            "exp": now + 300,
            "jti": "7f6a1b9e",
            "ref": "refs/heads/main",
            "repository": "acme/app",
            "repository_owner": "acme",
            "actor": "octocat",
            "run_attempt": "1",
        } | changes
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key: Key | None = None, header: dict | None = None, **changes) -> str:
        return token(key or self.keys[0], self.claims(**changes), **(header or {}))

    def close(self) -> None:
        self.https.close()
