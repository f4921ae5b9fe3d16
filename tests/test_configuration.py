"""Mistakes of the operator: all named at once, before a port opens, and nothing is overwritten."""

import pytest
from harness.waiting import eventually


def refused(server) -> str:
    """What a server that does not start says."""
    server.start(wait=False)
    assert server.program.wait(30) != 0
    assert not server.answers()
    return server.program.logged()


def config_file(tmp_path, text: str):
    path = tmp_path / "postern.toml"
    path.write_text(text)
    return path


def test_every_mistake_is_named_with_its_place(lab, tmp_path):
    path = config_file(tmp_path, 'account = "12"\nnonsense = true\n[limits]\nconnections_max = "many"\n')
    server = lab.server({"POSTERN_PUBLIC_URL": "http://plain.example"}, ["--config", str(path)])
    said = refused(server)
    for part in ["account", "nonsense", "limits.connections_max", "POSTERN_PUBLIC_URL", str(path)]:
        assert part in said, said


def test_a_file_that_is_not_toml_is_named_with_its_line(lab, tmp_path):
    path = config_file(tmp_path, "account =\n")
    said = refused(lab.server(flags=["--config", str(path)]))
    assert str(path) in said and "line 1" in said


def test_a_missing_file_is_named(lab, tmp_path):
    said = refused(lab.server(flags=["--config", str(tmp_path / "nowhere.toml")]))
    assert "nowhere.toml" in said


def test_a_taken_port_is_named(lab, server):
    other = lab.server()
    other.port = server.port
    other.start(wait=False)
    assert other.program.wait(30) != 0
    assert str(server.port) in other.program.logged()


def test_a_data_directory_in_use_is_named(lab):
    first = lab.server().start()
    second = lab.server()
    second.data = first.data
    said = ""
    second.start(wait=False)
    assert second.program.wait(30) != 0
    said = second.program.logged()
    assert str(first.data) in said and "in use" in said
    assert first.answers()


@pytest.mark.parametrize("content", [b"this is no database, only text of some length\n" * 200, b"", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_database_is_named_and_kept(lab, content):
    server = lab.server().start()
    server.stop()
    database = server.data / "postern.db"
    for path in server.data.glob("postern.db-*"):
        path.unlink()
    database.write_bytes(content)
    if not content:
        # An empty file is what a crash at the very first start leaves: it is filled.
        server.start()
        return
    said = refused(server)
    assert "postern.db" in said, said
    assert database.read_bytes() == content


def test_the_wrong_master_key_is_noticed_before_the_port_opens(lab):
    server = lab.server().start()
    server.stop()
    key = server.data / "keys" / "master.key"
    other = lab.server().start()
    other.stop()
    key.write_bytes((other.data / "keys" / "master.key").read_bytes())
    assert "master" in refused(server)


def test_a_server_without_room_for_its_port_says_so_once(lab):
    """An address that this machine does not have."""
    server = lab.server()
    server.flags = ["--listen", "192.0.2.1:8443"]
    server.start(wait=False)
    assert server.program.wait(30) != 0
    eventually(lambda: "192.0.2.1" in server.program.logged(), "the address is named", 5)
