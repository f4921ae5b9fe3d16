"""What logs cost a session: output and keystrokes of one that is recorded and streamed to a log group and a bucket, against
one that is recorded only; and, of sessions that are encrypted, one that is recorded and logged against one whose recording
the server does not look into, which is as near to a relay without a recording as there is."""

import base64
import contextlib
import json
import os
import statistics

import keys
import output
from terminal import PtyProgram, shell_commands

ROUNDS = 5
KEY_ROUNDS = 40
GROUP, BUCKET = "/bench", "bench-logs"
LOGS = {
    "s3BucketName": BUCKET,
    "cloudWatchLogGroupName": GROUP,
    "cloudWatchEncryptionEnabled": False,
    "cloudWatchStreamingEnabled": True,
}


def measure(bench, report) -> None:
    print("logged sessions", flush=True)
    commands = _commands(bench)
    path = bench.directory / "logged-lines"
    path.write_bytes(base64.encodebytes(os.urandom(output.SIZE * 3 // 4))[: output.SIZE])
    rates = {name: [] for name in commands}
    for n in range(ROUNDS):
        for name in sorted(commands, reverse=n % 2 == 1):
            rates[name].append(output.once(*commands[name], path))
    rate = {name: statistics.median(found) / 1e6 for name, found in rates.items()}
    report.compare(
        "output, logged to recorded",
        rate["logged"],
        rate["plain"],
        "MB/s",
        at_least=0.9,
    )
    report.compare(
        "output, recorded and logged to neither",
        rate["opened"],
        rate["closed"],
        "MB/s",
        at_least=0.9,
    )
    took = _keystrokes({name: commands[name] for name in ("logged", "plain")})
    for percent in (50, 99):
        logged, plain = (statistics.quantiles(took[name], n=100)[percent - 1] * 1000 for name in ("logged", "plain"))
        # A tenth is what two runs of the same differ by.
        report.compare(
            f"keystroke echo, logged to recorded, p{percent}",
            logged,
            plain,
            "ms",
            at_most=1.1,
        )


def _keystrokes(commands) -> dict[str, list[float]]:
    took = {name: [] for name in commands}
    with contextlib.ExitStack() as programs:
        opened = {}
        for name, (arguments, environment) in commands.items():
            opened[name] = PtyProgram(arguments, environment)
            programs.callback(opened[name].close)
            keys.begin(opened[name])
        for n in range(KEY_ROUNDS):
            for name in sorted(opened, reverse=n % 2 == 1):
                took[name] += keys.one_round(opened[name])
    return took


def _commands(bench) -> dict[str, tuple[list[str], dict[str, str]]]:
    """The command that opens a shell, with each document."""
    server = bench.server
    server.client("s3").create_bucket(Bucket=BUCKET)
    server.client("logs").create_log_group(logGroupName=GROUP)
    key = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    server.client("iam").put_role_policy(RoleName="PosternNode", PolicyName="bench", PolicyDocument=policy)
    arguments, environment = shell_commands(bench)["postern"]
    documents = {
        "plain": {},
        "logged": LOGS,
        "closed": {"kmsKeyId": key, "recording": "off"},
        "opened": {"kmsKeyId": key, "recording": "required"} | LOGS,
    }
    for name, inputs in documents.items():
        content = {
            "schemaVersion": "1.0",
            "sessionType": "Standard_Stream",
            "inputs": inputs,
        }
        server.client().create_document(Name=f"Bench-{name}", DocumentType="Session", Content=json.dumps(content))
    return {name: ([*arguments, "--document-name", f"Bench-{name}"], environment) for name in documents}
