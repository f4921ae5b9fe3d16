"""The documents that every account has."""

import json

import pytest
from botocore.exceptions import ClientError

SESSION_DOCUMENTS = {
    "SSM-SessionManagerRunShell": "Standard_Stream",
    "AWS-StartSSHSession": "Port",
    "AWS-StartPortForwardingSession": "Port",
    "AWS-StartPortForwardingSessionToRemoteHost": "Port",
    "AWS-StartInteractiveCommand": "InteractiveCommands",
    "AWS-StartNonInteractiveCommand": "NonInteractiveCommands",
    "Postern-StartSFTPSession": "Port",
    "Postern-StartTunnelSession": "Port",
}
AMAZONS = [name for name in SESSION_DOCUMENTS if name.startswith("AWS-")]


@pytest.mark.parametrize("name", SESSION_DOCUMENTS)
def test_the_content_is_a_session_document(ssm, name):
    answer = ssm.get_document(Name=name)
    content = json.loads(answer["Content"])
    assert content["schemaVersion"] == "1.0"
    assert content["sessionType"] == SESSION_DOCUMENTS[name]
    assert (answer["DocumentType"], answer["DocumentFormat"], answer["Status"]) == ("Session", "JSON", "Active")


@pytest.mark.parametrize("name", AMAZONS)
def test_a_description(ssm, name):
    document = ssm.describe_document(Name=name)["Document"]
    assert document["Owner"] == "Amazon"
    assert document["DocumentVersion"] == document["DefaultVersion"] == "1"
    assert set(document["PlatformTypes"]) == {"Windows", "Linux", "MacOS"}


def test_an_arn_names_a_document_too(ssm):
    arn = "arn:aws:ssm:us-east-1::document/AWS-StartSSHSession"
    assert json.loads(ssm.get_document(Name=arn)["Content"])["sessionType"] == "Port"


def test_the_list_has_them_page_by_page(ssm):
    pages = ssm.get_paginator("list_documents").paginate(PaginationConfig={"PageSize": 2})
    names = [document["Name"] for page in pages for document in page["DocumentIdentifiers"]]
    assert set(AMAZONS) <= set(names)
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "filters, expected",
    [
        ([{"Key": "Owner", "Values": ["Amazon"]}, {"Key": "DocumentType", "Values": ["Session"]}], True),
        ([{"Key": "Name", "Values": ["AWS-StartSSHSession"]}], True),
        ([{"Key": "Name", "Values": ["AWS-StartPortForwardingSession"]}], False),
        ([{"Key": "DocumentType", "Values": ["Package"]}], False),
    ],
)
def test_filters(ssm, filters, expected):
    pages = ssm.get_paginator("list_documents").paginate(Filters=filters)
    names = {document["Name"] for page in pages for document in page["DocumentIdentifiers"]}
    assert ("AWS-StartSSHSession" in names) == expected


@pytest.mark.parametrize("operation", ["get_document", "describe_document"])
@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({"Name": "No-Such-Document"}, "InvalidDocument"),
        ({"Name": "AWS-StartSSHSession", "DocumentVersion": "99"}, "InvalidDocumentVersion"),
        ({"Name": "a b"}, "ValidationException"),
    ],
)
def test_what_is_not_there(server, operation, arguments, expected):
    with pytest.raises(ClientError) as error:
        getattr(server.client(validate=False), operation)(**arguments)
    assert error.value.response["Error"]["Code"] == expected


def test_default_and_latest_are_versions(ssm):
    for version in ["$DEFAULT", "$LATEST", "1"]:
        assert ssm.get_document(Name="AWS-StartSSHSession", DocumentVersion=version)["DocumentVersion"] == "1"
