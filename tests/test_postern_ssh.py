"""`postern ssh` and `postern ssh-config`: OpenSSH's programs over sessions, and sessions where there is no SSH server."""

import getpass
import hashlib
import os
import signal
import subprocess

import pytest
from harness.openssh import SshServer
from harness.programs import binary, free_port
from harness.waiting import eventually


@pytest.fixture(scope="module")
def sshd(tmp_path_factory):
    server = SshServer(tmp_path_factory.mktemp("sshd"))
    yield server
    server.close()


@pytest.fixture
def environment(server):
    return server.client_environment()


def options(sshd, node) -> list[str]:
    """What knows the server of the test and nothing else: its host key is filed under the node's ID."""
    known = sshd.directory / "known_nodes"
    known.write_text(f"{node.node_id} {(sshd.directory / 'host.pub').read_text()}")
    values = {
        "IdentityFile": sshd.directory / "user",
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": known,
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "ControlMaster": "no",
    }
    return ["-F", "/dev/null", *(word for name, value in values.items() for word in ("-o", f"{name}={value}"))]


def run(arguments: list[str], environment, given: bytes = b"") -> subprocess.CompletedProcess:
    return subprocess.run(arguments, env=environment, input=given, capture_output=True, timeout=60)


def test_a_command_through_the_nodes_ssh_server(node, environment, sshd):
    words = [*options(sshd, node), "-p", str(sshd.port), f"{getpass.getuser()}@{node.node_id}"]
    done = run([binary("postern"), "ssh", *words, "cat; echo to stderr >&2; exit 7"], environment, b"over ssh\n")
    assert (done.returncode, done.stdout) == (7, b"over ssh\n"), done.stderr
    assert b"to stderr" in done.stderr and b"no SSH server" not in done.stderr


def test_where_no_ssh_server_answers_a_command_is_a_session_of_its_own(node, environment, sshd, server):
    words = [*options(sshd, node), "-p", str(free_port()), node.node_id]
    done = run([binary("postern"), "ssh", *words, "echo $((6*7)) \"it's\";", "echo to stderr >&2; exit 7"], environment)
    assert (done.returncode, done.stdout) == (7, b"42 it's\n"), done.stderr
    assert b"to stderr" in done.stderr
    assert b"no SSH server answers on " + node.node_id.encode() in done.stderr
    documents = [session["DocumentName"] for session in server.client().describe_sessions(State="History")["Sessions"]]
    assert {"AWS-StartNonInteractiveCommand", "AWS-StartSSHSession"} <= set(documents)


def test_no_ssh_server_need_be_looked_for(node, environment, server):
    def connections() -> int:
        client = server.client()
        sessions = [session for state in ("Active", "History") for session in client.describe_sessions(State=state)["Sessions"]]
        return len({each["SessionId"] for each in sessions if each["DocumentName"] == "AWS-StartSSHSession"})

    before = connections()
    done = run([binary("postern"), "ssh", "--no-sshd", node.node_id, "echo", "here"], environment)
    assert (done.returncode, done.stdout) == (0, b"here\n"), done.stderr
    assert connections() == before


def without_server(environment, node, command: str, given: bytes, *options: str) -> subprocess.CompletedProcess:
    return run([binary("postern"), "ssh", "--no-sshd", *options, node.node_id, command], environment, given)


def test_a_command_reads_standard_input_without_an_ssh_server(node, environment):
    content = os.urandom(3_000_000) + b"\x03\x04\x1c\xff"
    done = without_server(environment, node, "sha256sum; echo read >&2; exit 7", content)
    assert (done.returncode, done.stderr) == (7, b"read\n")
    assert done.stdout.split()[0].decode() == hashlib.sha256(content).hexdigest()
    done = without_server(environment, node, "cat", content)
    assert (done.returncode, done.stdout == content) == (0, True), done.stderr


def test_a_command_that_reads_no_more_ends_all_the_same(node, environment):
    done = without_server(environment, node, "head -c 3; exit 4", b"abc" + bytes(20_000_000))
    assert (done.returncode, done.stdout) == (4, b"abc"), done.stderr
    done = without_server(environment, node, "exec <&-; sleep 1; echo over", bytes(20_000_000))
    assert (done.returncode, done.stdout) == (0, b"over\n"), done.stderr


def test_standard_input_can_be_kept_from_a_command(node, environment):
    done = without_server(environment, node, "cat; echo nothing", b"typed", "-n")
    assert (done.returncode, done.stdout) == (0, b"nothing\n"), done.stderr


def test_an_interrupt_ends_a_command_that_reads(node, environment, tmp_path):
    mark = tmp_path / "mark"
    command = [binary("postern"), "ssh", "--no-sshd", node.node_id, f"touch {mark}; exec sleep 1000.25"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        eventually(mark.exists, "the command runs")
        program.send_signal(signal.SIGINT)
        assert program.wait(20) == 130
    search = ["pgrep", "-f", "^sleep 1000[.]25"]
    eventually(lambda: subprocess.run(search, check=False, capture_output=True).returncode == 1, "the command is gone")


def test_a_shell_without_an_ssh_server(node, environment):
    done = run([binary("postern"), "ssh", "--no-sshd", node.node_id], environment, b"echo $((6*7)); exit 3\n")
    assert done.returncode == 3
    assert b"42" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-L", "1:localhost:2", "NODE"], b"-L needs an SSH server"),
        (["nobody@NODE", "id"], b"not of the user \"nobody\""),
    ],
)
def test_what_needs_an_ssh_server_is_refused_without_one(node, environment, sshd, words, told):
    words = [word.replace("NODE", node.node_id) for word in words]
    done = run([binary("postern"), "ssh", *options(sshd, node), "-p", str(free_port()), *words], environment)
    assert (done.returncode, done.stdout) == (255, b"")
    assert told in done.stderr and b"no SSH server answers there" in done.stderr


@pytest.mark.parametrize(("words", "status", "told"), [(["nowhere", "id"], 255, b"no node has the name"), (["-p"], 2, b"needs a value")])
def test_what_names_no_node_is_told(server, environment, words, status, told):
    done = run([binary("postern"), "ssh", *words], environment)
    assert (done.returncode, done.stdout) == (status, b"")
    assert told in done.stderr


def test_the_configuration_leads_ssh_and_scp_to_nodes(node, environment, sshd, tmp_path):
    printed = run([binary("postern"), "ssh-config", "--user", getpass.getuser()], environment)
    assert printed.returncode == 0, printed.stderr
    config = tmp_path / "config"
    config.write_bytes(printed.stdout)
    words = [*options(sshd, node), "-F", str(config)]
    known = sshd.directory / "known_nodes"
    known.write_text(f"[{node.node_id}]:{sshd.port} {(sshd.directory / 'host.pub').read_text()}")
    done = run(["ssh", *words, "-p", str(sshd.port), node.node_id, "exit 5"], environment)
    assert done.returncode == 5, done.stderr
    content = os.urandom(100_000)
    (tmp_path / "there").write_bytes(content)
    done = run(["scp", *words, "-P", str(sshd.port), f"{node.node_id}:{tmp_path / 'there'}", str(tmp_path / "here")], environment)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here").read_bytes() == content
