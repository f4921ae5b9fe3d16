"""A browser as far as signing in needs one: it keeps the cookie, and sends its origin and the token of its pages."""

import http.client
import json
import urllib.parse

from .requests import Answer

JSON = "application/json"


class Browser:
    """One profile of a browser that has a page of `server` open."""

    def __init__(self, server):
        self.server = server
        self.origin: str | None = server.local_url
        self.cookies: dict[str, str] = {}
        self.csrf: str | None = None
        self.set_cookies: list[str] = []

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if self.cookies:
            sent["Cookie"] = "; ".join(
                f"{name}={value}" for name, value in self.cookies.items()
            )
        if self.origin and method != "GET":
            sent.setdefault("Origin", self.origin)
        if self.csrf:
            sent.setdefault("X-Postern-Csrf", self.csrf)
        connection: http.client.HTTPSConnection = self.server.https()
        try:
            connection.request(
                method,
                path,
                body,
                {name: value for name, value in sent.items() if value is not None},
            )
            response = connection.getresponse()
            self.set_cookies = response.headers.get_all("Set-Cookie") or []
            for cookie in self.set_cookies:
                self._keep(cookie)
            answered = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, answered, response.read())
        finally:
            connection.close()

    def _keep(self, cookie: str) -> None:
        name, _, value = cookie.partition(";")[0].partition("=")
        if "max-age=0" in cookie.lower():
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value

    def get(self, path: str) -> Answer:
        return self.send("GET", f"/console/api/{path}")

    def post(self, path: str, body: dict | None = None, **headers) -> Answer:
        sent = {"Content-Type": JSON} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return self.send(
            "POST", f"/console/api/{path}", json.dumps(body or {}).encode(), sent
        )

    def delete(self, path: str) -> Answer:
        return self.send("DELETE", f"/console/api/{path}")

    def sign_in(self, user: str, password: str) -> Answer:
        answer = self.post("sign-in", {"userName": user, "password": password})
        self.read_token()
        return answer

    def read_token(self) -> None:
        """A page asks who is signed in before it does anything else."""
        session = self.get("session")
        self.csrf = session.json()["csrf"] if session.status == 200 else None

    def call(self, target: str, arguments: dict | None = None, **headers) -> Answer:
        """An operation of a JSON service, such as `AmazonSSM.DescribeSessions`."""
        sent = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send("POST", "/", json.dumps(arguments or {}).encode(), sent)

    def query(
        self, service: str, version: str, action: str, **arguments: str
    ) -> Answer:
        """An operation of a Query service."""
        form = urllib.parse.urlencode(
            {"Action": action, "Version": version} | arguments
        ).encode()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Postern-Service": service,
        }
        return self.send("POST", "/", form, headers)
