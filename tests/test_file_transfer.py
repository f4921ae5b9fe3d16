"""`postern cp`, and OpenSSH's `sftp` over a session with the file server of the node's agent."""

import hashlib
import json
import os
import shlex
import signal
import stat
import subprocess
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from harness import users
from harness.node import Node
from harness.people import Person, allow
from harness.programs import SCRIPTS, binary
from harness.terminal import Terminal
from harness.waiting import eventually

DOCUMENT = "Postern-StartSFTPSession"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="an agent that starts sessions as another user runs as root")


@pytest.fixture(scope="module")
def environment(server, tmp_path_factory):
    """With the AWS CLI and `postern` as its plugin."""
    directory = tmp_path_factory.mktemp("plugin")
    os.symlink(binary("postern"), directory / "session-manager-plugin")
    variables = server.client_environment()
    return variables | {"PATH": f"{directory}:{SCRIPTS}:{variables['PATH']}"}


@pytest.fixture
def cp(environment):
    def run(*arguments, **options) -> subprocess.CompletedProcess:
        return subprocess.run(
            [binary("postern"), "cp", *map(str, arguments)],
            env=options.pop("environment", environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=options.pop("within_s", 60),
            **options,
        )

    return run


def copied(done: subprocess.CompletedProcess) -> None:
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def noise(path: Path, size: int) -> str:
    """A file that cannot be compressed; its SHA-256."""
    with path.open("wb") as file:
        for _ in range(0, size, 1 << 20):
            file.write(os.urandom(min(1 << 20, size)))
        file.truncate(size)
    return digest(path)


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lines(server, session_id: str) -> list[str]:
    """What the recording says."""
    cast = (server.data / "recordings" / f"{session_id}.cast").read_text().splitlines()[1:]
    return "".join(json.loads(line)[2] for line in cast if line).splitlines()


def last_session(server, owner: str = "") -> dict:
    """The newest one with files, when it is over."""

    def over():
        # First who is there still: asked after, one that ends meanwhile would be in neither list.
        active = server.client().describe_sessions(State="Active")["Sessions"]
        sessions = server.client().describe_sessions(State="History")["Sessions"]
        mine = [session for session in sessions if session["DocumentName"] == DOCUMENT and owner in session["Owner"]]
        newest = max(mine, key=lambda session: session["StartDate"])
        return None if any(session["DocumentName"] == DOCUMENT for session in active) else newest

    return eventually(over, "the session is over")


def test_files_go_both_ways(cp, node, tmp_path):
    noise(tmp_path / "one", 300_000)
    copied(cp(tmp_path / "one", f"{node.node_id}:{tmp_path}/two"))
    copied(cp(f"{node.node_id}:{tmp_path}/two", tmp_path / "three"))
    assert digest(tmp_path / "one") == digest(tmp_path / "two") == digest(tmp_path / "three")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "three", "two"]


def test_a_relative_path_begins_in_the_home_directory(cp, node, tmp_path):
    (tmp_path / "file").write_text("x")
    home = node.directory / "home" if os.geteuid() == 0 else Path.home()
    for target in ("", "~/", "file"):
        copied(cp(tmp_path / "file", f"{node.node_id}:{target}"))
        assert (home / "file").read_text() == "x"
        (home / "file").unlink()


def test_a_hundred_megabytes_arrive_whole(cp, node, tmp_path):
    size = 100 << 20
    first = noise(tmp_path / "big", size)
    copied(cp(tmp_path / "big", f"{node.node_id}:{tmp_path}/up", within_s=120))
    assert digest(tmp_path / "up") == first
    (tmp_path / "big").unlink()
    copied(cp(f"{node.node_id}:{tmp_path}/up", tmp_path / "down", within_s=120))
    assert digest(tmp_path / "down") == first


def test_trees_with_modes_times_and_links(cp, node, tmp_path):
    tree = tmp_path / "tree"
    (tree / "sub" / "empty").mkdir(parents=True)
    (tree / "sub" / "file").write_text("content")
    (tree / "script").write_text("#!/bin/sh\n")
    (tree / "script").chmod(0o750)
    (tree / "link").symlink_to("script")
    os.utime(tree / "script", (1_000_000_000, 1_000_000_000))
    (tmp_path / "to").mkdir()
    copied(cp("-rp", tree, f"{node.node_id}:{tmp_path}/to"))
    copied(cp("-r", "-p", f"{node.node_id}:{tmp_path}/to/tree", tmp_path / "back"))
    for copy in (tmp_path / "to" / "tree", tmp_path / "back"):
        assert (copy / "sub" / "file").read_text() == "content"
        assert (copy / "sub" / "empty").is_dir()
        script = (copy / "script").stat()
        assert (stat.S_IMODE(script.st_mode), script.st_mtime) == (0o750, 1_000_000_000)
        assert (copy / "link").read_text() == "#!/bin/sh\n" and not (copy / "link").is_symlink()
    refused = cp(tree, f"{node.node_id}:{tmp_path}/no")
    assert (refused.returncode, b"-r copies directories" in refused.stderr) == (1, True)


