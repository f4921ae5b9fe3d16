"""Documents that the account makes: created, given versions, refused with AWS's errors, and used by sessions."""

import json

import pytest
from botocore.exceptions import ClientError
from harness.people import Person, RoleOf, allow, deny
from harness.programs import ACCOUNT, REGION
from harness.waiting import eventually

ARN = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/"
ANY_NODE = "arn:aws:ssm:*:*:managed-instance/*"


def shell(**inputs) -> str:
    return json.dumps({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs})


def command(line: str) -> str:
    content = {
        "schemaVersion": "1.0",
        "description": "Says a word.",
        "sessionType": "InteractiveCommands",
        "parameters": {"word": {"type": "String", "default": "hello", "allowedPattern": "^[a-z]+$"}},
        "properties": {"linux": {"commands": line}},
    }
    return json.dumps(content)


def refused(call, **arguments) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@pytest.fixture
def made(ssm):
    """Creates documents, and deletes them at the end."""
    names = []

    def make(name: str, content: str, **more) -> dict:
        names.append(name)
        return ssm.create_document(Name=name, Content=content, DocumentType="Session", **more)["DocumentDescription"]

    yield make
    for name in names:
        try:
            ssm.delete_document(Name=name)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "InvalidDocument"


def test_a_document_is_made_and_described(ssm, made):
    content = shell(idleSessionTimeout="15")
    created = made("Made-Shell", content, VersionName="first", Tags=[{"Key": "team", "Value": "web"}])
    assert (created["Status"], created["DocumentVersion"], created["Owner"]) == ("Creating", "1", ACCOUNT)
    document = ssm.describe_document(Name="Made-Shell")["Document"]
    assert document["Status"] == "Active"
    assert (document["DocumentType"], document["SchemaVersion"], document["DocumentFormat"]) == ("Session", "1.0", "JSON")
    assert (document["DefaultVersion"], document["LatestVersion"], document["VersionName"]) == ("1", "1", "first")
    assert set(document["PlatformTypes"]) == {"Windows", "Linux", "MacOS"}
    assert document["Tags"] == [{"Key": "team", "Value": "web"}]
    got = ssm.get_document(Name=ARN + "Made-Shell")
    assert got["Content"] == content, "as it was written"
    filters = [[{"Key": "Owner", "Values": ["Self"]}], [{"Key": "tag:team", "Values": ["web"]}], [{"Key": "Name", "Values": ["Made-Shell"]}]]
    for wanted in filters:
        listed = ssm.list_documents(Filters=wanted)["DocumentIdentifiers"]
        assert "Made-Shell" in {item["Name"] for item in listed}, wanted


def test_yaml_is_kept_as_it_is_and_read_as_json(ssm, made):
    text = "---\nschemaVersion: '1.0'\ndescription: In YAML\nsessionType: Standard_Stream\ninputs:\n  idleSessionTimeout: '5'\n"
    made("In-Yaml", text, DocumentFormat="YAML")
    got = ssm.get_document(Name="In-Yaml")
    assert (got["Content"], got["DocumentFormat"]) == (text, "YAML")
    as_json = ssm.get_document(Name="In-Yaml", DocumentFormat="JSON")["Content"]
    assert json.loads(as_json)["inputs"] == {"idleSessionTimeout": "5"}
    assert "Content" in ssm.get_document(Name="AWS-StartSSHSession", DocumentFormat="YAML")


