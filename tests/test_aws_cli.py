"""`aws ssm start-session` with the `postern` program as its plugin, in a real terminal."""

import hashlib
import json
import os
import re
import subprocess

import pytest
from harness import channel
from harness.programs import SCRIPTS, binary
from harness.terminal import Terminal
from harness.waiting import eventually


@pytest.fixture(scope="module")
def plugin_path(tmp_path_factory) -> str:
    directory = tmp_path_factory.mktemp("plugin")
    os.symlink(binary("postern"), directory / "session-manager-plugin")
    return str(directory)


@pytest.fixture
def environment(server, plugin_path):
    variables = server.client_environment()
    return variables | {"PATH": f"{plugin_path}:{SCRIPTS}:{variables['PATH']}"}


@pytest.fixture
def terminal(lab, node, environment, tmp_path):
    """A terminal in which the AWS CLI has opened a shell on the node."""
    terminal = Terminal(tmp_path, ["aws", "ssm", "start-session", "--target", node.node_id], environment)
    lab.closers.append(terminal.close)
    terminal.shows("Starting session with SessionId: admin-")
    terminal.line("PS1='rea''dy> '; clear")
    terminal.shows("ready>")
    return terminal


def test_the_version_is_one_that_the_cli_accepts(environment):
    done = subprocess.run(
        ["session-manager-plugin", "--version"], env=environment, capture_output=True, text=True, timeout=20
    )
    assert re.fullmatch(r"\d+\.\d+\.\d+\.\d+\n", done.stdout)
    assert [int(part) for part in done.stdout.split(".")] >= [1, 2, 764, 0]


def test_without_arguments_it_tells_that_it_is_installed(environment):
    done = subprocess.run(["session-manager-plugin"], env=environment, capture_output=True, text=True, timeout=20)
    assert (done.returncode, "installed successfully" in done.stdout) == (0, True)


def test_a_shell_and_its_end(terminal):
    terminal.line("echo $((6 * 7))")
    terminal.shows_line("42")
    terminal.line("exit")
    terminal.shows("Exiting session with sessionId: admin-")
    assert terminal.status() == 0


def test_no_warning_is_printed(lab, node, environment, tmp_path):
    terminal = Terminal(tmp_path, ["aws", "ssm", "start-session", "--target", node.node_id], environment)
    lab.closers.append(terminal.close)
    terminal.shows("Starting session with SessionId")
    terminal.line("exit")
    assert "WARNING" not in terminal.shows("Exiting session")


def test_the_window_is_as_big_as_the_terminal(terminal):
    terminal.line("stty size")
    terminal.shows_line("30 100")
    terminal.resize(120, 40)
    eventually(lambda: terminal.line("clear; stty size") or "40 120" in terminal.screen(), "the new size")


def test_ctrl_c_goes_to_the_other_side(terminal):
    terminal.line("sh -c 'echo st\"\"arted; exec sleep 1000'")
    terminal.shows_line("started")
    terminal.keys("C-c")
    terminal.line("echo status-$?")
    terminal.shows_line("status-130")


def test_ctrl_z_goes_to_the_other_side(terminal):
    terminal.line("sh -c 'echo st\"\"arted; exec sleep 1000'")
    terminal.shows_line("started")
    terminal.keys("C-z")
    terminal.line("jobs | grep -c sleep; kill %1")
    terminal.shows_line("1")


def test_ctrl_backslash_goes_to_the_other_side(terminal):
    terminal.line("sh -c 'echo st\"\"arted; exec sleep 1000'")
    terminal.shows_line("started")
    terminal.keys("C-\\")
    terminal.line("echo status-$?")
    terminal.shows_line("status-131")


def test_wide_and_combining_characters(terminal):
    terminal.line("echo 'α-漢字-🙂-é' | tee /dev/null")
    terminal.shows_line("α-漢字-🙂-é")
    terminal.type("echo 'ж漢")
    terminal.keys("BSpace")
    terminal.line("字'")
    terminal.shows_line("ж字")