def test_several_sources_go_into_a_directory(cp, node, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    (tmp_path / "to").mkdir()
    copied(cp(tmp_path / "a", tmp_path / "b", f"{node.node_id}:{tmp_path}/to"))
    (tmp_path / "back").mkdir()
    copied(cp(f"{node.node_id}:{tmp_path}/to/a", f"{node.node_id}:{tmp_path}/to/b", tmp_path / "back"))
    assert {path.name: path.read_text() for path in (tmp_path / "back").iterdir()} == {"a": "a", "b": "b"}
    missing = cp(tmp_path / "a", tmp_path / "no\x1b[31m", tmp_path / "b", f"{node.node_id}:{tmp_path}/to")
    assert missing.returncode == 1
    assert b"\x1b" not in missing.stderr and missing.stderr.startswith(b"postern: ")


@pytest.mark.parametrize("direction", ["up", "down"])
def test_what_a_signal_broke_off_is_gone_on_with(cp, node, server, environment, tmp_path, direction, lab):
    size = 64 << 20
    first = noise(tmp_path / "from", size)
    place = {"up": [tmp_path / "from", f"{node.node_id}:{tmp_path}/to"], "down": [f"{node.node_id}:{tmp_path}/from", tmp_path / "to"]}
    arguments = [binary("postern"), "cp", *map(str, place[direction])]
    process = subprocess.Popen(arguments, env=environment, stderr=subprocess.PIPE)
    lab.closers.append(process.kill)
    part = tmp_path / ".to.part"
    eventually(lambda: part.exists() and part.stat().st_size > 1 << 20, "some of it is there")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert not (tmp_path / "to").exists(), "half of a file has no name"
    last_session(server)
    left = part.stat().st_size
    assert 0 < left < size, "it broke off"
    copied(cp("--resume", *place[direction]))
    assert digest(tmp_path / "to") == first
    assert not part.exists()
    said = [line for line in lines(server, last_session(server)["SessionId"]) if line.startswith("close ")]
    moved = sum(int(line.split(": ")[1].split(" bytes")[0]) for line in said)
    assert moved <= size - left + (1 << 20), "only the rest was sent"


def test_a_part_of_something_else_is_not_gone_on_with(cp, node, tmp_path):
    first = noise(tmp_path / "from", 1 << 20)
    (tmp_path / ".to.part").write_bytes(bytes(1 << 19))
    copied(cp("--resume", tmp_path / "from", f"{node.node_id}:{tmp_path}/to"))
    assert digest(tmp_path / "to") == first


def test_the_recording_says_what_was_done_with_which_file(cp, node, server, tmp_path):
    (tmp_path / "se\ncret").write_text("top secret content")
    copied(cp(tmp_path / "se\ncret", f"{node.node_id}:{tmp_path}/up"))
    session = last_session(server)
    said = lines(server, session["SessionId"])
    part, target = f'"{tmp_path}/.up.part"', f'"{tmp_path}/up"'
    assert said[0] == "A transfer of files. What is done with them is recorded, not what they hold."
    assert said[1].startswith(f"open {part} to ")
    assert f"close {part}: 18 bytes written" in said
    assert f"rename {part} to {target}" in said
    assert said[-1].startswith("The end. ")
    copied(cp(f"{node.node_id}:{tmp_path}/up", tmp_path / "down"))
    said = lines(server, last_session(server)["SessionId"])
    assert f"open {target} to read" in said and f"close {target}: 18 bytes read" in said
    missing = cp(f"{node.node_id}:{tmp_path}/none", tmp_path / "x")
    assert missing.returncode == 1
    recordings = b"".join(path.read_bytes() for path in (server.data / "recordings").glob("*.cast"))
    assert b"top secret" not in recordings


def test_the_audit_trail_has_the_session_and_its_bytes(cp, node, server, tmp_path):
    noise(tmp_path / "a", 50_000)
    copied(cp("--reason", "a file for the audit", tmp_path / "a", f"{node.node_id}:{tmp_path}/b"))
    session = last_session(server)
    assert session["Reason"] == "a file for the audit"
    trail = server.client("cloudtrail")

    def events(name: str) -> list[dict]:
        found = trail.lookup_events(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}])
        records = [json.loads(event["CloudTrailEvent"]) for event in found["Events"]]
        return [record for record in records if session["SessionId"] in json.dumps(record)]

    started = eventually(lambda: events("StartSession"), "the start is on the trail")[0]
    assert started["requestParameters"]["documentName"] == DOCUMENT
    ended = eventually(lambda: events("SessionEnded"), "the end is on the trail")[0]
    assert max(number for number in numbers(ended) if number < 1_000_000) >= 50_000


