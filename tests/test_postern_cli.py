"""`postern`, Postern's own command line."""

import configparser
import json
import os
import subprocess

import pytest
from harness.programs import ROLE, Activation, binary
from harness.terminal import Terminal
from harness.waiting import eventually


def postern(server, *arguments: str, given: bytes | None = None, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [binary("postern"), *arguments],
        env=server.client_environment() | environment,
        input=given if given is not None else b"",
        capture_output=True,
        timeout=60,
    )


def command(node, line: str, kind: str = "NonInteractive", **options) -> subprocess.CompletedProcess:
    return postern(
        node.server, "start-session", "--target", node.node_id,
        "--document-name", f"AWS-Start{kind}Command", "--parameters", json.dumps({"command": [line]}), **options,
    )  # fmt: skip


@pytest.fixture
def terminal(lab, node, tmp_path):
    arguments = [binary("postern"), "start-session", "--target", node.node_id]
    terminal = Terminal(tmp_path, arguments, node.server.client_environment())
    lab.closers.append(terminal.close)
    eventually(lambda: terminal.screen().strip(), "something on the screen")
    terminal.line("PS1='rea''dy> '; clear")
    terminal.shows("ready>")
    return terminal


def test_a_shell_and_its_exit_status(terminal):
    terminal.line("echo $((6 * 7)); stty size")
    terminal.shows_line("42")
    terminal.shows_line("30 100")
    terminal.line("exit 5")
    assert terminal.status() == 5


def test_a_new_size_arrives_at_once(terminal):
    terminal.line("trap 'stty size' WINCH")
    terminal.shows("ready>")
    terminal.resize(111, 33)
    terminal.shows("33 111", 5)


def test_keys_go_to_the_other_side(terminal):
    terminal.line("sh -c 'echo st\"\"arted; exec sleep 1000'")
    terminal.shows_line("started")
    terminal.keys("C-c")
    terminal.line("echo status-$?")
    terminal.shows_line("status-130")


def test_enter_tilde_dot_leaves(terminal):
    terminal.keys("Enter")
    terminal.type("~.")
    assert isinstance(terminal.status(), int)


def test_a_tilde_elsewhere_is_a_tilde(terminal):
    terminal.line("echo a~.b")
    terminal.shows_line("a~.b")
    terminal.keys("Enter")
    terminal.type("~~")
    terminal.keys("C-u")
    terminal.line("echo still")
    terminal.shows_line("still")


@pytest.mark.parametrize("how", ["exit", "terminate", "kill"])
def test_the_terminal_is_restored_on_every_path(lab, node, tmp_path, how):
    program = f"{binary('postern')} start-session --target {node.node_id}"
    script = f"cd {tmp_path}; stty -a > before; {program}; stty -a > after; echo compared"
    terminal = Terminal(tmp_path, ["sh", "-c", script], node.server.client_environment())
    lab.closers.append(terminal.close)
    eventually(lambda: (tmp_path / "before").exists() and terminal.screen().strip(), "a session")
    terminal.line("echo in-$((1+1)) $PPID")
    terminal.shows("in-2")
    newest = node.server.client().describe_sessions(State="Active")["Sessions"][0]["SessionId"]
    if how == "exit":
        terminal.line("exit")
    elif how == "terminate":
        node.server.client().terminate_session(SessionId=newest)
    else:
        pids = subprocess.run(["pgrep", "-f", program], capture_output=True, text=True).stdout.split()
        for pid in pids:
            with open(f"/proc/{pid}/comm") as comm:
                if comm.read().startswith("postern"):
                    os.kill(int(pid), 15)
    terminal.shows("compared")
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()


@pytest.mark.parametrize("status", [0, 1, 7, 255])
def test_the_exit_status_is_the_commands(node, status):
    done = command(node, f"sh -c 'exit {status}'")
    assert done.returncode == status, done.stderr


def test_output_and_errors_are_apart(node):
    done = command(node, "sh -c 'echo out; echo err >&2'")
    assert done.stdout == b"out\n"
    assert b"err\n" in done.stderr


def test_stdout_is_data_only(node):
    assert command(node, "printf 'a\\000b\\377'").stdout == b"a\x00b\xff"
    assert command(node, "true").stdout == b""


def test_a_command_killed_by_a_signal(node):
    assert command(node, "sh -c 'kill -9 $$'").returncode == 137


def test_an_interactive_command_has_an_exit_status_too(node):
    done = command(node, "echo hello; exit 3", "Interactive")
    assert (done.returncode, done.stdout) == (3, b"hello\r\n")


def test_input_from_a_pipe_is_typed_and_its_end_is_the_end(node):
    done = postern(node.server, "start-session", "--target", node.node_id, given=b"stty -echo\necho $((6*7))\nexit 4\n")
    assert b"42\r\n" in done.stdout
    assert done.returncode == 4, done.stderr


