"""Policies decide: AWS's sample policies through the AWS CLI, what callers are told, and whose a session is."""

import json

import botocore.exceptions
import pytest
import websockets.exceptions
from harness.channel import Session
from harness.people import Holder, Person, RoleOf, allow, deny, trust
from harness.programs import ACCOUNT, REGION

SHELL = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/SSM-SessionManagerRunShell"
SSH = "arn:aws:ssm:*:*:document/AWS-StartSSHSession"
ANY_NODE = "arn:aws:ssm:*:*:managed-instance/*"
OWN_BY_NAME = "arn:aws:ssm:*:*:session/${aws:username}-*"
OWN_BY_ID = "arn:aws:ssm:*:*:session/${aws:userid}-*"
ON_SESSIONS = ["ssmmessages:OpenDataChannel", "ssm:TerminateSession", "ssm:ResumeSession"]
DESCRIBE = ["ssm:DescribeSessions", "ssm:GetConnectionStatus", "ssm:DescribeInstanceInformation"]


def node_arn(node) -> str:
    return f"arn:aws:ssm:{REGION}:{ACCOUNT}:managed-instance/{node.node_id}"


@pytest.fixture(scope="module")
def plugin_path(tmp_path_factory) -> str:
    """A plugin that does nothing: here it only counts whether the CLI gets to the point of starting it."""
    directory = tmp_path_factory.mktemp("plugin")
    plugin = directory / "session-manager-plugin"
    plugin.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 1.2.835.0 || echo started\n')
    plugin.chmod(0o755)
    return str(directory)


@pytest.fixture(scope="module")
def tagged_node(shared_lab, server):
    node = shared_lab.node(server)
    server.client().add_tags_to_resource(
        ResourceType="ManagedInstance", ResourceId=node.node_id, Tags=[{"Key": "Finance", "Value": "WebServers"}]
    )
    return node


@pytest.fixture
def starts(plugin_path):
    """Whether `aws ssm start-session` starts a session for somebody; otherwise what it says."""

    def starts(person, node, *arguments: str):
        done = person.aws("ssm", "start-session", "--target", node.node_id, *arguments, path=plugin_path)
        if done.returncode == 0:
            assert "started" in done.stdout, done.stdout + done.stderr
            return True
        assert "AccessDeniedException" in done.stderr, done.stderr
        return done.stderr

    return starts