def test_vim_edits_a_file(terminal, tmp_path):
    terminal.line("cd $(mktemp -d); vim -u NONE -N file.txt")
    terminal.shows("file.txt")
    terminal.type("ihello")
    terminal.keys("Enter")
    terminal.type("wide 漢字")
    terminal.keys("Escape")
    terminal.shows_line("wide 漢字")
    terminal.resize(90, 25)
    eventually(lambda: len(terminal.screen().splitlines()) <= 25, "resized")
    terminal.type(":1d")
    terminal.keys("Enter")
    terminal.line(":wq")
    terminal.shows("ready>")
    terminal.line("clear; cat file.txt")
    screen = terminal.shows_line("wide 漢字")
    assert "hello" not in screen


def test_top_runs_and_quits(terminal):
    terminal.line("top")
    terminal.shows("load average")
    terminal.keys("q")
    terminal.line("clear; echo after-top")
    terminal.shows_line("after-top")


@pytest.mark.timeout(300)
def test_a_megabyte_is_pasted_whole(terminal):
    text = b"".join(b"%07d paste\n" % n for n in range(1 << 20 >> 4)).ljust(1 << 20, b"\n")
    terminal.line("stty -echo; cat | sha256sum; stty echo")
    terminal.line("")
    terminal.paste(text)
    terminal.keys("C-d")
    terminal.shows(hashlib.sha256(b"\n" + text).hexdigest(), 200)


def test_the_local_terminal_is_as_before(lab, node, environment, tmp_path):
    script = f"stty -a > before; aws ssm start-session --target {node.node_id}; stty -a > after; echo compared"
    terminal = Terminal(tmp_path, ["sh", "-c", f"cd {tmp_path}; {script}"], environment)
    lab.closers.append(terminal.close)
    terminal.shows("Starting session with SessionId")
    terminal.line("exit")
    terminal.shows("compared")
    assert (tmp_path / "before").read_text() == (tmp_path / "after").read_text()


def test_a_command_in_a_terminal(lab, node, environment, tmp_path):
    arguments = ["aws", "ssm", "start-session", "--target", node.node_id]
    arguments += ["--document-name", "AWS-StartInteractiveCommand", "--parameters", "command=tty && echo interactive"]
    terminal = Terminal(tmp_path, arguments, environment)
    lab.closers.append(terminal.close)
    terminal.shows_line("interactive")
    assert terminal.status() == 0


def test_a_command_without_a_terminal(node, environment):
    done = subprocess.run(
        ["aws", "ssm", "start-session", "--target", node.node_id,
         "--document-name", "AWS-StartNonInteractiveCommand", "--parameters", "command=echo plain"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "plain" in done.stdout.splitlines()


def test_a_session_that_an_administrator_ends(lab, node, environment, server, tmp_path):
    terminal = Terminal(tmp_path, ["aws", "ssm", "start-session", "--target", node.node_id], environment)
    lab.closers.append(terminal.close)
    session_id = re.search(r"admin-\w+", terminal.shows("Starting session with SessionId: admin-")).group()
    server.client().terminate_session(SessionId=session_id)
    terminal.shows(session_id)
    assert terminal.status() == 0


def test_the_response_as_an_argument_as_older_clis_give_it(lab, node, environment, server, tmp_path):
    started = channel.start(server, node.node_id)
    response = json.dumps({key: started[key] for key in ("SessionId", "TokenValue", "StreamUrl")})
    arguments = ["session-manager-plugin", response, "us-east-1", "StartSession", "postern"]
    arguments += [json.dumps({"Target": node.node_id}), server.url]
    terminal = Terminal(tmp_path, arguments, environment)
    lab.closers.append(terminal.close)
    terminal.shows("Starting session with SessionId")
    terminal.line("echo $((40 + 2))")
    terminal.shows_line("42")


def test_a_token_that_is_used_up_is_told_and_not_waited_for(lab, node, environment, server, tmp_path):
    started = channel.start(server, node.node_id)
    response = json.dumps(
        {"SessionId": started["SessionId"], "TokenValue": "forged", "StreamUrl": started["StreamUrl"]}
    )
    done = subprocess.run(
        ["session-manager-plugin", response, "us-east-1", "StartSession", "", json.dumps({"Target": node.node_id}), server.url],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert started["SessionId"] in done.stdout + done.stderr


def test_a_target_that_is_not_connected(environment):
    done = subprocess.run(
        ["aws", "ssm", "start-session", "--target", "mi-00000000000000000"],
        env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0
    assert "(TargetNotConnected) when calling the StartSession operation: mi-00000000000000000 is not connected." in done.stderr
