"""A node speaks only as itself."""

import json

import botocore.exceptions
import pytest
import websockets.exceptions
from cryptography.hazmat.primitives.asymmetric import rsa
from harness import channel, wire
from harness.node import AGENT_VERSION, Node, token_of
from harness.people import Person, allow
from harness.programs import ACCOUNT, REGION
from harness.requests import ssm_call
from harness.waiting import eventually


@pytest.fixture
def stranger(server):
    """A node of its own, honest so far."""
    return Node(server).joined()


def test_a_node_gets_its_role(stranger):
    answer = stranger.request_role()
    role = answer.json()
    assert role["UpdateKeyPair"] in (True, False)
    assert role["AccessKeyId"].startswith("ASIA")
    identity = stranger.server.client(
        "sts",
        aws_access_key_id=role["AccessKeyId"],
        aws_secret_access_key=role["SecretAccessKey"],
        aws_session_token=role["SessionToken"],
    ).get_caller_identity()
    assert identity["Arn"].endswith(f":assumed-role/PosternNode/{stranger.id}")


def test_another_nodes_id_needs_its_key(stranger, node):
    answer = stranger.request_role(node_id=node.node_id)
    assert answer.status == 400
    assert answer.code in ("AccessDeniedException", "InvalidSignatureException", "MachineFingerprintDoesNotMatch")


def test_an_unknown_nodes_id(stranger):
    answer = stranger.request_role(node_id="mi-00000000000000000")
    assert answer.status == 400


def test_another_machines_fingerprint(stranger):
    answer = stranger.request_role(fingerprint="11111111-2222-3333-4444-555555555555")
    assert answer.code == "MachineFingerprintDoesNotMatch"


def test_another_key(stranger):
    stranger.key = rsa.generate_private_key(65537, 2048)
    answer = stranger.request_role()
    assert answer.status == 400


def test_an_unsigned_request_for_a_role(stranger):
    answer = ssm_call("RequestManagedInstanceRoleToken", {"Fingerprint": stranger.fingerprint}).send(stranger.server)
    assert answer.status == 400


def test_heartbeats_only_for_itself(stranger, node):
    mine = {"InstanceId": stranger.id, "AgentName": "amazon-ssm-agent", "AgentVersion": AGENT_VERSION}
    assert stranger.call("UpdateInstanceInformation", mine | {"PlatformType": "Linux"}).status == 200
    answer = stranger.call("UpdateInstanceInformation", mine | {"InstanceId": node.node_id, "ComputerName": "forged"})
    assert answer.status == 400
    assert answer.code in ("AccessDeniedException", "InvalidInstanceId")
    assert "forged" not in str(stranger.server.nodes())


def test_no_control_channel_of_another_node(stranger, node):
    answer = stranger.create_channel("control-channel", node.node_id)
    assert answer.status != 201
    assert node.is_connected()


def test_a_control_token_opens_only_its_own_channel(stranger, node):
    token = token_of(stranger.create_channel("control-channel", stranger.id))
    with pytest.raises((websockets.exceptions.WebSocketException, OSError)):
        stranger.open_control(of=node.node_id, token=token).recv(timeout=20)
    assert node.is_connected()


def test_no_data_channel_of_anothers_session(stranger, session):
    session.run("true")
    assert stranger.create_channel("data-channel", session.id).status != 201
    assert session.run("echo mine") == "mine\n"


def test_a_nodes_token_does_not_open_the_clients_side(lab, server):
    node = Node(server).joined().connected()
    started = channel.start(server, node.id)
    node.next_task()
    token = token_of(node.create_channel("data-channel", started["SessionId"]))
    intruder = channel.Session(server, started | {"TokenValue": token})
    lab.closers.append(intruder.close)
    with pytest.raises((channel.Closed, websockets.exceptions.ConnectionClosed)):
        intruder.until(lambda: False, "the refusal")