def refused(call, **arguments) -> str:
    """The code and message of the error that a call ends with."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_end_user_with_one_node_and_the_default_shell(server, node, tagged_node, starts):
    person = Person(
        server,
        allow("ssm:StartSession", [node_arn(node), SHELL]),
        allow(ON_SESSIONS, OWN_BY_ID),
        allow(DESCRIBE),
    )
    assert starts(person, node) is True
    assert starts(person, node, "--document-name", "SSM-SessionManagerRunShell") is True
    assert "no identity-based policy allows the ssm:StartSession action" in starts(person, tagged_node)
    assert starts(person, node, "--document-name", "AWS-StartSSHSession") is not True
    for call in (["describe-sessions", "--state", "Active"], ["get-connection-status", "--target", node.node_id]):
        assert person.aws("ssm", *call).returncode == 0, call
    assert person.aws("ssm", "describe-activations").returncode != 0


def test_end_user_of_the_console(server, node, starts):
    person = Person(
        server,
        allow(["ssm:StartSession", "ssm:SendCommand"], [node_arn(node), SHELL]),
        allow(ON_SESSIONS, OWN_BY_NAME),
        allow(DESCRIBE),
    )
    assert starts(person, node) is True
    mine = person.client().start_session(Target=node.node_id)["SessionId"]
    others = server.client().start_session(Target=node.node_id)["SessionId"]
    assert person.aws("ssm", "terminate-session", "--session-id", mine).returncode == 0
    assert "AccessDenied" in person.aws("ssm", "terminate-session", "--session-id", others).stderr
    server.client().terminate_session(SessionId=others)


def test_administrator_of_tagged_nodes(server, node, tagged_node, starts):
    nodes = ["arn:aws:ec2:*:*:instance/*", ANY_NODE]
    person = Person(
        server,
        allow("ssm:StartSession", nodes, Condition={"StringLike": {"ssm:resourceTag/Finance": ["WebServers"]}}),
        allow(["ssm:CreateDocument", "ssm:UpdateDocument", "ssm:GetDocument", "ssm:StartSession"], SHELL),
        allow(ON_SESSIONS, OWN_BY_NAME),
        allow(DESCRIBE),
    )
    assert starts(person, tagged_node) is True
    assert "no identity-based policy allows" in starts(person, node)
    assert person.aws("ssm", "get-document", "--name", "SSM-SessionManagerRunShell").returncode == 0


def test_full_session_administration(server, node, starts):
    person = Person(
        server,
        allow(["ssm:StartSession", "ssm:TerminateSession", "ssm:ResumeSession", "ssm:DescribeSessions"]),
        allow(["ssm:GetConnectionStatus", "ssmmessages:OpenDataChannel"]),
    )
    assert starts(person, node) is True
    assert starts(person, node, "--document-name", "AWS-StartSSHSession") is True
    others = server.client().start_session(Target=node.node_id)["SessionId"]
    assert person.aws("ssm", "terminate-session", "--session-id", others).returncode == 0
    assert person.aws("ssm", "create-activation", "--iam-role", "PosternNode").returncode != 0


def test_several_tags_must_all_match(server, tagged_node, starts):
    wanted = {"ssm:resourceTag/Finance": ["WebServers"], "aws:ResourceTag/Stage": ["Production"]}
    person = Person(
        server,
        allow("ssm:StartSession", ANY_NODE, Condition={"StringLike": wanted}),
        allow("ssm:StartSession", "arn:aws:ssm:*:*:document/*"),
    )
    assert starts(person, tagged_node) is not True
    tag = {"ResourceType": "ManagedInstance", "ResourceId": tagged_node.node_id}
    server.client().add_tags_to_resource(**tag, Tags=[{"Key": "Stage", "Value": "Production"}])
    assert starts(person, tagged_node) is True
    server.client().remove_tags_from_resource(**tag, TagKeys=["Stage"])
    assert starts(person, tagged_node) is not True


def test_only_some_documents(server, node, starts):
    person = Person(
        server,
        allow("ssm:StartSession", ANY_NODE),
        allow("ssm:StartSession", ["arn:aws:ssm:*:*:document/AWS-StartInteractiveCommand", SSH]),
    )
    assert starts(person, node, "--document-name", "AWS-StartSSHSession") is True
    assert "SSM-SessionManagerRunShell" in starts(person, node)
    assert "AWS-StartPortForwardingSession" in starts(
        person, node, "--document-name", "AWS-StartPortForwardingSession", "--parameters", "portNumber=22"
    )


def test_ssh_only(server, node, starts):
    person = Person(server, allow("ssm:StartSession", [node_arn(node), SSH]))
    assert starts(person, node, "--document-name", "AWS-StartSSHSession") is True
    assert starts(person, node) is not True


def test_neither_ssh_nor_port_forwarding(server, node, starts):
    person = Person(
        server,
        allow("ssm:StartSession"),
        deny("ssm:StartSession", [SSH, "arn:aws:ssm:*:*:document/AWS-StartPortForwardingSession*"]),
    )
    assert starts(person, node) is True
    for name in ("AWS-StartSSHSession", "AWS-StartPortForwardingSession", "AWS-StartPortForwardingSessionToRemoteHost"):
        assert "with an explicit deny in an identity-based policy" in starts(person, node, "--document-name", name)


def test_the_sessions_of_one_node(server, node, tagged_node):
    on = {"StringLike": {"ssm:resourceTag/aws:ssmmessages:target-id": [node.node_id]}}
    person = Person(server, allow("ssm:TerminateSession", Condition=on))
    here = server.client().start_session(Target=node.node_id)["SessionId"]
    there = server.client().start_session(Target=tagged_node.node_id)["SessionId"]
    assert person.aws("ssm", "terminate-session", "--session-id", here).returncode == 0
    assert "AccessDenied" in person.aws("ssm", "terminate-session", "--session-id", there).stderr
    server.client().terminate_session(SessionId=there)


def test_documents_for_the_console(server):
    person = Person(server, allow(["ssm:GetDocument", "ssm:ListDocuments"], "arn:aws:ssm:*:*:document/AWS-StartSSH*"))
    assert person.aws("ssm", "get-document", "--name", "AWS-StartSSHSession").returncode == 0
    assert "AccessDenied" in person.aws("ssm", "get-document", "--name", "SSM-SessionManagerRunShell").stderr
    # Its list is on no resource, so that only `*` allows it.
    assert "AccessDenied" in person.aws("ssm", "list-documents").stderr


def test_a_document_by_its_type(server):
    person = Person(server, allow("ssm:GetDocument", Condition={"StringEquals": {"ssm:DocumentType": "Session"}}))
    assert person.aws("ssm", "get-document", "--name", "AWS-StartSSHSession").returncode == 0


def test_mfa_is_demanded(server, node, starts):
    """A long-term key has no such key in its requests; a session without a code has `false`."""
    demanded = Person(server, allow("ssm:StartSession", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}))
    assert starts(demanded, node) is not True
    unless = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
    barred = Person(
        server, allow(["ssm:StartSession", "sts:GetSessionToken"]), deny("ssm:StartSession", Condition=unless)
    )
    assert "with an explicit deny" in starts(barred, node)
    only_false = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}
    barred.put(allow(["ssm:StartSession", "sts:GetSessionToken"]), deny("ssm:StartSession", Condition=only_false))
    assert starts(barred, node) is True, "a long-term key has no such key at all"
    given = barred.client("sts").get_session_token()["Credentials"]
    session = Holder(server, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    assert "with an explicit deny" in starts(session, node)


def test_hours_and_networks(server, node, starts):
    hours = lambda begin, end: {  # noqa: E731
        "DateGreaterThan": {"aws:CurrentTime": begin},
        "DateLessThan": {"aws:CurrentTime": end},
    }
    person = Person(server, allow("ssm:StartSession", Condition=hours("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z")))
    assert starts(person, node) is True
    person.put(allow("ssm:StartSession", Condition=hours("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z")))
    assert starts(person, node) is not True
    person.put(allow("ssm:StartSession", Condition={"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}))
    assert starts(person, node) is True
    person.put(allow("ssm:StartSession", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}))
    assert starts(person, node) is not True


def test_a_tag_of_the_person_is_matched_with_one_of_the_node(server, node, tagged_node, starts):
    same = {"StringEquals": {"aws:ResourceTag/Finance": "${aws:PrincipalTag/Finance}"}}
    statements = (
        allow("ssm:StartSession", ANY_NODE, Condition=same),
        allow("ssm:StartSession", "arn:aws:ssm:*:*:document/*"),
    )
    web = Person(server, *statements, tags={"Finance": "WebServers"})
    assert starts(web, tagged_node) is True
    assert starts(web, node) is not True
    assert starts(Person(server, *statements), tagged_node) is not True


def test_whoever_has_no_policy_may_only_ask_who_it_is(server, node):
    person = Person(server)
    identity = json.loads(person.aws("sts", "get-caller-identity").stdout)
    assert identity["Arn"] == person.arn
    expected = (
        f"AccessDeniedException: User: {person.arn} is not authorized to perform: ssm:StartSession on resource: "
        f"{node_arn(node)} because no identity-based policy allows the ssm:StartSession action"
    )
    assert refused(person.client().start_session, Target=node.node_id) == expected
    on_nothing = refused(person.client().describe_sessions, State="Active")
    assert "ssm:DescribeSessions on resource: * because" in on_nothing
    # Nothing is told about nodes to whoever may not start sessions.
    unknown = refused(person.client().start_session, Target="mi-00000000000000000")
    assert unknown.startswith("AccessDeniedException"), unknown


def test_the_layer_that_decides_is_named(server, node):
    person = Person(server, allow("*"))
    name, call = person.name, person.client().start_session
    person.iam.put_user_permissions_boundary(
        UserName=name, PermissionsBoundary="arn:aws:iam::aws:policy/AmazonSSMReadOnlyAccess"
    )
    assert refused(call, Target=node.node_id).endswith(
        "because no permissions boundary allows the ssm:StartSession action"
    )
    person.iam.delete_user_permissions_boundary(UserName=name)
    limit = json.dumps({"Version": "2012-10-17", "Statement": [allow("ssm:DescribeSessions")]})
    role = RoleOf(person, allow("*"))
    holder = role.assume(Policy=limit)
    assert refused(holder.client().start_session, Target=node.node_id).endswith(
        "because no session policy allows the ssm:StartSession action"
    )
    assert holder.client().describe_sessions(State="Active")["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        (allow(["ssm:ResumeSession", "ssm:TerminateSession"], OWN_BY_NAME), True),
        (allow(["ssm:ResumeSession", "ssm:TerminateSession"], OWN_BY_ID), True),
        (
            allow(
                ["ssm:ResumeSession", "ssm:TerminateSession"],
                Condition={"StringLike": {"ssm:resourceTag/aws:ssmmessages:session-id": ["${aws:userid}"]}},
            ),
            True,
        ),
        (allow(["ssm:ResumeSession", "ssm:TerminateSession"], "arn:aws:ssm:*:*:session/somebody-*"), False),
    ],
    ids=["by name", "by unique identifier", "by tag", "somebody else's"],
)
def test_a_session_belongs_to_whoever_started_it(server, node, statement, allowed):
    person = Person(server, allow("ssm:StartSession"), statement)
    mine = person.client().start_session(Target=node.node_id)["SessionId"]
    others = server.client().start_session(Target=node.node_id)["SessionId"]
    try:
        assert ("AccessDenied" not in person.aws("ssm", "resume-session", "--session-id", mine).stderr) is allowed
        assert "AccessDenied" in person.aws("ssm", "resume-session", "--session-id", others).stderr
        assert (person.aws("ssm", "terminate-session", "--session-id", mine).returncode == 0) is allowed
    finally:
        for session in (mine, others):
            server.client().terminate_session(SessionId=session)


def test_a_role_session_owns_its_sessions_by_the_form_with_its_identifier(server, node):
    person = Person(server, allow("sts:AssumeRole"))
    role = RoleOf(person, allow("ssm:StartSession"), allow("ssm:TerminateSession", OWN_BY_ID))
    holder, other = role.assume("work"), role.assume("play")
    mine = holder.client().start_session(Target=node.node_id)["SessionId"]
    assert mine.startswith("work-")
    assert "AccessDenied" in other.aws("ssm", "terminate-session", "--session-id", mine).stderr
    assert holder.aws("ssm", "terminate-session", "--session-id", mine).returncode == 0


def test_a_name_that_was_somebody_elses_gives_none_of_their_sessions(server, node):
    """A session's name begins with what its owner was called then; whose it is stands in its record."""
    own = allow(["ssm:StartSession", "ssm:TerminateSession"], [ANY_NODE, SHELL, OWN_BY_NAME])
    before = Person(server, own)
    session = before.client().start_session(Target=node.node_id)["SessionId"]
    server.client("iam").update_user(UserName=before.name, NewUserName=f"{before.name}.renamed")
    now = Person(server, own, name=before.name)
    assert session.startswith(f"{now.name}-")
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        now.client().terminate_session(SessionId=session)
    before.client().terminate_session(SessionId=session)


