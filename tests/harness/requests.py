"""Requests written by hand, signed by botocore and then, perhaps, changed."""

import datetime
import json
from dataclasses import dataclass, field
from unittest import mock

import botocore.auth
import botocore.credentials
from botocore.awsrequest import AWSRequest

from .programs import REGION


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self):
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's code, in either protocol."""
        if self.body.startswith(b"{"):
            return self.json().get("__type", "").rpartition("#")[2]
        text = self.body.decode(errors="replace")
        return text.partition("<Code>")[2].partition("</Code>")[0]


@dataclass
class Request:
    """One request; `send` gives the answer."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    method: str = "POST"
    path: str = "/"

    def send(self, server) -> Answer:
        connection = server.https()
        try:
            connection.request(self.method, self.path, self.body, self.headers)
            response = connection.getresponse()
            headers = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, headers, response.read())
        finally:
            connection.close()


def credentials(server) -> botocore.credentials.ReadOnlyCredentials:
    return server.botocore_session().get_credentials().get_frozen_credentials()


def ssm_call(operation: str, arguments: dict | None = None) -> Request:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"AmazonSSM.{operation}"}
    return Request(headers, json.dumps(arguments or {}).encode())


def postern_call(operation: str, arguments: dict | None = None) -> Request:
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"Postern_20261101.{operation}"}
    return Request(headers, json.dumps(arguments or {}).encode())


def sts_call() -> Request:
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    return Request(headers, b"Action=GetCallerIdentity&Version=2011-06-15")


def sign(request: Request, server, service="ssm", region=REGION, keys=None, at=None, auth=None) -> Request:
    """The request with botocore's `Authorization`, as if made at another time when `at` is given."""
    auth = auth or botocore.auth.SigV4Auth(keys or credentials(server), service, region)
    aws = AWSRequest(request.method, server.local_url + request.path, dict(request.headers), request.body)
    with _clock(at):
        auth.add_auth(aws)
    headers = {name: value for name, value in aws.headers.items() if name.lower() != "content-length"}
    return Request(headers, request.body, request.method, request.path)


def presign(server, path: str, service: str, at=None, expires_s=60, keys=None) -> Request:
    aws = AWSRequest("GET", server.local_url + path)
    with _clock(at):
        botocore.auth.SigV4QueryAuth(keys or credentials(server), service, REGION, expires=expires_s).add_auth(aws)
    return Request(method="GET", path=aws.url.removeprefix(server.local_url))


def _clock(at: datetime.datetime | None):
    """botocore's idea of the present."""
    moment = (at or datetime.datetime.now(datetime.UTC)).replace(tzinfo=None)
    return mock.patch("botocore.auth.get_current_datetime", return_value=moment)