def test_a_node_may_not_do_what_administrators_do(stranger, node):
    for operation, arguments in [
        ("StartSession", {"Target": node.node_id}),
        ("CreateActivation", {"IamRole": "PosternNode"}),
        ("DeregisterManagedInstance", {"InstanceId": node.node_id}),
        ("DescribeSessions", {"State": "Active"}),
    ]:
        answer = stranger.call(operation, arguments)
        assert (answer.status, answer.code) == (400, "AccessDeniedException"), operation
        assert "is not authorized to perform" in answer.body.decode()


def test_an_administrator_may_not_speak_as_a_node(server, node):
    impostor = Node(server)
    impostor.role = server.botocore_session().get_credentials()
    assert impostor.create_channel("control-channel", node.node_id).status != 201


@pytest.mark.parametrize(
    "change, code",
    [
        ({"PublicKey": "A" * 392}, "InvalidPublicKey"),
        ({"PublicKey": "short"}, "InvalidPublicKey ValidationException"),
        ({"PublicKeyType": "Dsa"}, "InvalidPublicKey ValidationException"),
        ({"Fingerprint": None}, "ValidationException"),
        ({"ActivationCode": "x"}, "ValidationException InvalidActivation"),
    ],
)
def test_a_registration_that_is_wrong(server, change, code):
    activation = server.activation()
    answer = Node(server).register(activation, **change)
    assert answer.status == 400
    assert answer.code in code.split()


def test_a_node_is_given_another_role(server, stranger):
    """With the real command line, by somebody who may do just that."""
    iam = server.client("iam")
    trusting = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "ssm.amazonaws.com"},
                "Action": "sts:AssumeRole",
            },
        }
    )
    role = iam.create_role(RoleName="OtherNodes", Path="/nodes/", AssumeRolePolicyDocument=trusting)["Role"]
    person = Person(server)
    node_arn = f"arn:aws:ssm:{REGION}:{ACCOUNT}:managed-instance/{stranger.id}"
    update = ["ssm", "update-managed-instance-role", "--instance-id", stranger.id, "--iam-role"]
    on_node = allow("ssm:UpdateManagedInstanceRole", node_arn)
    on_role = allow("ssm:UpdateManagedInstanceRole", role["Arn"])
    passed = {"StringEquals": {"iam:PassedToService": "ssm.amazonaws.com"}}
    pass_role = allow("iam:PassRole", role["Arn"], Condition=passed)
    for statements, resource in [
        ([on_role, pass_role], node_arn),
        ([on_node, pass_role], role["Arn"]),
        ([on_node, on_role], role["Arn"]),
    ]:
        person.put(*statements)
        told = person.aws(*update, "OtherNodes").stderr
        assert "AccessDeniedException" in told and f"on resource: {resource}" in told, told
    person.put(on_node, on_role, pass_role)
    before = stranger.role
    done = person.aws(*update, "nodes/OtherNodes")
    assert done.returncode == 0, done.stderr
    [described] = server.client().describe_instance_information(
        Filters=[{"Key": "InstanceIds", "Values": [stranger.id]}]
    )["InstanceInformationList"]
    assert described["IamRole"] == "OtherNodes"
    assert arn_of(server, before).endswith(f":assumed-role/PosternNode/{stranger.id}"), "until it asks again"
    stranger.request_role()
    assert arn_of(server, stranger.role).endswith(f":assumed-role/OtherNodes/{stranger.id}")

    admin = server.client()
    for node_id, name, code in [
        (stranger.id, "NoSuchRole", "ValidationException"),
        ("mi-00000000000000000", "OtherNodes", "InvalidInstanceId"),
    ]:
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            admin.update_managed_instance_role(InstanceId=node_id, IamRole=name)
        assert refused.value.response["Error"]["Code"] == code, (node_id, name)
    iam.update_assume_role_policy(RoleName="OtherNodes", PolicyDocument=trusting.replace("ssm.", "ec2."))
    with pytest.raises(botocore.exceptions.ClientError, match="missing ssm service principal"):
        admin.update_managed_instance_role(InstanceId=stranger.id, IamRole="OtherNodes")


def arn_of(server, keys) -> str:
    sts = server.client(
        "sts",
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
    )
    return sts.get_caller_identity()["Arn"]