def test_the_region_of_iam_is_not_what_its_client_signs(server):
    """As at AWS, whose IAM has one endpoint; STS and all else are where the server is."""
    person = Person(
        server,
        allow("iam:ListUsers", Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}}),
        allow("iam:ListRoles", Condition={"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}),
        allow("sts:AssumeRole", Condition={"StringEquals": {"aws:RequestedRegion": REGION}}),
    )
    role = RoleOf(person, allow("ssm:DescribeSessions"))
    account = person.arn.replace(f"user/{person.name}", "root")
    server.client("iam").update_assume_role_policy(RoleName=role.name, PolicyDocument=trust(account))
    for region in ["us-east-1", "eu-west-1"]:
        keys = {"aws_access_key_id": person.key, "aws_secret_access_key": person.secret, "region_name": region}
        iam = server.client("iam", **keys)
        iam.list_users()
        with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
            iam.list_roles()
        server.client("sts", **keys).assume_role(RoleArn=role.arn, RoleSessionName="work")


def test_a_deny_by_either_name_of_a_session_denies(server, node):
    person = Person(server, allow("ssm:StartSession"), allow("ssm:TerminateSession"))
    session = person.client().start_session(Target=node.node_id)["SessionId"]
    for form in (OWN_BY_NAME, OWN_BY_ID):
        person.put(allow(["ssm:StartSession", "ssm:TerminateSession"]), deny("ssm:TerminateSession", form))
        told = person.aws("ssm", "terminate-session", "--session-id", session).stderr
        assert "with an explicit deny" in told, form
    server.client().terminate_session(SessionId=session)


@pytest.mark.parametrize(
    ("statements", "allowed"),
    [
        ((), False),
        ((allow("ssmmessages:OpenDataChannel", OWN_BY_ID),), True),
        ((allow("ssmmessages:OpenDataChannel", OWN_BY_NAME),), True),
        ((allow("ssmmessages:OpenDataChannel", "arn:aws:ssm:*:*:session/somebody-*"),), False),
        ((allow("ssmmessages:OpenDataChannel"), deny("ssmmessages:OpenDataChannel", OWN_BY_NAME)), False),
    ],
    ids=["nothing", "by unique identifier", "by name", "somebody else's", "denied"],
)
def test_a_client_that_signs_its_websocket_needs_leave_for_it(lab, server, node, statements, allowed):
    person = Person(server, allow("ssm:StartSession"), *statements)
    started = person.client().start_session(Target=node.node_id)
    headers = person.websocket_headers(started["StreamUrl"])
    if allowed:
        session = Session(server, started, headers=headers)
        lab.closers.append(session.close)
        assert session.run("echo here") == "here\n"
    else:
        with pytest.raises(websockets.exceptions.InvalidStatus) as caught:
            Session(server, started, headers=headers)
        assert b"is not authorized to perform: ssmmessages:OpenDataChannel" in caught.value.response.body
        server.client().terminate_session(SessionId=started["SessionId"])


def test_an_activation_needs_leave_to_pass_its_role(server):
    role = f"arn:aws:iam::{ACCOUNT}:role/PosternNode"
    person = Person(server, allow("ssm:CreateActivation"))
    told = person.aws("ssm", "create-activation", "--iam-role", "PosternNode").stderr
    assert "iam:PassRole" in told and role in told
    passed = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    person.put(allow("ssm:CreateActivation"), allow("iam:PassRole", role, Condition=passed))
    assert "iam:PassRole" in person.aws("ssm", "create-activation", "--iam-role", "PosternNode").stderr
    passed = {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}
    person.put(allow("ssm:CreateActivation"), allow("iam:PassRole", role, Condition=passed))
    assert person.aws("ssm", "create-activation", "--iam-role", "PosternNode").returncode == 0


def test_a_role_that_does_not_trust_systems_manager_is_not_for_nodes(server):
    person = Person(server)
    role = RoleOf(person, allow("ssm:UpdateInstanceInformation"))
    told = refused(server.client().create_activation, IamRole=role.name)
    assert told == (
        "ValidationException: Nonexistent role or missing ssm service principal in trust policy: " + role.name
    )


def test_tags_of_a_request_are_decided_on(server, node):
    only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}, "StringEquals": {"aws:RequestTag/team": "web"}}
    person = Person(server, allow("ssm:AddTagsToResource", node_arn(node), Condition=only))
    resource = {"ResourceType": "ManagedInstance", "ResourceId": node.node_id}
    add = person.client().add_tags_to_resource
    assert refused(add, **resource, Tags=[{"Key": "team", "Value": "db"}]).startswith("AccessDenied")
    more = [{"Key": "team", "Value": "web"}, {"Key": "env", "Value": "x"}]
    assert refused(add, **resource, Tags=more).startswith("AccessDenied")
    add(**resource, Tags=[{"Key": "team", "Value": "web"}])
    again = refused(server.client().add_tags_to_resource, **resource, Tags=[{"Key": "TEAM", "Value": "db"}])
    assert again.startswith("ValidationException"), "a key that differs only in case would be the same to policies"
    server.client().remove_tags_from_resource(**resource, TagKeys=["team"])


