"""Collectors that get the lines of every session: a webhook, a collector of syslog and one of OpenTelemetry, over TLS."""

import hashlib
import hmac
import json
import re
import socket
import threading
import time

import pytest
from harness.https import Authority, Https, Request
from harness.programs import free_port
from harness.waiting import eventually

SECRET = "a secret of a test"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


class Http:
    """Takes what is posted, and answers with `status`."""

    def __init__(self, authority: Authority, port: int = 0):
        self.posted, self.status = [], 200
        self.https = Https(authority, self._take, port)
        self.port = self.https.port

    def _take(self, request: Request) -> tuple[int, dict, bytes]:
        self.posted.append((self.status, request.path, request.headers, request.body))
        return self.posted[-1][0], {}, b"{}"

    def taken(self) -> list[tuple]:
        return [each for each in self.posted if each[0] == 200]

    def close(self) -> None:
        self.https.close()


class Syslog:
    """Takes messages with their length in front, from any number of connections."""

    def __init__(self, authority: Authority):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.context, self.messages, self.connections = self.listener.getsockname()[1], authority.tls(), [], []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=[connection], daemon=True).start()

    def _read(self, connection) -> None:
        with self.context.wrap_socket(connection, server_side=True) as stream:
            self.connections.append(stream)
            file = stream.makefile("rb")
            while length := b"".join(iter(lambda: file.read(1).strip(), b"")):
                self.messages.append(file.read(int(length)).decode())

    def hang_up(self) -> None:
        for stream in self.connections:
            stream.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.listener.close()


def settings(tmp_path, authority: Authority, **ports: int) -> dict[str, str]:
    secret = tmp_path / "secret"
    secret.write_text(f"{SECRET}\n")
    secret.chmod(0o600)
    values = {"POSTERN_SESSION_LOGS_RETRY_PAUSE_MAX": "1s"}
    if "webhook" in ports:
        values["POSTERN_SESSION_LOGS_WEBHOOK_URL"] = f"https://localhost:{ports['webhook']}/in?source=postern"
        values["POSTERN_SESSION_LOGS_WEBHOOK_SECRET_FILE"] = str(secret)
        values["POSTERN_SESSION_LOGS_WEBHOOK_CA_CERTIFICATES"] = str(authority.ca_file)
    if "syslog" in ports:
        values["POSTERN_SESSION_LOGS_SYSLOG_ADDRESS"] = f"localhost:{ports['syslog']}"
        values["POSTERN_SESSION_LOGS_SYSLOG_CA_CERTIFICATES"] = str(authority.ca_file)
    if "otlp" in ports:
        values["POSTERN_SESSION_LOGS_OTLP_ENDPOINT"] = f"https://localhost:{ports['otlp']}"
        values["POSTERN_SESSION_LOGS_OTLP_TOKEN_FILE"] = str(secret)
        values["POSTERN_SESSION_LOGS_OTLP_CA_CERTIFICATES"] = str(authority.ca_file)
    return values


def records_of(posted: list[tuple]) -> list[dict]:
    return [record for *_, body in posted for record in json.loads(body)["records"]]


def shown(records: list[dict], session_id: str) -> list[str]:
    return [line for record in records if record["sessionId"] == session_id for line in record["sessionData"]]


def test_a_webhook_gets_signed_records_while_the_session_runs(lab, authority, tmp_path):
    hook = Http(authority)
    lab.closers.append(hook.close)
    server = lab.server(settings(tmp_path, authority, webhook=hook.port)).start()
    session = lab.session(lab.node(server))
    session.run("echo fir''st")
    eventually(lambda: "first" in shown(records_of(hook.taken()), session.id), "it comes while the session runs")
    _, path, headers, body = hook.taken()[0]
    assert path == "/in?source=postern"
    at, digest = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["Postern-Signature"]).groups()
    assert abs(int(at) - time.time()) < 60
    assert hmac.compare_digest(digest, hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest())
    assert headers["Postern-Delivery"] == hashlib.sha256(body).hexdigest()
    record = json.loads(body)["records"][0]
    assert (record["sessionId"], json.loads(body)["sessionId"]) == (session.id, session.id)
    assert record["userIdentity"]["arn"].endswith(":user/admin") and record["eventVersion"] == "1.0"