def test_the_newer_of_two_agents_with_one_identity_wins(lab, server):
    first = lab.node(server)
    second = lab.agent(server)
    first.copy_state_to(second)
    second.start(wait=False)
    eventually(lambda: lab.session(second).run("echo $PPID").strip(), "the node answers", 30)
    eventually(lambda: "anoth" in first.program.logged() or "newer" in first.program.logged(), "the older one is told")
    # They do not take the node from each other for ever.
    eventually(lambda: lab.session(second).run("echo still").strip() == "still", "the node still answers")


def test_a_newer_control_channel_closes_the_older(server):
    node = Node(server).joined().connected()
    older = node.control
    node.open_control()
    with pytest.raises(websockets.exceptions.ConnectionClosed):
        while True:
            older.recv(timeout=20)
    started = channel.start(server, node.id)
    assert node.next_task()["SessionId"] == started["SessionId"]


def test_a_key_is_replaced_at_once(stranger):
    old, new = stranger.key, rsa.generate_private_key(65537, 2048)
    stranger.key = new
    request = ssm_call(
        "UpdateManagedInstancePublicKey", {"NewPublicKey": stranger.public_key(), "NewPublicKeyType": "Rsa"}
    )
    stranger.key = old
    assert stranger.signed_with_key(request).send(stranger.server).status == 200
    stranger.key = new
    assert stranger.request_role().status == 200


def test_what_an_idle_agent_of_aws_asks_for_is_answered(stranger):
    """The honest minimum that keeps an unmodified agent healthy."""
    answer = stranger.call("ListInstanceAssociations", {"InstanceId": stranger.id, "MaxResults": 20})
    assert (answer.status, answer.json()["Associations"]) == (200, [])


def test_a_node_of_aws_protocol_carries_a_shell(lab, server):
    """As amazon-ssm-agent: no handshake, 1024-byte messages, the end by state and task."""
    node = Node(server).joined().connected()
    started = channel.start(server, node.id)
    client = channel.Session(server, started)
    lab.closers.append(client.close)
    task = node.next_task()
    assert task["SessionId"] == started["SessionId"]
    assert task["DocumentContent"]["sessionType"] == "Standard_Stream"
    assert task["DocumentContent"]["schemaVersion"] == "1.0"
    data = node.open_data(started["SessionId"])
    data.send(b"# ")
    client.read_until(b"# ")
    client.type("exit\r")
    while (message := data.receive()).message_type != wire.INPUT:
        pass
    assert message.payload == b"exit\r"
    state = b'{"SchemaVersion":1,"SessionState":"Terminating","SessionId":"%s"}' % started["SessionId"].encode()
    data.send_frame(wire.Message("agent_session_state", 0, 3, 0, state).encode())
    client.reason()


@pytest.mark.parametrize(
    "frame",
    [
        b"short",
        b"\xff\xff\xff\xff" + bytes(200),
        wire.Message(wire.OUTPUT, 1, 0, 1, b"bad").with_digest(bytes(32)).encode(),
        wire.Message(wire.INPUT, 1, 0, 1, b"input from a node").encode(),
        wire.Message("make_coffee", 0, 0, 0, b"{}").encode(),
    ],
    ids=["short", "header", "digest", "direction", "unknown"],
)
def test_a_nodes_spoiled_frame_does_not_reach_the_client(lab, server, frame):
    node = Node(server).joined().connected()
    started = channel.start(server, node.id)
    client = channel.Session(server, started)
    lab.closers.append(client.close)
    node.next_task()
    data = node.open_data(started["SessionId"])
    data.send(b"first")
    client.read_until(b"first")
    data.send_frame(frame)
    try:
        data.send(b"second")
        client.read_until(b"second", 5)
    except (channel.Closed, websockets.exceptions.ConnectionClosed, AssertionError):
        pass
    assert b"bad" not in client.output and b"input from a node" not in client.output
    known = (wire.OUTPUT, wire.ACKNOWLEDGE, wire.CHANNEL_CLOSED, wire.START_PUBLICATION, wire.PAUSE_PUBLICATION)
    assert all(each.message_type in known for each in client.frames)
    assert server.answers()