def test_a_target_that_is_not_connected_is_told_on_stderr(server):
    done = postern(server, "start-session", "--target", "mi-00000000000000000")
    assert done.returncode != 0 and done.stdout == b""
    assert b"mi-00000000000000000 is not connected" in done.stderr


def test_listing_and_terminating_sessions(lab, node):
    session = lab.session(node, reason="to be listed")
    session.run("true")
    listed = postern(node.server, "sessions", "list")
    assert session.id.encode() in listed.stdout, listed
    done = postern(node.server, "sessions", "terminate", session.id)
    assert done.returncode == 0, done
    session.reason()
    eventually(lambda: session.id.encode() not in postern(node.server, "sessions", "list").stdout, "not listed")


def test_listing_nodes(node):
    listed = postern(node.server, "nodes", "list")
    assert node.node_id.encode() in listed.stdout, listed


def test_listing_nodes_with_their_connections(lab, server):
    agent = lab.agent(server).register().start()
    agent.stop()

    def away():
        listed = postern(server, "--output", "json", "nodes", "list", "--long", "--filter", f"InstanceIds={agent.node_id}")
        assert listed.returncode == 0, listed
        [connection] = json.loads(listed.stdout)["NodeConnections"]
        return connection["Status"] == "Away" and connection

    connection = eventually(away, "it is away")
    assert connection["Node"] == agent.node_id and connection["LastClose"]["Reason"] == "Closed"
    assert connection["RetryPauseMaxSeconds"] == 30
    table = postern(server, "nodes", "list", "--long").stdout.decode()
    assert "LAST CLOSE" in table and "Away" in table and "30 s" in table


def test_creating_an_activation_that_works(lab, server):
    done = postern(server, "activation", "create", "--iam-role", ROLE)
    assert done.returncode == 0, done
    words = done.stdout.decode().replace('"', " ").replace(",", " ").split()
    (activation_id,) = [word for word in words if len(word) == 36 and word.count("-") == 4]
    codes = [word for word in words if len(word) >= 20 and word.isalnum()]
    assert codes, done.stdout
    assert lab.agent(server).try_to_register(Activation(activation_id, codes[0])).returncode == 0


def test_what_is_wrong_with_the_configuration_is_told(server):
    for change, part in [
        ({"AWS_PROFILE": "nonsense"}, b"nonsense"),
        ({"AWS_CA_BUNDLE": "/nowhere.pem"}, b"/nowhere.pem"),
        ({"AWS_ENDPOINT_URL": "https://127.0.0.1:1"}, b"127.0.0.1:1"),
    ]:
        done = postern(server, "nodes", "list", **change)
        assert done.returncode != 0 and done.stdout == b"", change
        assert part in done.stderr, (change, done.stderr)


def test_keys_from_the_environment(server, tmp_path):
    credentials = configparser.ConfigParser()
    credentials.read(server.data / "bootstrap" / "credentials")
    environment = {
        "AWS_ACCESS_KEY_ID": credentials["postern"]["aws_access_key_id"],
        "AWS_SECRET_ACCESS_KEY": credentials["postern"]["aws_secret_access_key"],
        "AWS_ENDPOINT_URL": server.url,
        "AWS_REGION": "us-east-1",
        "AWS_CA_BUNDLE": str(server.ca_file),
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }
    clean = {name: value for name, value in server.client_environment().items() if not name.startswith("AWS_")}
    done = subprocess.run(
        [binary("postern"), "nodes", "list"], env=clean | environment, capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_a_server_with_another_authority_is_not_trusted(server, lab):
    other = lab.server().start()
    done = postern(server, "nodes", "list", AWS_CA_BUNDLE=str(other.ca_file))
    assert done.returncode != 0 and b"certificate" in done.stderr.lower()


def test_help_and_version():
    for arguments in (["--help"], ["--version"], ["start-session", "--help"]):
        done = subprocess.run([binary("postern"), *arguments], capture_output=True, timeout=20)
        assert done.returncode == 0 and b"postern" in done.stdout.lower()


def test_a_closed_pipe_is_no_error(node):
    done = subprocess.run(
        ["sh", "-c", f"{binary('postern')} start-session --target {node.node_id}"
         " --document-name AWS-StartNonInteractiveCommand --parameters command='seq 1 1000000' | head -n 1"],
        env=node.server.client_environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == b"1\n"
    assert b"panick" not in done.stderr


def test_a_session_of_the_cli_has_the_reason(lab, node):
    done = postern(
        node.server, "start-session", "--target", node.node_id, "--reason", "change 42",
        "--document-name", "AWS-StartNonInteractiveCommand", "--parameters", "command=true",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    history = node.server.client().describe_sessions(State="History")["Sessions"]
    assert "change 42" in [each.get("Reason") for each in history[:20]]