def numbers(value) -> list[int]:
    if isinstance(value, dict):
        return [number for part in value.values() for number in numbers(part)]
    if isinstance(value, list):
        return [number for part in value for number in numbers(part)]
    return [value] if isinstance(value, int) and not isinstance(value, bool) else []


def test_without_the_right_to_the_document_nothing_is_copied(cp, server, node, tmp_path):
    (tmp_path / "a").write_text("x")
    allowed = ["arn:aws:ssm:*:*:managed-instance/*", "arn:aws:ssm:*:*:document/SSM-*"]
    person = Person(server, allow("ssm:StartSession", allowed))
    target = f"{node.node_id}:{tmp_path}/b"
    done = cp(tmp_path / "a", target, environment=person.environment())
    assert done.returncode == 255 and b"not authorized" in done.stderr, done.stderr
    assert not (tmp_path / "b").exists()
    channel = allow("ssmmessages:OpenDataChannel", "arn:aws:ssm:*:*:session/${aws:userid}-*")
    person.put(allow("ssm:StartSession", [*allowed, f"arn:aws:ssm:*::document/{DOCUMENT}"]), channel)
    copied(cp(tmp_path / "a", target, environment=person.environment()))


def test_a_node_with_another_agent_is_refused(server):
    other = Node(server).joined().connected()
    with pytest.raises(ClientError) as error:
        server.client().start_session(Target=other.id, DocumentName=DOCUMENT)
    assert error.value.response["Error"]["Code"] == "InvalidDocument"
    information = {"InstanceId": other.id, "AgentName": "amazon-ssm-agent", "AgentVersion": "3.3.987.0", "AgentStatus": "Active"}
    assert other.call("UpdateInstanceInformation", information).status == 200
    with pytest.raises(ClientError) as error:
        server.client().start_session(Target=other.id, DocumentName=DOCUMENT)
    assert "runs amazon-ssm-agent 3.3.987.0" in error.value.response["Error"]["Message"]


@as_root
def test_the_kernel_decides_what_the_sessions_user_may(cp, lab, server, tmp_path):
    home = users.Home()
    lab.closers.append(home.close)
    user = users.User("postern-copier", home.path)
    home.give_to(user)
    agent = lab.agent(server, {"POSTERN_AGENT_SESSION_USER": user.name})
    agent.wrapper = users.wrapper(agent.directory, user)
    node = agent.register().start()
    eventually(lambda: any(n["InstanceId"] == node.node_id and n.get("AgentVersion") for n in server.nodes()), "its agent is known")
    (tmp_path / "file").write_text("x")
    copied(cp(tmp_path / "file", f"{node.node_id}:"))
    arrived = home.path / "file"
    assert (arrived.read_text(), arrived.stat().st_uid, arrived.stat().st_gid) == ("x", user.uid, user.gid)
    for arguments in ([tmp_path / "file", f"{node.node_id}:/etc/postern-test"], [f"{node.node_id}:/etc/shadow", tmp_path / "shadow"]):
        done = cp(*arguments)
        assert done.returncode == 1 and b"Permission denied" in done.stderr, done.stderr
    assert not Path("/etc/postern-test").exists() and not (tmp_path / "shadow").exists()
    said = lines(server, last_session(server)["SessionId"])
    assert 'failed: open "/etc/shadow" to read: permission denied' in said


