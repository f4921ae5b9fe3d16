"""Signed calls per second over TLS on loopback, with the audit trail durable and without one.

wrk repeats one signed request on connections that stay: signing is the client's cost. It shares the machine's
processors with the server. The trail is on the disk of the directory for temporary files; what a flush costs there
decides how long a group of calls waits, and so how many connections it takes to be busy.
"""

import re
import subprocess
from pathlib import Path

from harness.programs import Server, kill_group
from harness.requests import Request, sign, ssm_call, sts_call

CALLS = {
    "GetCallerIdentity": lambda server: sign(sts_call(), server, "sts"),
    "DescribeSessions": lambda server: sign(ssm_call("DescribeSessions", {"State": "Active"}), server),
}
CONNECTIONS = 128
WARM_UP_S = 2
MEASURE_S = 8
ROUNDS = 3
TARGET_PER_S = 5000
SCRIPT = """
wrk.method = %s
wrk.body = %s
%s
"""


def measure(directory: Path, report) -> None:
    print("signed calls", flush=True)
    quiet = {"POSTERN_LOG_FILTER": "warn"}
    audited = Server(directory / "audited", quiet).start()
    unaudited = Server(directory / "unaudited", quiet | {"POSTERN_AUDIT_OFF_FOR_BENCHMARK": "true"}).start()
    try:
        assert "THERE IS NO AUDIT TRAIL" in unaudited.program.logged(), "nothing warns of a server without a trail"
        for name, request in CALLS.items():
            rates = {server: [] for server in (audited, unaudited)}
            for _ in range(ROUNDS):
                for server, found in rates.items():
                    found.append(_rate(directory, server, request(server)))
            with_trail, without = (sorted(found)[ROUNDS // 2] for found in rates.values())
            report.at_least(f"{name}, audited", with_trail, "calls/s", TARGET_PER_S)
            report.note(f"{name}, the trail's cost", f"{with_trail:.0f} to {without:.0f} calls/s: {with_trail / without:.2f}")
    finally:
        for server in (audited, unaudited):
            kill_group(server.program)


def _rate(directory: Path, server, request: Request) -> float:
    script = directory / "request.lua"
    headers = "\n".join(f"wrk.headers[ {_lua(name)} ] = {_lua(value)}" for name, value in request.headers.items())
    script.write_text(SCRIPT % (_lua(request.method), _lua(request.body.decode()), headers))
    arguments = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--script", str(script), "--latency"]
    for seconds in (WARM_UP_S, MEASURE_S):
        done = subprocess.run(
            [*arguments, "--duration", f"{seconds}s", server.local_url + request.path],
            check=True, capture_output=True, text=True,
        )
    assert "Non-2xx" not in done.stdout, done.stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1])


def _lua(text: str) -> str:
    assert "]==]" not in text
    return f"[==[{text}]==]"
