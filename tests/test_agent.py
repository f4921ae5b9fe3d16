"""`postern-agent` as an operator meets it: registering, trusting, dialling through a proxy, coming back."""

import base64
import hashlib
import json
import ssl
import stat
import subprocess

import pytest
from harness.programs import binary
from harness.proxy import Proxy
from harness.waiting import eventually


@pytest.fixture
def proxy():
    proxy = Proxy()
    yield proxy
    proxy.close()


def fingerprint(server) -> str:
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(server.ca_file.read_text())).hexdigest()


def register(agent, **changes) -> subprocess.CompletedProcess:
    """Registers with flags changed; a flag set to `None` is left out."""
    command = agent.register_command(agent.server.activation())
    flags = dict(zip(command[2::2], command[3::2], strict=True))
    flags |= {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    words = [word for name, value in flags.items() if value is not None for word in (name, value)]
    agent.directory.mkdir(parents=True, exist_ok=True)
    return subprocess.run(command[:2] + words, env=agent.environment, capture_output=True, text=True, timeout=60)


def test_the_state_is_roots_only_and_says_nothing_aloud(lab, server):
    agent = lab.agent(server)
    done = agent.try_to_register(server.activation())
    assert done.returncode == 0, done.stderr
    assert stat.S_IMODE(agent.state.stat().st_mode) == 0o700
    for path in agent.state.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert "PRIVATE" not in done.stdout + done.stderr


def test_a_fingerprint_can_take_the_place_of_the_ca(lab, server):
    agent = lab.agent(server)
    done = register(agent, ca_file=None, ca_fingerprint=fingerprint(server))
    assert done.returncode == 0, done.stderr
    agent.node_id = next(word for word in (done.stdout + done.stderr).replace('"', " ").split() if word[:3] == "mi-")[:20]
    agent.start()
    assert lab.session(agent).run("echo in") == "in\n"


@pytest.mark.parametrize(
    "changes",
    [
        {"ca_file": None, "ca_fingerprint": "00" * 32},
        {"ca_file": None},
        {"ca_file": "/nowhere.pem"},
        {"endpoint": "https://127.0.0.1:1"},
        {"endpoint": "http://127.0.0.1:1"},
        {"endpoint": "nonsense"},
        {"activation_id": "nonsense"},
        {"region": ""},
    ],
    ids=lambda changes: " ".join(f"{name}={value}" for name, value in changes.items()),
)
def test_what_is_wrong_is_told_and_nothing_is_kept(lab, server, changes):
    agent = lab.agent(server)
    done = register(agent, **changes)
    assert done.returncode != 0
    assert len(done.stderr.strip().splitlines()) >= 1 and "panicked" not in done.stderr
    assert agent.try_to_register(server.activation()).returncode == 0, "a second try is free"


def test_a_second_registration_does_not_replace_the_first(lab, server):
    agent = lab.agent(server).register()
    again = agent.try_to_register(server.activation())
    assert again.returncode != 0
    assert agent.node_id in again.stderr
    agent.start()


def test_running_without_a_registration_is_told(lab, server):
    agent = lab.agent(server).start(wait=False)
    assert agent.program.wait(20) != 0
    assert "register" in agent.program.logged()


def test_only_one_runs_in_a_state_directory(lab, server):
    agent = lab.node(server)
    done = subprocess.run(
        [binary("postern-agent"), "run", "--state-dir", str(agent.state)],
        env=agent.environment, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.returncode != 0
    assert agent.is_connected()


def test_it_listens_on_nothing(node):
    with open(f"/proc/{node.program.pid}/net/tcp") as table:
        sockets = [line.split() for line in table.read().splitlines()[1:]]
    listening = {words[9] for words in sockets if words[3] == "0A"}
    descriptors = subprocess.run(
        ["ls", "-l", f"/proc/{node.program.pid}/fd"], capture_output=True, text=True, check=True
    ).stdout
    assert not [inode for inode in listening if f"socket:[{inode}]" in descriptors]


@pytest.fixture
def named(lab):
    """A server that has a name: nobody asks a proxy for a loopback address."""
    return lab.server(public_name="postern.test").start()


def test_everything_goes_through_the_proxy(lab, named, proxy):
    agent = lab.agent(named, {"HTTPS_PROXY": proxy.url}).register()
    assert set(proxy.targets) == {f"postern.test:{named.port}"}
    before = len(proxy.targets)
    agent.start()
    assert lab.session(agent).run("echo through") == "through\n"
    assert len(proxy.targets) > before


def test_the_proxy_may_want_a_password(lab, named):
    proxy = Proxy("Basic " + base64.b64encode(b"user:p@ss").decode())
    try:
        lab.agent(named, {"HTTPS_PROXY": f"http://user:p%40ss@127.0.0.1:{proxy.port}"}).register()
        assert proxy.targets
        without = lab.agent(named, {"HTTPS_PROXY": proxy.url})
        refused = without.try_to_register(named.activation())
        assert refused.returncode != 0 and "407" in refused.stderr
    finally:
        proxy.close()


def test_no_proxy_is_respected(lab, named, proxy):
    refused = lab.agent(named, {"HTTPS_PROXY": proxy.url, "NO_PROXY": "postern.test"}).try_to_register(named.activation())
    assert refused.returncode != 0, "the name exists only for the proxy"
    assert not proxy.targets


def test_a_cut_connection_comes_back_with_the_sessions(lab, named, proxy):
    agent = lab.agent(named, {"HTTPS_PROXY": proxy.url}).register().start()
    session = lab.session(agent)
    session.run("kept=yes")
    dialled = len(proxy.targets)
    proxy.cut()
    eventually(lambda: len(proxy.targets) > dialled, "the agent dials again", 35)
    agent.wait_until_connected()
    assert session.run("echo $kept") == "yes\n"


def test_the_client_goes_through_the_proxy_too(lab, named, proxy):
    node = lab.agent(named, {"HTTPS_PROXY": proxy.url}).register().start()
    before = len(proxy.targets)
    done = subprocess.run(
        [binary("postern"), "start-session", "--target", node.node_id,
         "--document-name", "AWS-StartNonInteractiveCommand", "--parameters", json.dumps({"command": ["echo through"]})],
        env=named.client_environment(HTTPS_PROXY=proxy.url), stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == b"through\n", done.stderr
    assert len(proxy.targets) > before


def test_an_agent_that_was_killed_starts_again(lab, server):
    agent = lab.node(server)
    agent.kill()
    agent.start()
    assert lab.session(agent).run("echo again") == "again\n"