def sftp(environment, node, program: str, batch: str) -> subprocess.CompletedProcess:
    start = {"postern": [binary("postern"), "start-session"], "aws": ["aws", "ssm", "start-session"]}[program]
    command = shlex.join([*start, "--target", node.node_id, "--document-name", DOCUMENT])
    # -D takes words, not a line of a shell.
    return subprocess.run(
        ["sftp", "-b", "-", "-D", command], env=environment, input=batch, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("program", ["postern", "aws"])
def test_openssh_sftp_speaks_with_it(environment, node, tmp_path, program):
    first = noise(tmp_path / "a", 2_000_000)
    batch = [
        f"put {tmp_path}/a {tmp_path}/b", f"get {tmp_path}/b {tmp_path}/c", f"mkdir {tmp_path}/d", f"ls -l {tmp_path}",
        f"rename {tmp_path}/b {tmp_path}/d/b", f"chmod 600 {tmp_path}/d/b", f"ln -s b {tmp_path}/d/l", f"rm {tmp_path}/c",
    ]  # fmt: skip
    done = sftp(environment, node, program, "\n".join([*batch[:-1], ""]))
    assert done.returncode == 0, done.stderr
    assert digest(tmp_path / "c") == digest(tmp_path / "d" / "b") == first
    assert stat.S_IMODE((tmp_path / "d" / "b").stat().st_mode) == 0o600
    assert (tmp_path / "d" / "l").readlink() == Path("b")
    done = sftp(environment, node, program, f"{batch[-1]}\nrmdir {tmp_path}/d\n")
    assert done.returncode == 1 and not (tmp_path / "c").exists()
    assert "Failure" in done.stderr or "not empty" in done.stderr, done.stderr


def test_what_is_not_sftp_ends_the_session_before_it_reaches_the_node(environment, node, server):
    arguments = [binary("postern"), "start-session", node.node_id, "--document-name", DOCUMENT]
    done = subprocess.run(arguments, env=environment, input=b"GET / HTTP/1.0\r\n\r\n", capture_output=True, timeout=30)
    assert (done.returncode, done.stdout) == (255, b"")
    assert b"has to be recorded" in done.stderr
    said = lines(server, last_session(server)["SessionId"])
    assert said[1].startswith("This cannot be understood, and the session ends: ")
    assert not any("HTTP" in line for line in said)


def test_sessions_that_end_while_they_begin_leave_the_agent_alone(environment, node, cp, tmp_path):
    """The server ends each of these while the node is about to start the file server."""
    arguments = [binary("postern"), "start-session", node.node_id, "--document-name", DOCUMENT]
    for _ in range(10):
        done = subprocess.run(arguments, env=environment, input=b"x" * 100, capture_output=True, timeout=30)
        assert done.returncode == 255
    (tmp_path / "a").write_text("x")
    copied(cp(tmp_path / "a", f"{node.node_id}:{tmp_path}/b"))


def test_a_server_restart_ends_it_and_resume_goes_on(lab, tmp_path):
    server = lab.server().start()
    node = lab.node(server)
    eventually(lambda: server.nodes() and server.nodes()[0].get("AgentVersion"), "its agent is known")
    first = noise(tmp_path / "from", 100 << 20)
    arguments = [binary("postern"), "cp", "--resume", str(tmp_path / "from"), f"{node.node_id}:{tmp_path}/to"]
    process = subprocess.Popen(arguments, env=server.client_environment(), stderr=subprocess.PIPE)
    lab.closers.append(process.kill)
    part = tmp_path / ".to.part"
    eventually(lambda: part.exists() and part.stat().st_size > 1 << 20, "some of it is there")
    server.kill()
    server.start()
    assert process.wait(60) == 255, "what was done meanwhile could not be told"
    node.wait_until_connected()
    done = subprocess.run(arguments, env=server.client_environment(), capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert digest(tmp_path / "to") == first


def test_a_terminal_shows_how_it_goes(lab, node, environment, tmp_path):
    noise(tmp_path / "from", 1 << 20)
    arguments = [binary("postern"), "cp", str(tmp_path / "from"), f"{node.node_id}:{tmp_path}/to"]
    terminal = Terminal(tmp_path, arguments, environment)
    lab.closers.append(terminal.close)
    terminal.shows("100%")
    assert terminal.status() == 0
    assert "1.0 MiB" in terminal.screen()


def test_wrong_usage_is_told(cp, node, tmp_path):
    assert cp("only-one").returncode == 2
    for arguments in (["a", "b"], [f"{node.node_id}:a", "mi-00000000000000000:b"]):
        done = cp(*arguments)
        assert (done.returncode, b"hint: " in done.stderr) == (1, True)