def test_versions_follow_awss_rules(ssm, made):
    made("Versioned", shell(idleSessionTimeout="1"))
    for minutes in ["2", "3"]:
        answer = ssm.update_document(
            Name="Versioned", Content=shell(idleSessionTimeout=minutes), DocumentVersion="$LATEST", VersionName=f"v{minutes}"
        )
        assert answer["DocumentDescription"]["Status"] == "Updating"
    assert ssm.describe_document(Name="Versioned")["Document"]["DefaultVersion"] == "1"
    versions = ssm.get_paginator("list_document_versions").paginate(Name="Versioned", PaginationConfig={"PageSize": 2})
    listed = [version for page in versions for version in page["DocumentVersions"]]
    assert [version["DocumentVersion"] for version in listed] == ["3", "2", "1"]
    assert [version["IsDefaultVersion"] for version in listed] == [False, False, True]
    for version, expected in [({}, "1"), ({"DocumentVersion": "$LATEST"}, "3"), ({"VersionName": "v2"}, "2")]:
        assert ssm.get_document(Name="Versioned", **version)["DocumentVersion"] == expected

    ssm.update_document_default_version(Name="Versioned", DocumentVersion="2")
    assert ssm.describe_document(Name="Versioned", DocumentVersion="$DEFAULT")["Document"]["DocumentVersion"] == "2"
    assert refused(ssm.delete_document, Name="Versioned", DocumentVersion="2")[0] == "InvalidDocumentOperation"
    ssm.delete_document(Name="Versioned", DocumentVersion="3")
    assert refused(ssm.get_document, Name="Versioned", DocumentVersion="3")[0] == "InvalidDocumentVersion"
    ssm.update_document(Name="Versioned", Content=shell(), DocumentVersion="2")
    assert ssm.describe_document(Name="Versioned")["Document"]["LatestVersion"] == "4", "no number comes twice"
    ssm.delete_document(Name="Versioned")
    assert refused(ssm.describe_document, Name="Versioned")[0] == "InvalidDocument"


