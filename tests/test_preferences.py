"""The preferences of the account, and of documents: whom sessions run as, what shells are told, how long they live."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError
from harness import users
from harness.people import Person, RoleOf, allow
from harness.waiting import eventually

PREFERENCES = "SSM-SessionManagerRunShell"
# Awaiting the end of a session of one minute.
A_MINUTE_S = 60


def shell(**inputs) -> str:
    return json.dumps({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs})


def create(server, name: str = PREFERENCES, **inputs) -> None:
    server.client().create_document(Name=name, Content=shell(**inputs), DocumentType="Session")


def update(server, name: str = PREFERENCES, **inputs) -> None:
    server.client().update_document(Name=name, Content=shell(**inputs), DocumentVersion="$LATEST")


@pytest.fixture
def own_server(lab):
    """The preferences of the shared one are those of all tests."""
    return lab.server().start()


def test_the_accounts_own_take_the_place_of_the_built_in_ones(lab, own_server):
    ssm, node = own_server.client(), lab.node(own_server)
    assert "CreatedDate" not in ssm.describe_document(Name=PREFERENCES)["Document"]
    with pytest.raises(ClientError) as refused:
        update(own_server)
    assert refused.value.response["Error"]["Code"] == "InvalidDocument"
    assert "CreateDocument" in refused.value.response["Error"]["Message"]

    before = lab.session(node)
    create(own_server, shellProfile={"linux": "echo first''-profile"}, maxSessionDuration="1440")
    first = lab.session(node)
    first.read_until(b"first-profile\r\n")
    update(own_server, shellProfile={"linux": "echo second''-profile"})
    second = lab.session(node)
    # The latest version rules, although the default version is the first.
    second.read_until(b"second-profile\r\n")
    assert ssm.describe_document(Name=PREFERENCES)["Document"]["DefaultVersion"] == "1"

    # Sessions that run keep theirs.
    active = ssm.describe_sessions(State="Active")["Sessions"]
    longest = {found["SessionId"]: found.get("MaxSessionDuration") for found in active}
    expected = {before.id: None, first.id: "1440", second.id: None}
    assert {identifier: longest[identifier] for identifier in expected} == expected
    ssm.delete_document(Name=PREFERENCES)
    built_in = lab.session(node)
    assert built_in.run("echo there") == "there\n"
    assert b"profile" not in built_in.output
    assert first.run("echo still") == "still\n"


def test_a_shell_is_told_its_profile_and_shows_it(lab, node, server):
    create(server, "With-Profile", shellProfile={"linux": "FROM_PROFILE=told\necho pro''file", "windows": "dir"})
    session = lab.session(node, document="With-Profile")
    output = session.read_until(b"profile\r\n")
    assert b"FROM_PROFILE=told" in output, "it is typed, so it is echoed"
    assert session.run("echo $FROM_PROFILE") == "told\n"
    server.client().delete_document(Name="With-Profile")


class TestRunAs:
    pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="an agent that starts sessions as another user runs as root")

    @pytest.fixture
    def user(self):
        home = users.Home()
        user = users.User("postern-tester", home.path)
        home.give_to(user)
        yield user
        home.close()

    @pytest.fixture
    def run_as(self, lab, server, user):
        """A node that knows `user` beside the machine's users."""
        agent = lab.agent(server)
        agent.wrapper = users.wrapper(agent.directory, user)
        return agent.register().start()

    @pytest.fixture
    def document(self, server):
        names = []

        def make(**inputs) -> str:
            names.append(f"Run-As-{len(names)}")
            create(server, names[-1], **inputs)
            return names[-1]

        yield make
        for name in names:
            server.client().delete_document(Name=name)

    def test_the_default_user_of_the_document(self, lab, run_as, document, user):
        name = document(runAsEnabled=True, runAsDefaultUser=user.name)
        session = lab.session(run_as, document=name)
        assert session.run("id -un; pwd").split() == [user.name, str(user.home)]

    def test_the_tag_of_a_user_goes_before(self, server, run_as, document, user):
        name = document(runAsEnabled=True, runAsDefaultUser="nobody")
        person = Person(server, allow("ssm:*"), tags={"SSMSessionRunAs": user.name})
        session = person.open_session(run_as.node_id, DocumentName=name)
        assert session.run("id -un").split() == [user.name]

    def test_the_tag_of_a_role_and_of_a_role_session(self, server, run_as, document, user):
        name = document(runAsEnabled=True)
        person = Person(server, allow(["sts:AssumeRole", "sts:TagSession"]))
        role = RoleOf(person, allow("ssm:*"))
        trusted = {"Effect": "Allow", "Principal": {"AWS": person.arn}, "Action": ["sts:AssumeRole", "sts:TagSession"]}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
        role.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=policy)
        tagged = role.assume("tagged", Tags=[{"Key": "SSMSessionRunAs", "Value": user.name}])
        assert tagged.open_session(run_as.node_id, DocumentName=name).run("id -un").split() == [user.name]
        role.iam.tag_role(RoleName=role.name, Tags=[{"Key": "SSMSessionRunAs", "Value": user.name}])
        assert role.assume().open_session(run_as.node_id, DocumentName=name).run("id -un").split() == [user.name]

    def test_it_is_off_unless_the_document_says_so(self, server, run_as, document, user):
        name = document(runAsEnabled=False)
        person = Person(server, allow("ssm:*"), tags={"SSMSessionRunAs": user.name})
        session = person.open_session(run_as.node_id, DocumentName=name)
        assert session.run("id -un").split() == ["root"]

    @pytest.mark.parametrize(
        "inputs, told",
        [
            ({"runAsDefaultUser": "no-such-user"}, "failed to start pty since RunAs user no-such-user does not exist"),
            ({}, "please set the RunAs default user"),
            ({"runAsDefaultUser": "root"}, "invalid uid and gid"),
        ],
    )
    def test_sessions_that_have_nobody_to_run_as(self, lab, run_as, document, inputs, told):
        session = lab.session(run_as, document=document(runAsEnabled=True, **inputs))
        assert f"Unable to start command: {told}" in session.reason()