def test_what_a_webhook_refuses_comes_again_in_order_and_once(lab, authority, tmp_path):
    hook = Http(authority)
    lab.closers.append(hook.close)
    server = lab.server(settings(tmp_path, authority, webhook=hook.port)).start()
    session = lab.session(lab.node(server))
    session.run("seq -f line-%g 1 50")
    eventually(lambda: "line-50" in shown(records_of(hook.taken()), session.id), "the first lines are there")
    hook.status = 503
    session.run("seq -f line-%g 51 100")
    eventually(lambda: sum(status == 503 for status, *_ in hook.posted) >= 2, "it was refused, and tried again")
    hook.status = 200
    eventually(lambda: "line-100" in shown(records_of(hook.taken()), session.id), "the rest is there")
    lines = [line for line in shown(records_of(hook.taken()), session.id) if line.startswith("line-")]
    assert lines == [f"line-{number}" for number in range(1, 101)]
    assert SECRET not in server.program.logged() and "source=postern" not in server.program.logged()


def test_syslog_gets_messages_and_a_lost_connection_is_made_again(lab, authority, tmp_path):
    collector = Syslog(authority)
    lab.closers.append(collector.close)
    server = lab.server(settings(tmp_path, authority, syslog=collector.port)).start()
    session = lab.session(lab.node(server))

    def lines() -> list[str]:
        return shown([json.loads(message.partition("\ufeff")[2]) for message in collector.messages], session.id)

    session.run("echo on''e")
    eventually(lambda: "one" in lines(), "the line is there")
    assert re.match(r"<110>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ postern - session - \ufeff\{", collector.messages[0])
    collector.hang_up()
    session.run("echo tw''o")
    eventually(lambda: "two" in lines(), "the line is there, over another connection")
    assert len(collector.connections) >= 2


def test_opentelemetry_gets_log_records(lab, authority, tmp_path):
    collector = Http(authority)
    lab.closers.append(collector.close)
    server = lab.server(settings(tmp_path, authority, otlp=collector.port)).start()
    session = lab.session(lab.node(server))
    session.run("echo hel''lo")

    def found():
        for _, path, headers, body in collector.taken():
            assert (path, headers["Authorization"]) == ("/v1/logs", f"Bearer {SECRET}")
            for record in json.loads(body)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]:
                if "hello" in record["body"]["stringValue"].splitlines():
                    return record
        return None

    record = eventually(found, "the line is there")
    attributes = {each["key"]: each["value"]["stringValue"] for each in record["attributes"]}
    assert attributes["session.id"] == session.id and attributes["host.id"].startswith("mi-")
    assert abs(int(record["timeUnixNano"]) / 1e9 - time.time()) < 60


def test_a_collector_that_is_away_keeps_no_session_waiting(lab, authority, tmp_path):
    port = free_port()
    server = lab.server(settings(tmp_path, authority, webhook=port, syslog=free_port())).start()
    node = lab.node(server)
    session = lab.session(node)
    assert session.run("echo alive") == "alive\n"
    session.run("echo ki''lled")
    server.kill()
    server.start()
    node.wait_until_connected()
    session.resume()
    assert session.run("echo alive") == "alive\n"
    hook = Http(authority, port)
    lab.closers.append(hook.close)
    eventually(lambda: {"killed", "alive"} <= set(shown(records_of(hook.taken()), session.id)), "nothing is missing", 60)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"WEBHOOK_URL": "https://x/"}, "session_logs.webhook_secret_file"),
        ({"WEBHOOK_URL": "http://example.com/", "WEBHOOK_SECRET_FILE": "/s"}, "session_logs.webhook_url"),
        ({"WEBHOOK_SECRET_FILE": "/s"}, "session_logs.webhook_url"),
        ({"SYSLOG_ADDRESS": "collector"}, "session_logs.syslog_address"),
        ({"OTLP_TOKEN_FILE": "/s"}, "session_logs.otlp_endpoint"),
    ],
)
def test_half_a_configuration_is_refused(lab, values, told):
    server = lab.server({f"POSTERN_SESSION_LOGS_{name}": value for name, value in values.items()})
    server.start(wait=False)
    assert server.program.wait(20) != 0
    assert told in server.program.logged()
