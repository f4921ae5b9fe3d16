"""Tags of nodes."""

import pytest
from botocore.exceptions import ClientError

UNKNOWN = "mi-00000000000000000"


@pytest.fixture
def tagged(lab, server):
    return {"ResourceType": "ManagedInstance", "ResourceId": lab.agent(server).register().node_id}


def tags(ssm, resource) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in ssm.list_tags_for_resource(**resource)["TagList"]}


def test_tags_are_added_replaced_listed_and_removed(ssm, tagged):
    ssm.add_tags_to_resource(**tagged, Tags=[{"Key": "env", "Value": "test"}, {"Key": "team", "Value": "ops"}])
    ssm.add_tags_to_resource(**tagged, Tags=[{"Key": "env", "Value": "production"}])
    assert tags(ssm, tagged) == {"env": "production", "team": "ops"}
    ssm.remove_tags_from_resource(**tagged, TagKeys=["env", "absent"])
    assert tags(ssm, tagged) == {"team": "ops"}


def test_nodes_are_found_by_their_tags(ssm, tagged, server):
    ssm.add_tags_to_resource(**tagged, Tags=[{"Key": "found", "Value": tagged["ResourceId"]}])
    for each in [
        {"Key": "tag:found", "Values": [tagged["ResourceId"]]},
        {"Key": "tag-key", "Values": ["found"]},
    ]:
        nodes = ssm.describe_instance_information(Filters=[each])["InstanceInformationList"]
        assert [node["InstanceId"] for node in nodes] == [tagged["ResourceId"]], each


def test_at_most_fifty(ssm, tagged):
    ssm.add_tags_to_resource(**tagged, Tags=[{"Key": f"k{n}", "Value": "v"} for n in range(50)])
    with pytest.raises(ClientError) as error:
        ssm.add_tags_to_resource(**tagged, Tags=[{"Key": "one more", "Value": "v"}])
    assert error.value.response["Error"]["Code"] == "TooManyTagsError"
    assert len(tags(ssm, tagged)) == 50


@pytest.mark.parametrize(
    "change, expected",
    [
        ({"ResourceId": UNKNOWN}, "InvalidResourceId"),
        ({"ResourceType": "Spaceship"}, "ValidationException InvalidResourceType"),
        ({"Tags": [{"Key": "aws:mine", "Value": "v"}]}, "ValidationException InvalidParameters"),
        ({"Tags": [{"Key": "", "Value": "v"}]}, "ValidationException"),
        ({"Tags": None}, "ValidationException"),
    ],
    ids=["unknown resource", "unknown type", "reserved key", "empty key", "no tags"],
)
def test_constraints(server, tagged, change, expected):
    arguments = tagged | {"Tags": [{"Key": "k", "Value": "v"}]} | change
    with pytest.raises(ClientError) as error:
        server.client(validate=False).add_tags_to_resource(**{k: v for k, v in arguments.items() if v is not None})
    assert error.value.response["Error"]["Code"] in expected.split()
