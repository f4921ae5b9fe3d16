"""Users and roles of a server, made with `iam` as an administrator makes them, and the AWS CLI in their hands."""

import itertools
import json
import subprocess

import botocore.credentials

from .channel import Session
from .programs import ACCOUNT, REGION, SCRIPTS, clean_environment
from .requests import Request, sign

_numbers = itertools.count(1)


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(actions, resources="*", **more) -> dict:
    return {"Effect": "Allow", "Action": actions, "Resource": resources} | more


def deny(actions, resources="*", **more) -> dict:
    return {"Effect": "Deny", "Action": actions, "Resource": resources} | more


class Holder:
    """Somebody with credentials, and what they do with them."""

    def __init__(self, server, key: str, secret: str, token: str | None = None):
        self.server, self.key, self.secret, self.token = server, key, secret, token

    def client(self, service: str = "ssm"):
        credentials = {"aws_access_key_id": self.key, "aws_secret_access_key": self.secret}
        if self.token:
            credentials["aws_session_token"] = self.token
        return self.server.client(service, **credentials)

    def environment(self) -> dict[str, str]:
        variables = clean_environment() | {
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.server.local_url,
            "AWS_CA_BUNDLE": str(self.server.ca_file),
            "AWS_MAX_ATTEMPTS": "1",
        }
        return variables | ({"AWS_SESSION_TOKEN": self.token} if self.token else {})

    def aws(self, *arguments: str, path: str = "") -> subprocess.CompletedProcess:
        """The real CLI. `path` goes before everything, for a plugin."""
        environment = self.environment()
        environment["PATH"] = f"{path}:{SCRIPTS}:{environment['PATH']}"
        return subprocess.run(
            ["aws", *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )

    def websocket_headers(self, stream_url: str) -> dict[str, str]:
        """With which the websocket of a session is signed, as plugins from 1.2.764.0 on do it."""
        path = stream_url.partition(self.server.url.partition("//")[2])[2]
        keys = botocore.credentials.Credentials(self.key, self.secret, self.token)
        signed = sign(Request(method="GET", path=path), self.server, "ssmmessages", keys=keys).headers
        return {name: value for name, value in signed.items() if name.lower() != "host"}

    def open_session(self, node_id: str, **arguments) -> Session:
        started = self.client().start_session(Target=node_id, **arguments)
        return Session(self.server, started)


class Person(Holder):
    """An IAM user with an access key and, at first, what `statements` allow."""

    def __init__(self, server, *statements: dict, name: str | None = None, tags: dict[str, str] | None = None):
        self.iam = server.client("iam")
        self.name = name or f"person{next(_numbers)}"
        self.iam.create_user(UserName=self.name, Tags=[{"Key": k, "Value": v} for k, v in (tags or {}).items()])
        if statements:
            self.put(*statements)
        key = self.iam.create_access_key(UserName=self.name)["AccessKey"]
        super().__init__(server, key["AccessKeyId"], key["SecretAccessKey"])

    @property
    def arn(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:user/{self.name}"

    def put(self, *statements: dict) -> None:
        """What the person may from now on."""
        self.iam.put_user_policy(UserName=self.name, PolicyName="inline", PolicyDocument=document(*statements))

    def delete(self) -> None:
        for name in self.iam.list_user_policies(UserName=self.name)["PolicyNames"]:
            self.iam.delete_user_policy(UserName=self.name, PolicyName=name)
        for policy in self.iam.list_attached_user_policies(UserName=self.name)["AttachedPolicies"]:
            self.iam.detach_user_policy(UserName=self.name, PolicyArn=policy["PolicyArn"])
        for key in self.iam.list_access_keys(UserName=self.name)["AccessKeyMetadata"]:
            self.iam.delete_access_key(UserName=self.name, AccessKeyId=key["AccessKeyId"])
        self.iam.delete_user(UserName=self.name)


def trust(*principals: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}],
        }
    )


class RoleOf:
    """A role that one person may take on."""

    def __init__(self, person: Person, *statements: dict):
        self.person, self.iam = person, person.iam
        self.name = f"role{next(_numbers)}"
        created = self.iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=trust(person.arn))
        self.arn, self.id = created["Role"]["Arn"], created["Role"]["RoleId"]
        self.iam.put_role_policy(RoleName=self.name, PolicyName="inline", PolicyDocument=document(*statements))

    def assume(self, session_name: str = "work", **more) -> Holder:
        sts = self.person.client("sts")
        given = sts.assume_role(RoleArn=self.arn, RoleSessionName=session_name, **more)["Credentials"]
        return Holder(self.person.server, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def delete(self) -> None:
        self.iam.delete_role_policy(RoleName=self.name, PolicyName="inline")
        self.iam.delete_role(RoleName=self.name)