def sessions_end_when_they_are_idle_or_have_lasted(lab, server, node) -> None:
    """All at once, for each lives a minute."""
    create(server, "Idle", idleSessionTimeout="1")
    create(server, "Lasting", idleSessionTimeout="60", maxSessionDuration="1")
    began = time.monotonic()
    idle = lab.session(node, document="Idle", client_version="postern/0.1.0")
    lasting = lab.session(node, document="Lasting", client_version="postern/0.1.0")
    plugins = lab.session(node, document="Lasting")
    idle_plugins = lab.session(node, document="Idle")
    others = lab.session(node, document="Lasting", client_version="0.0.1")
    sessions = [idle, lasting, plugins, idle_plugins, others]
    for session in sessions:
        session.run("true")

    def are_over():
        for session in sessions:
            if session.closed is None:
                session.receive(0.1)
        return all(session.closed for session in sessions)

    eventually(are_over, "all have ended", A_MINUTE_S + 20)
    assert time.monotonic() - began > A_MINUTE_S
    for session in [idle, idle_plugins]:
        assert "The session was ended after 1 minute without input or output." in session.reason()
    for session in [lasting, plugins, others]:
        assert "it reached its maximum duration of 1 minute" in session.reason()

    def told(session) -> list[str]:
        return [frame.json()["Text"] for frame in session.frames if frame.message_type == "postern_notice"]

    [warning] = told(idle)
    assert warning.endswith("unless something is typed or printed.")
    [warning] = told(lasting)
    assert warning.endswith("it reaches its maximum duration of 1 minute.")
    assert [told(session) for session in (plugins, idle_plugins, others)] == [[], [], []], "they would not know it"

    def shown(session) -> list[tuple[int, bytes]]:
        """What came in the stream of it."""
        frames = [frame for frame in session.frames if b"The session ends" in frame.payload and frame.payload_type]
        return [(frame.payload_type, frame.payload) for frame in frames if frame.message_type == "output_stream_data"]

    # AWS's plugin writes to the terminal what it is sent, whatever its type. It is no activity.
    for session, words in [
        (plugins, b": it reaches its maximum duration of 1 minute."),
        (idle_plugins, b" unless something is typed or printed."),
    ]:
        [(payload_type, text)] = set(shown(session))
        assert payload_type == 4 and text.startswith(b"\r\nThe session ends in ") and text.endswith(words + b"\r\n")
        assert "The session ends in " in (server.data / "recordings" / f"{session.id}.cast").read_text()
    for session in [idle, lasting, others]:
        assert shown(session) == []
        assert "The session ends" not in (server.data / "recordings" / f"{session.id}.cast").read_text()
    for name in ["Idle", "Lasting"]:
        server.client().delete_document(Name=name)


@pytest.fixture(scope="module", autouse=True)
def a_minute_later(shared_lab, server, node):
    """What takes a minute begins with the first test of this module, and its own is the last."""
    with ThreadPoolExecutor(1) as threads:
        yield threads.submit(sessions_end_when_they_are_idle_or_have_lasted, shared_lab, server, node)


def test_the_operator_moves_the_limits(lab):
    limits = {"POSTERN_SESSIONS_IDLE_TIMEOUT_MAX": "unlimited", "POSTERN_SESSIONS_DURATION_MAX": "2h"}
    server = lab.server(limits).start()
    node = lab.node(server)
    create(server, "For-Ever", idleSessionTimeout="0", maxSessionDuration="120")
    session = lab.session(node, document="For-Ever")
    assert session.run("echo there") == "there\n"
    with pytest.raises(ClientError) as refused:
        create(server, "Too-Long", maxSessionDuration="121")
    assert "from 1 to 120" in refused.value.response["Error"]["Message"]

    # A document that was right once is told of when it is not any more.
    server.stop()
    server.environment.clear()
    server.start()
    with pytest.raises(ClientError) as refused:
        server.client().start_session(Target=node.node_id, DocumentName="For-Ever")
    error = refused.value.response["Error"]
    assert error["Code"] == "InvalidDocument" and "inputs.idleSessionTimeout" in error["Message"]


def test_a_limit_that_makes_no_sense_stops_the_server(lab):
    server = lab.server({"POSTERN_SESSIONS_IDLE_TIMEOUT_MAX": "90s"})
    server.start(wait=False)
    assert server.program.wait() != 0
    assert "sessions.idle_timeout_max" in server.program.logged()


def test_sessions_end_when_they_are_idle_or_have_lasted(a_minute_later):
    a_minute_later.result()
