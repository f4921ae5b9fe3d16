"""Servers and nodes for the tests, and their logs when one fails."""

import itertools
import os

import pytest
from harness.channel import open_session
from harness.chromium import Browser, give_password
from harness.peer import Peer, echo
from harness.people import Person, allow
from harness.programs import Agent, Program, Server, clean_environment, kill_group

# boto3 runs in this process: what the machine sets must not lead it to another certificate authority or profile.
_kept = clean_environment()
for _name in set(os.environ) - set(_kept):
    if _name.startswith("AWS_") or _name.endswith("_CA_BUNDLE") or _name.lower().endswith("_proxy"):
        del os.environ[_name]


class Lab:
    """Servers and agents of one owner, in one directory, all stopped at the end."""

    def __init__(self, directory):
        self.directory = directory
        self.numbers = itertools.count(1)
        self.closers = []

    def server(self, environment=None, flags=None, public_name=None) -> Server:
        return self._kept(Server(self.directory / f"server-{next(self.numbers)}", environment, flags, public_name))

    def agent(self, server: Server, environment=None) -> Agent:
        agent = self._kept(Agent(self.directory / f"agent-{next(self.numbers)}", server, environment))
        agent.hide_home()
        return agent

    def node(self, server: Server) -> Agent:
        """An agent that is registered and connected."""
        return self.agent(server).register().start()

    def session(self, node: Agent, **arguments):
        """A session that is open, as a client of our own that speaks the protocol itself."""
        session = open_session(node.server, node.node_id, **arguments)
        self.closers.append(session.close)
        return session

    def _kept(self, thing):
        self.closers.append(lambda: thing.program and kill_group(thing.program))
        return thing

    def close(self):
        for closer in reversed(self.closers):
            closer()


@pytest.fixture(scope="session")
def shared_lab(tmp_path_factory):
    lab = Lab(tmp_path_factory.mktemp("shared"))
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def server(shared_lab):
    """The server of all tests that neither stop nor damage it."""
    return shared_lab.server().start()


@pytest.fixture(scope="session")
def node(shared_lab, server):
    """The node of all tests that neither stop nor damage it."""
    return shared_lab.node(server)


@pytest.fixture
def lab(tmp_path):
    """For what a test has for itself."""
    lab = Lab(tmp_path)
    yield lab
    lab.close()


@pytest.fixture
def peer(lab):
    """What is at the other end of a connection: an echo, unless a test says otherwise."""

    def start(serve=echo) -> Peer:
        peer = Peer(serve)
        lab.closers.append(peer.close)
        return peer

    return start


@pytest.fixture
def ssm(server):
    return server.client("ssm")


@pytest.fixture
def session(lab, node):
    """A shell on the shared node."""
    return lab.session(node)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for program in Program.all_started[-4:]:
            report.sections.append((f"{program.name} ({program.log})", program.tail()))
    return report


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture
def browser(chromium):
    """No test leaves a window or a complaint behind."""
    chromium.complaints.clear()
    yield chromium
    chromium.close_windows()
    assert chromium.complaints == []


@pytest.fixture(scope="module")
def owner(server):
    """Who may do everything."""
    person = Person(server, allow("*"))
    give_password(server, person.name)
    return person


@pytest.fixture
def page(browser, server, owner):
    """A window in which the owner is signed in."""
    return browser.signed_in(server, owner.name)
