"""Sessions as another user than the agent's: the agent is root, and its sessions are not."""

import os
from pathlib import Path

import pytest
from harness import channel, users
from harness.waiting import eventually, is_alive

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an agent that starts sessions as another user runs as root")

NAME = "postern-tester"


@pytest.fixture
def home():
    home = users.Home()
    yield home
    home.close()


@pytest.fixture
def start(lab, server):
    """Starts an agent that knows `user` beside the machine's users, and runs its sessions as `session_user`."""

    def start(user: users.User, session_user: str | None = None):
        agent = lab.agent(server, {"POSTERN_AGENT_SESSION_USER": session_user or user.name, "POSTERN_SECRET": "agent's own"})
        agent.wrapper = users.wrapper(agent.directory, user)
        return agent.register().start()

    return start


@pytest.fixture
def user(home):
    user = users.User(NAME, home.path)
    (home.path / ".bash_profile").write_text("FROM_PROFILE=read\n")
    home.give_to(user)
    return user


@pytest.fixture
def shell(lab, start, user):
    return lab.session(start(user), size=(97, 31))


def test_it_is_that_user_with_all_groups_and_no_more(shell, user):
    assert shell.run("id -un; id -u; id -g").split() == [user.name, str(user.uid), str(user.gid)]
    groups = {int(gid) for gid in shell.run("id -G").split()}
    assert groups == {user.gid, *user.groups.values()}
    status = Path(f"/proc/{shell.run('echo $$').strip()}/status").read_text()
    ids = {line.split(":")[0]: line.split()[1:] for line in status.splitlines()}
    assert ids["Uid"] == [str(user.uid)] * 4, "real, effective, saved and of the file system"
    assert ids["Gid"] == [str(user.gid)] * 4
    assert ids["CapEff"] == ids["CapPrm"] == ["0000000000000000"]


def test_it_has_a_login_of_its_own(shell, user):
    assert shell.run("echo $HOME $USER $LOGNAME $SHELL; pwd").splitlines() == [
        f"{user.home} {user.name} {user.name} {user.shell}",
        str(user.home),
    ]
    assert shell.run("echo $0 $FROM_PROFILE; shopt login_shell").split() == ["-bash", "read", "login_shell", "on"]
    assert shell.run("umask; touch kept; stat -c '%u %g' kept").splitlines() == ["0022", f"{user.uid} {user.gid}"]


def test_it_has_a_terminal_that_is_its_own_and_its_job_control(shell, user):
    assert shell.run("stty size; echo $TERM; locale charmap").splitlines() == ["31 97", "xterm-256color", "UTF-8"]
    owner, mode = shell.run("stat -c '%u %a' $(tty)").split()
    assert int(owner) == user.uid
    assert int(mode, 8) & 0o007 == 0, "others neither read nor write it"
    # Opening it by its name, as `script`, `screen` and `ssh` asking for a password do.
    assert shell.run("echo by name > $(tty); echo by /dev/tty > /dev/tty").splitlines() == ["by name", "by /dev/tty"]
    shell.type("sh -c 'echo st\"\"arted; exec sleep 1000'\r")
    shell.read_until(b"started\r\n")
    shell.type("\x03")
    shell.type("echo status-$?\r")
    shell.read_until(b"status-130\r\n")


def test_it_inherits_nothing_of_the_agents_environment(shell):
    names = {line.partition("=")[0] for line in shell.run("env").splitlines()}
    assert {"HOME", "LANG", "LOGNAME", "PATH", "SHELL", "TERM", "USER"} <= names
    assert not {name for name in names if name.startswith(("POSTERN", "AWS", "RUST", "CARGO"))}


@pytest.mark.parametrize("kind", ["Interactive", "NonInteractive"])
def test_commands_run_as_that_user_too(lab, start, user, kind):
    line = "sh -c 'id -un; id -Gn; echo $HOME; pwd'"
    session = lab.session(start(user), **channel.command(kind, line))
    session.reason()
    name, groups, *directories = session.output.decode().split("\n")[:4]
    assert name.strip() == user.name
    assert set(groups.split()) == {user.name, *user.groups}
    assert [directory.strip() for directory in directories] == [str(user.home)] * 2


def test_everything_it_started_ends_with_the_session(lab, start, user):
    """The agent's rights are needed for that, not the user's."""
    shell = lab.session(start(user))
    pids = [int(word) for word in shell.run("setsid sleep 1004 & echo $!; echo $$").split() if word.isdigit()]
    shell.terminate()
    shell.reason()
    for pid in pids:
        eventually(lambda pid=pid: not is_alive(pid), f"{pid} is gone")


def test_a_home_that_is_not_there_does_not_keep_anybody_out(lab, start):
    shell = lab.session(start(users.User(NAME, Path("/no/such/home"))))
    assert shell.run("id -un; pwd").splitlines() == [NAME, "/"]


def test_a_login_shell_may_be_another(lab, start, home):
    user = users.User(NAME, home.path, shell="/bin/sh")
    (home.path / ".profile").write_text("FROM_PROFILE=read\n")
    home.give_to(user)
    shell = lab.session(start(user))
    assert shell.run("echo $0 $SHELL $FROM_PROFILE") == "-sh /bin/sh read\n"


def test_a_login_shell_that_is_not_there_is_told(lab, start, home):
    shell = lab.session(start(users.User(NAME, home.path, shell="/no/such/shell")))
    assert "/no/such/shell" in shell.reason()


def test_a_user_that_does_not_exist_refuses_the_session(lab, start, user):
    agent = start(user, session_user="nobody-of-that-name")
    refused = lab.session(agent)
    told = "Unable to start command: failed to start pty since RunAs user nobody-of-that-name does not exist"
    assert told in refused.reason()
    assert refused.output.decode().strip() in ("", told), "nothing ran in its place"
    assert agent.program.is_running() and agent.is_connected()
