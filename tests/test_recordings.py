"""What was on the screen is kept, and what was typed is not."""

import json
import os
import pty
import signal
import stat
import subprocess

import pytest
from harness import channel
from harness.programs import binary
from harness.waiting import eventually


def files(server, session_id: str):
    cast = server.data / "recordings" / f"{session_id}.cast"
    return cast, cast.with_suffix(".json")


def events(cast):
    lines = cast.read_text().splitlines()
    return json.loads(lines[0]), [json.loads(line) for line in lines[1:] if line and not line.startswith("#")]


def text_of(cast) -> str:
    return "".join(data for _, kind, data in events(cast)[1] if kind == "o")


def ended(session):
    session.type("exit\r")
    session.reason()
    side_file = files(session.server, session.id)[1]
    eventually(lambda: json.loads(side_file.read_text()) and "nd" in side_file.read_text(), "the side file", 10)
    eventually(lambda: session.described()["Status"] == "Terminated", "terminated")
    return files(session.server, session.id)


def postern(server, *arguments: str, **options) -> subprocess.CompletedProcess:
    directory = str(server.data / "recordings")
    return subprocess.run(
        [binary("postern"), "recordings", *arguments, "--dir", directory],
        env=server.client_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        **options,
    )


def test_a_recording_holds_output_and_sizes_in_order(lab, node):
    session = lab.session(node, size=(101, 31))
    session.run("echo first; printf '\\316\\261\\346\\274\\242\\n'")
    session.send_size(90, 20)
    assert eventually(lambda: session.run("stty size") == "20 90\n", "resized")
    cast, _ = ended(session)
    header, listed = events(cast)
    assert header["version"] == 3
    assert (header["term"]["cols"], header["term"]["rows"]) == (101, 31)
    assert "first\r\nα漢\r\n" in text_of(cast)
    assert "90x20" in [data for _, kind, data in listed if kind == "r"]
    assert all(interval >= 0 for interval, _, _ in listed)


def test_what_is_typed_without_echo_is_not_recorded(session):
    session.type("stty -echo; echo pro''mpt; read -r secret; stty echo; echo ta''ken\r")
    session.read_until(b"prompt\r\n")
    session.type("correct horse battery\r")
    session.read_until(b"taken\r\n")
    cast, side_file = ended(session)
    assert "correct horse" not in cast.read_text() + side_file.read_text()


def test_the_side_file_tells_who_where_when_and_why(lab, node):
    session = lab.session(node, reason="audit me")
    session.run("true")
    _, side_file = ended(session)
    told = side_file.read_text()
    for part in [session.id, node.node_id, "user/admin", "audit me"]:
        assert part in told, told


def test_recordings_are_the_owners_only(session):
    session.run("true")
    for path in ended(session):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_recording_is_written_before_the_client_sees_it(session):
    session.run("echo now-on-screen")
    assert "now-on-screen" in text_of(files(session.server, session.id)[0])


def test_a_command_without_a_terminal_is_recorded(lab, node):
    session = lab.session(node, **channel.command("NonInteractive", "echo batch output"))
    session.reason()
    assert "batch output" in text_of(files(node.server, session.id)[0])


def test_listing_playing_and_exporting(session):
    session.run("echo play''-me-back")
    cast, _ = ended(session)
    listed = postern(session.server, "list")
    assert listed.returncode == 0 and session.id.encode() in listed.stdout, listed
    played = postern(session.server, "play", session.id, "--speed", "1000")
    assert b"play-me-back\r\n" in played.stdout, played
    exported = postern(session.server, "export", session.id)
    assert exported.stdout == cast.read_bytes(), exported


def test_a_recording_that_is_not_there(server):
    for action in ["play", "export"]:
        done = postern(server, action, "admin-0a1b2c3d4e5f60718")
        assert done.returncode != 0
        assert b"admin-0a1b2c3d4e5f60718" in done.stderr and done.stdout == b""


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", ""])
def test_a_name_that_is_no_session(server, name):
    done = postern(server, "export", name)
    assert done.returncode != 0 and b"root:" not in done.stdout


def test_bytes_that_are_no_text_do_not_spoil_the_recording(session):
    session.run("head -c 3000 /dev/urandom; printf '\\033[2J\\000'; echo after")
    cast, _ = ended(session)
    assert "after" in text_of(cast)


CLIPBOARD = "\x1b]52;c;ZXZpbA==\x07"
QUESTIONS = "\x1b[c\x1b[6n\x1bP$qm\x1b\\"


def hostile(session):
    """A recording that wants something of the terminal that plays it, and its session's ID."""
    session.run("true")
    cast, _ = ended(session)
    with cast.open("a") as file:
        for output in ["before \x1b[31mred", CLIPBOARD, QUESTIONS, "\x1b[?1049h\x1b[?25l", " after"]:
            file.write(json.dumps([0.001, "o", output]) + "\n")
    return session.id


def test_a_replay_draws_and_does_nothing_else(session):
    played = postern(session.server, "play", hostile(session)).stdout.decode()
    assert "before \x1b[31mred\x1b[?1049h\x1b[?25l after" in played
    assert "before" in played and "52;c" not in played and "\x1b[6n" not in played
    raw = postern(session.server, "play", "--raw", session.id).stdout.decode()
    assert "before \x1b[31mred" + CLIPBOARD + QUESTIONS + "\x1b[?1049h\x1b[?25l after" in raw
    assert raw.endswith(" after"), "a pipe needs no reset"


@pytest.mark.parametrize("interrupt", [False, True])
def test_a_replay_leaves_the_terminal_as_it_was(session, interrupt):
    session_id = hostile(session)
    if interrupt:
        with files(session.server, session_id)[0].open("a") as file:
            file.write(json.dumps([1000, "o", "never"]) + "\n")
    ours, theirs = pty.openpty()
    arguments = ["recordings", "play", session_id, "--dir", str(session.server.data / "recordings")]
    player = subprocess.Popen(
        [binary("postern"), *arguments, "--idle-limit", "600"],
        env=session.server.client_environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    try:
        while b" after" not in shown:
            shown += os.read(ours, 65536)
        if interrupt:
            player.send_signal(signal.SIGINT)
        while chunk := read_or_nothing(ours):
            shown += chunk
        assert player.wait(30) == (130 if interrupt else 0)
    finally:
        player.kill()
        player.wait()
        os.close(ours)
    end = shown.partition(b" after")[2]
    for part in [b"\x1b[?1049l", b"\x1b[0m", b"\x1b[?25h", b"\x1b[?2004l", b"\x1b[?1003l"]:
        assert part in end, end
    assert b"never" not in shown


def read_or_nothing(descriptor: int) -> bytes:
    """What a terminal shows; nothing once nobody writes to it any more."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""