def test_a_change_of_policy_counts_at_once(server, node):
    person = Person(server, allow("ssm:DescribeSessions"))
    for _ in range(3):
        person.client().describe_sessions(State="Active")
        person.put(deny("*"))
        assert "explicit deny" in refused(person.client().describe_sessions, State="Active")
        person.put(allow("ssm:DescribeSessions"))


NODE_AND_CONDITION = allow(
    "ssm:StartSession", ANY_NODE, Condition={"BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"}}
)


def test_the_document_is_always_checked(server, node, starts):
    """Cases E10 to E14 of the catalogue, with the default setting."""
    person = Person(server, allow("ssm:StartSession", ANY_NODE))
    assert starts(person, node) is not True
    person.put(NODE_AND_CONDITION, allow("ssm:StartSession", SHELL))
    assert starts(person, node) is True
    person.put(NODE_AND_CONDITION, allow("ssm:StartSession", SSH))
    assert starts(person, node) is not True
    assert starts(person, node, "--document-name", "AWS-StartSSHSession") is True


def test_the_document_is_checked_as_before(lab, starts):
    server = lab.server({"POSTERN_SESSIONS_DOCUMENT_CHECK": "legacy"}).start()
    node = lab.node(server)
    person = Person(server, allow("ssm:StartSession", ANY_NODE))
    assert starts(person, node) is True, "nobody named a document, so only the node counts"
    assert starts(person, node, "--document-name", "SSM-SessionManagerRunShell") is not True
    person.put(NODE_AND_CONDITION)
    assert starts(person, node) is not True, "the policy demands the check"
    person.put(NODE_AND_CONDITION, allow("ssm:StartSession", SHELL))
    assert starts(person, node) is True
    person.put(allow("ssm:StartSession"), deny("ssm:StartSession", node_arn(node)))
    assert "explicit deny" in starts(person, node)
