"""Activations: how a node may become one."""

import datetime

import pytest
from botocore.exceptions import ClientError
from harness.programs import ROLE, Activation
from harness.waiting import eventually


def code(error) -> str:
    return error.value.response["Error"]["Code"]


def listed(ssm, activation_id: str) -> dict:
    answer = ssm.describe_activations(Filters=[{"FilterKey": "ActivationIds", "FilterValues": [activation_id]}])
    (found,) = answer["ActivationList"]
    return found


def test_an_activation_is_described_without_its_code(ssm, server):
    activation = server.activation(Description="racks 1-4", DefaultInstanceName="rack", RegistrationLimit=3)
    found = listed(ssm, activation.id)
    assert found["Description"] == "racks 1-4"
    assert found["DefaultInstanceName"] == "rack"
    assert found["IamRole"].endswith(ROLE)
    assert (found["RegistrationLimit"], found["RegistrationsCount"], found["Expired"]) == (3, 0, False)
    life = found["ExpirationDate"] - found["CreatedDate"]
    assert abs(life - datetime.timedelta(hours=24)) < datetime.timedelta(seconds=2)
    assert activation.code not in str(found)
    assert len(activation.code) >= 20


def test_registering_counts_and_stops_at_the_limit(lab, server, ssm):
    activation = server.activation(RegistrationLimit=1)
    lab.agent(server).register(activation)
    assert listed(ssm, activation.id)["RegistrationsCount"] == 1
    refused = lab.agent(server).try_to_register(activation)
    assert refused.returncode != 0
    assert "RegistrationLimitExceeded" in refused.stderr + refused.stdout


def test_a_wrong_code_or_id_tells_nothing(lab, server):
    activation = server.activation()
    for wrong in [
        Activation(activation.id, "A" * 20),
        Activation("11111111-2222-3333-4444-555555555555", activation.code),
    ]:
        refused = lab.agent(server).try_to_register(wrong)
        assert refused.returncode != 0
        assert "InvalidActivation" in refused.stderr + refused.stdout


def test_an_expired_activation_is_refused(lab, server, ssm):
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=3)
    activation = server.activation(ExpirationDate=soon)
    eventually(lambda: listed(ssm, activation.id)["Expired"], "the activation has expired")
    refused = lab.agent(server).try_to_register(activation)
    assert refused.returncode != 0
    assert "ActivationExpired" in refused.stderr + refused.stdout


def test_a_deleted_activation_is_refused_and_its_nodes_stay(lab, server, ssm):
    activation = server.activation()
    agent = lab.agent(server).register(activation).start()
    ssm.delete_activation(ActivationId=activation.id)
    refused = lab.agent(server).try_to_register(activation)
    assert "InvalidActivation" in refused.stderr + refused.stdout
    assert agent.is_connected()


def test_name_and_tags_of_the_activation_go_to_the_node(lab, server, ssm):
    activation = server.activation(DefaultInstanceName="edge-7", Tags=[{"Key": "site", "Value": "north"}])
    agent = lab.agent(server).register(activation).start()
    (found,) = [node for node in server.nodes() if node["InstanceId"] == agent.node_id]
    assert found["Name"] == "edge-7"
    assert found["ActivationId"] == activation.id
    tags = ssm.list_tags_for_resource(ResourceType="ManagedInstance", ResourceId=agent.node_id)["TagList"]
    assert {"Key": "site", "Value": "north"} in tags


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({"IamRole": "NoSuchRole"}, "ValidationException InvalidParameters"),
        ({"IamRole": ROLE, "RegistrationLimit": 1001}, "ValidationException"),
        ({"IamRole": ROLE, "RegistrationLimit": 0}, "ValidationException"),
        ({"IamRole": ROLE, "Description": "x" * 257}, "ValidationException"),
        (
            {"IamRole": ROLE, "ExpirationDate": datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=40)},
            "ValidationException InvalidParameters",
        ),
        ({}, "ValidationException"),
    ],
)
def test_constraints_of_create_activation(server, arguments, expected):
    with pytest.raises(ClientError) as error:
        server.client(validate=False).create_activation(**arguments)
    assert code(error) in expected.split()


def test_deleting_what_is_not_there(ssm):
    with pytest.raises(ClientError) as error:
        ssm.delete_activation(ActivationId="11111111-2222-3333-4444-555555555555")
    assert code(error) in ("InvalidActivation", "InvalidActivationId")


def test_pages_of_activations(server, ssm):
    mine = {server.activation().id for _ in range(3)}
    pages = ssm.get_paginator("describe_activations").paginate(PaginationConfig={"PageSize": 2})
    seen = [activation["ActivationId"] for page in pages for activation in page["ActivationList"]]
    assert len(seen) == len(set(seen)) and mine <= set(seen)


def test_a_forged_page_token(ssm):
    with pytest.raises(ClientError) as error:
        ssm.describe_activations(NextToken="forged")
    assert code(error) == "InvalidNextToken"


def test_filters_of_activations(server, ssm):
    activation = server.activation(DefaultInstanceName="only-this")
    filters = [{"FilterKey": "DefaultInstanceName", "FilterValues": ["only-this"]}]
    found = ssm.describe_activations(Filters=filters)["ActivationList"]
    assert [each["ActivationId"] for each in found] == [activation.id]