@pytest.mark.parametrize(
    "arguments, code, told",
    [
        ({"Name": "AWS-Mine"}, "ValidationException", "reserved"),
        ({"Name": "a b"}, "ValidationException", ""),
        ({"DocumentType": "Command"}, "InvalidDocumentType", "Session"),
        ({"DocumentFormat": "TEXT"}, "ValidationException", "JSON or YAML"),
        ({"Content": "{"}, "InvalidDocumentContent", "JSON"),
        ({"Content": "a: 1\na: 2", "DocumentFormat": "YAML"}, "InvalidDocumentContent", "YAML"),
        ({"Content": json.dumps({"schemaVersion": "2.2", "sessionType": "Port"})}, "InvalidDocumentSchemaVersion", "1.0"),
        ({"Content": shell(description="x" * 66_000)}, "MaxDocumentSizeExceeded", "65536"),
        ({"Content": shell(color="red")}, "InvalidDocumentContent", "inputs.color"),
        ({"Content": shell(idleSessionTimeout="61")}, "InvalidDocumentContent", "from 1 to 60"),
        ({"Content": shell(idleSessionTimeout="0")}, "InvalidDocumentContent", "from 1 to 60"),
        ({"Content": shell(maxSessionDuration=60)}, "InvalidDocumentContent", 'write "60"'),
        ({"Content": shell(s3KeyPrefix="a")}, "InvalidDocumentContent", "set s3BucketName"),
        ({"Content": shell(runAsDefaultUser="alice")}, "InvalidDocumentContent", "set runAsEnabled to true"),
        ({"Content": shell(shellProfile={"linux": "x" * 513})}, "InvalidDocumentContent", "512"),
        ({"Content": json.dumps({"schemaVersion": "1.0", "sessionType": "Port", "properties": {"type": "SFTP"}})}, "InvalidDocumentContent", "properties.type"),
        ({"Attachments": [{"Key": "SourceUrl", "Values": ["s3://a"]}]}, "ValidationException", "Attachments"),
        ({"Tags": [{"Key": "aws:a", "Value": "b"}]}, "ValidationException", "reserved"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(server, arguments, code, told):
    given = {"Name": "Never-Made", "Content": shell(), "DocumentType": "Session"} | arguments
    found = refused(server.client(validate=False).create_document, **given)
    assert found[0] == code and told in found[1]


def test_updates_that_make_no_sense(ssm, made):
    made("Stays", shell(), VersionName="first")
    update = ssm.update_document
    assert refused(ssm.create_document, Name="Stays", Content=shell(), DocumentType="Session")[0] == "DocumentAlreadyExists"
    assert refused(update, Name="Stays", Content=shell())[0] == "DuplicateDocumentContent"
    changed = shell(idleSessionTimeout="9")
    assert refused(update, Name="Stays", Content=changed, DocumentVersion="7")[0] == "InvalidDocumentVersion"
    assert refused(update, Name="Stays", Content=changed, VersionName="first")[0] == "DuplicateDocumentVersionName"
    assert refused(update, Name="Never-Made", Content=changed)[0] == "InvalidDocument"
    assert refused(update, Name="AWS-StartSSHSession", Content=changed)[0] == "InvalidDocument"
    assert refused(ssm.delete_document, Name="AWS-StartSSHSession")[0] == "InvalidDocument"
    default = ssm.update_document_default_version
    assert refused(default, Name="Stays", DocumentVersion="2")[0] == "InvalidDocumentVersion"
    assert ssm.describe_document(Name="Stays")["Document"]["LatestVersion"] == "1"


def test_there_is_no_other_account_to_share_with(ssm, made):
    made("Shared", shell())
    described = ssm.describe_document_permission(Name="Shared", PermissionType="Share")
    assert described["AccountIds"] == []
    modify = ssm.modify_document_permission
    for accounts in [["111122223333"], ["all"]]:
        assert refused(modify, Name="Shared", PermissionType="Share", AccountIdsToAdd=accounts)[0] == "DocumentPermissionLimit"
    modify(Name="Shared", PermissionType="Share", AccountIdsToRemove=["111122223333"])


def test_a_session_runs_the_document_in_its_default_version(server, made, lab, node, ssm):
    made("Say-Word", command("echo one {{ word }}"))
    ssm.update_document(Name="Say-Word", Content=command("echo two {{ word }}"))
    session = lab.session(node, document="Say-Word")
    session.reason()
    assert session.output.decode().split() == ["one", "hello"]
    ssm.update_document_default_version(Name="Say-Word", DocumentVersion="2")
    session = lab.session(node, document=ARN + "Say-Word", parameters={"word": ["world"]})
    session.reason()
    assert session.output.decode().split() == ["two", "world"]
    code, message = refused(ssm.start_session, Target=node.node_id, DocumentName="Say-Word", Parameters={"word": ["W; id"]})
    assert code == "InvalidParameters" and '"W; id"' in message


def test_a_running_session_outlives_its_document(made, lab, node, ssm):
    made("Short-Lived", shell(idleSessionTimeout="10", maxSessionDuration="30"))
    session = lab.session(node, document="Short-Lived")
    assert session.run("echo there") == "there\n"
    ssm.delete_document(Name="Short-Lived")
    assert session.run("echo still") == "still\n"
    [found] = ssm.describe_sessions(State="Active", Filters=[{"key": "SessionId", "value": session.id}])["Sessions"]
    assert (found["DocumentName"], found["MaxSessionDuration"]) == ("Short-Lived", "30")
    assert refused(ssm.start_session, Target=node.node_id, DocumentName="Short-Lived")[0] == "InvalidDocument"


def test_policies_name_documents(server, made, node):
    made("Allowed", shell())
    made("Other", shell())
    person = Person(
        server,
        allow("ssm:StartSession", [ANY_NODE, ARN + "Allowed"]),
        allow(["ssm:GetDocument", "ssm:UpdateDocument"], ARN + "Allowed"),
    )
    ssm = person.client()
    ssm.start_session(Target=node.node_id, DocumentName="Allowed")
    assert refused(ssm.start_session, Target=node.node_id, DocumentName="Other")[0] == "AccessDeniedException"
    ssm.update_document(Name="Allowed", Content=shell(idleSessionTimeout="9"))
    for call, arguments in [
        (ssm.update_document, {"Name": "Other", "Content": shell(idleSessionTimeout="9")}),
        (ssm.create_document, {"Name": "Third", "Content": shell(), "DocumentType": "Session"}),
        (ssm.delete_document, {"Name": "Allowed"}),
        (ssm.list_document_versions, {"Name": "Allowed"}),
        (ssm.update_document_default_version, {"Name": "Allowed", "DocumentVersion": "1"}),
        (ssm.describe_document_permission, {"Name": "Allowed", "PermissionType": "Share"}),
    ]:
        assert refused(call, **arguments)[0] == "AccessDeniedException", arguments


def test_tags_of_documents_count_now_and_while_a_session_lives(server, made, node, ssm):
    made("Tagged", shell(), Tags=[{"Key": "level", "Value": "low"}])
    low = {"StringEquals": {"ssm:resourceTag/level": "low"}}
    person = Person(server, allow("ssm:StartSession", ANY_NODE), allow("ssm:StartSession", ARN + "*", Condition=low))
    session = person.open_session(node.node_id, DocumentName="Tagged")
    assert session.run("echo there") == "there\n"
    ssm.add_tags_to_resource(ResourceType="Document", ResourceId="Tagged", Tags=[{"Key": "level", "Value": "high"}])
    assert "permission" in session.reason()
    start = person.client().start_session
    assert refused(start, Target=node.node_id, DocumentName="Tagged")[0] == "AccessDeniedException"
    tags = ssm.list_tags_for_resource(ResourceType="Document", ResourceId="Tagged")["TagList"]
    assert tags == [{"Key": "level", "Value": "high"}]
    ssm.remove_tags_from_resource(ResourceType="Document", ResourceId="Tagged", TagKeys=["level"])
    unknown = refused(ssm.list_tags_for_resource, ResourceType="Document", ResourceId="Never-Made")
    assert unknown[0] == "InvalidResourceId"


def test_whoever_sets_tags_needs_leave_for_that(server):
    document = {"Name": "With-Tags", "Content": shell(), "DocumentType": "Session", "Tags": [{"Key": "a", "Value": "b"}]}
    person = Person(server, allow("ssm:CreateDocument"))
    assert refused(person.client().create_document, **document)[0] == "AccessDeniedException"
    person.put(allow(["ssm:CreateDocument", "ssm:AddTagsToResource"]), deny("*", Condition={"StringEquals": {"aws:RequestTag/a": "c"}}))
    person.client().create_document(**document)
    server.client().delete_document(Name="With-Tags")


def test_the_aws_cli_makes_changes_and_deletes_a_document(server, tmp_path):
    person = Person(server, allow("ssm:*"))
    content = tmp_path / "document.json"
    content.write_text(shell(idleSessionTimeout="7"))

    def aws(*arguments: str) -> dict:
        done = person.aws("ssm", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "{}")

    source = ["--content", f"file://{content}"]
    aws("create-document", "--name", "By-Cli", "--document-type", "Session", *source)
    content.write_text(shell(idleSessionTimeout="8"))
    updated = aws("update-document", "--name", "By-Cli", "--document-version", "$LATEST", *source)
    assert updated["DocumentDescription"]["DocumentVersion"] == "2"
    aws("update-document-default-version", "--name", "By-Cli", "--document-version", "2")
    listed = aws("list-document-versions", "--name", "By-Cli")["DocumentVersions"]
    assert [version["DocumentVersion"] for version in listed] == ["2", "1"]
    assert json.loads(aws("get-document", "--name", "By-Cli")["Content"])["inputs"] == {"idleSessionTimeout": "8"}
    aws("delete-document", "--name", "By-Cli")
    done = person.aws("ssm", "get-document", "--name", "By-Cli")
    assert "InvalidDocument" in done.stderr


def test_changes_are_on_the_trail_with_who_made_them(server, made, ssm):
    made("On-Trail", shell())
    person = Person(server, allow("ssm:UpdateDocument"))
    person.client().update_document(Name="On-Trail", Content=shell(idleSessionTimeout="3"))

    def records():
        looked_up = server.client("cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": "On-Trail"}]
        )
        found = [json.loads(event["CloudTrailEvent"]) for event in looked_up["Events"]]
        return {record["eventName"]: record for record in found}

    changed = eventually(lambda: records().get("UpdateDocument"), "the change is on the trail")
    assert changed["userIdentity"]["userName"] == person.name
    assert changed["responseElements"]["documentDescription"]["documentVersion"] == "2"
    assert json.loads(changed["requestParameters"]["content"])["inputs"] == {"idleSessionTimeout": "3"}


def test_a_role_with_a_session_document_only(server, made, node):
    made("For-Role", command("echo role"))
    person = Person(server, allow("sts:AssumeRole"))
    role = RoleOf(person, allow("ssm:StartSession", [ANY_NODE, ARN + "For-Role"]))
    session = role.assume().open_session(node.node_id, DocumentName="For-Role")
    session.reason()
    assert session.output.decode().split() == ["role"]
