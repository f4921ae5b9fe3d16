"""What is told about nodes, and taking one away."""

import socket

import pytest
from botocore.exceptions import ClientError
from harness.waiting import eventually


def code(error) -> str:
    return error.value.response["Error"]["Code"]


def described(server, node_id: str) -> dict | None:
    filters = [{"Key": "InstanceIds", "Values": [node_id]}]
    found = server.client().describe_instance_information(Filters=filters)["InstanceInformationList"]
    return found[0] if found else None


def test_a_node_tells_about_its_machine(server, node):
    found = described(server, node.node_id)
    assert found["PingStatus"] == "Online"
    assert found["PlatformType"] == "Linux"
    assert found["ComputerName"] == socket.gethostname() or found["ComputerName"].startswith(socket.gethostname())
    assert found["ResourceType"] == "ManagedInstance"
    assert found["IamRole"].endswith("PosternNode")
    assert found["PlatformName"] and found["PlatformVersion"] and found["IPAddress"]


def test_the_version_switches_on_the_plugins_newer_features(server, node):
    parts = [int(part) for part in described(server, node.node_id)["AgentVersion"].split(".")]
    assert len(parts) == 4
    assert parts > [3, 1, 1511, 0]


@pytest.mark.parametrize(
    "filter_of",
    [
        lambda node: {"Key": "InstanceIds", "Values": [node]},
        lambda node: {"Key": "PingStatus", "Values": ["Online"]},
        lambda node: {"Key": "PlatformTypes", "Values": ["Linux"]},
        lambda node: {"Key": "ResourceType", "Values": ["ManagedInstance"]},
    ],
    ids=["id", "ping", "platform", "resource"],
)
def test_filters_find_the_node(server, node, filter_of):
    pages = server.client().get_paginator("describe_instance_information").paginate(Filters=[filter_of(node.node_id)])
    assert node.node_id in {each["InstanceId"] for page in pages for each in page["InstanceInformationList"]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"Key": "PlatformTypes", "Values": ["Windows"]},
        {"Key": "PingStatus", "Values": ["ConnectionLost"]},
        {"Key": "tag:site", "Values": ["nowhere"]},
        {"Key": "InstanceIds", "Values": ["mi-00000000000000000"]},
    ],
    ids=lambda each: each["Key"],
)
def test_filters_leave_other_nodes_out(server, node, wrong):
    found = server.client().describe_instance_information(Filters=[wrong])["InstanceInformationList"]
    assert node.node_id not in {each["InstanceId"] for each in found}


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({"MaxResults": 4}, "ValidationException"),
        ({"MaxResults": 51}, "ValidationException"),
        ({"Filters": [{"Key": "Colour", "Values": ["red"]}]}, "InvalidFilterKey"),
        ({"NextToken": "forged"}, "InvalidNextToken"),
    ],
)
def test_constraints(server, arguments, expected):
    with pytest.raises(ClientError) as error:
        server.client(validate=False).describe_instance_information(**arguments)
    assert code(error) == expected


def test_a_node_that_goes_away_is_told_so(lab, server, ssm):
    agent = lab.node(server)
    agent.stop()
    eventually(lambda: not agent.is_connected(), "not connected")
    with pytest.raises(ClientError) as error:
        ssm.start_session(Target=agent.node_id)
    assert code(error) == "TargetNotConnected"
    agent.start()


def test_a_node_that_is_deregistered_ends_its_sessions_and_stays_out(lab, server, ssm):
    agent = lab.node(server)
    session = lab.session(agent)
    session.run("true")
    ssm.deregister_managed_instance(InstanceId=agent.node_id)
    session.reason()
    assert described(server, agent.node_id) is None
    assert not agent.is_connected()
    agent.kill()
    agent.start(wait=False)
    eventually(lambda: not agent.program.is_running() or "regist" in agent.program.logged(), "the agent says why")
    assert not agent.is_connected()


def test_deregistering_what_is_not_there(ssm):
    with pytest.raises(ClientError) as error:
        ssm.deregister_managed_instance(InstanceId="mi-00000000000000000")
    assert code(error) == "InvalidInstanceId"
