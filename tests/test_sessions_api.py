"""The session operations, as an SDK sees them."""

import datetime

import pytest
from botocore.exceptions import ClientError
from harness import channel
from harness.requests import sign, ssm_call
from harness.waiting import eventually, is_alive

NOWHERE = "mi-00000000000000000"


def code(error) -> str:
    return error.value.response["Error"]["Code"]


def test_start_session_answers_with_an_id_a_url_and_a_token(server, node, lab):
    started = channel.start(server, node.node_id)
    assert started["SessionId"].startswith("admin-")
    assert len(started["SessionId"]) <= 96
    assert started["StreamUrl"] == (
        f"wss://127.0.0.1:{server.port}/v1/data-channel/{started['SessionId']}?role=publish_subscribe"
    )
    assert 0 < len(started["TokenValue"]) <= 300


def test_a_session_is_active_then_history(session, server):
    session.run("true")
    described = session.described()
    assert described["Status"] == "Connected"
    assert described["Target"] == session.server.client().get_connection_status(Target=described["Target"])["Target"]
    assert described["Owner"].endswith(":user/admin")
    assert "EndDate" not in described
    session.type("exit\r")
    session.reason()
    ended = eventually(
        lambda: (session.described() or {}).get("Status") == "Terminated" and session.described(), "history"
    )
    assert ended["EndDate"] >= ended["StartDate"]


def test_reason_and_document_are_kept(lab, node):
    session = lab.session(node, reason="change 4711", **channel.command("Interactive", "sleep 100"))
    described = session.described()
    assert described["Reason"] == "change 4711"
    assert described["DocumentName"] == "AWS-StartInteractiveCommand"


def test_terminate_session_ends_it_for_client_and_node(session):
    child = session.run("sleep 1000 & echo $!").split()[-1]
    session.terminate()
    session.reason()
    eventually(lambda: session.described()["Status"] == "Terminated", "terminated")
    eventually(lambda: not is_alive(int(child)), "the shell's children are gone")


def test_terminating_again_or_nothing_is_no_error(session, ssm):
    session.terminate()
    session.reason()
    session.terminate()
    assert ssm.terminate_session(SessionId="admin-0a1b2c3d4e5f60718")["SessionId"] == "admin-0a1b2c3d4e5f60718"


def test_resume_gives_a_new_token_for_the_same_url(session, ssm):
    session.run("true")
    answer = ssm.resume_session(SessionId=session.id)
    assert answer["StreamUrl"] == session.url
    assert answer["TokenValue"] != session.token


def test_resume_of_an_ended_session_gives_no_token(session, ssm):
    session.terminate()
    session.reason()
    eventually(lambda: session.described()["Status"] == "Terminated", "terminated")
    assert not ssm.resume_session(SessionId=session.id).get("TokenValue")


def test_resume_of_an_unknown_session(ssm):
    with pytest.raises(ClientError) as error:
        ssm.resume_session(SessionId="admin-0a1b2c3d4e5f60718")
    assert code(error) == "DoesNotExistException"


def test_a_node_that_is_not_there_is_not_connected(ssm):
    with pytest.raises(ClientError) as error:
        ssm.start_session(Target=NOWHERE)
    assert code(error) == "TargetNotConnected"
    assert error.value.response["Error"]["Message"] == f"{NOWHERE} is not connected."
    assert ssm.get_connection_status(Target=NOWHERE)["Status"] == "notconnected"


def test_connection_status_of_a_node(ssm, node):
    answer = ssm.get_connection_status(Target=node.node_id)
    assert (answer["Target"], answer["Status"]) == (node.node_id, "connected")


@pytest.mark.parametrize(
    "document, parameters, expected",
    [
        ("No-Such-Document", {}, "InvalidDocument"),
        ("AWS-RunShellScript", {"commands": ["true"]}, "InvalidDocument"),
        ("AWS-StartInteractiveCommand", {}, "InvalidParameters"),
        ("AWS-StartInteractiveCommand", {"command": ["true"], "other": ["x"]}, "InvalidParameters"),
        ("AWS-StartPortForwardingSession", {"portNumber": ["70000"]}, "InvalidParameters"),
    ],
)
def test_documents_and_parameters_are_checked(ssm, node, document, parameters, expected):
    with pytest.raises(ClientError) as error:
        ssm.start_session(Target=node.node_id, DocumentName=document, Parameters=parameters)
    assert code(error) == expected


def test_pages_of_sessions_go_on_where_the_last_one_ended(lab, node, ssm):
    mine = {lab.session(node).id for _ in range(3)}
    pages = ssm.get_paginator("describe_sessions").paginate(State="Active", PaginationConfig={"PageSize": 1})
    seen = [session["SessionId"] for page in pages for session in page["Sessions"]]
    assert len(seen) == len(set(seen))
    assert mine <= set(seen)


def test_newest_sessions_come_first(lab, node, ssm):
    ids = [lab.session(node).id for _ in range(3)]
    listed = [session["SessionId"] for session in ssm.describe_sessions(State="Active")["Sessions"]]
    assert [each for each in listed if each in ids] == ids[::-1]


def test_filters_of_sessions(lab, node, ssm):
    session = lab.session(node, reason="filtered")
    session.run("true")
    now = datetime.datetime.now(datetime.UTC)
    hour = datetime.timedelta(hours=1)

    def found(key, value):
        listed = ssm.describe_sessions(State="Active", Filters=[{"key": key, "value": value}])["Sessions"]
        return session.id in {each["SessionId"] for each in listed}

    for key, right, wrong in [
        ("SessionId", session.id, "admin-0a1b2c3d4e5f60718"),
        ("Target", node.node_id, NOWHERE),
        ("Owner", session.described()["Owner"], "arn:aws:iam::000000000000:user/nobody"),
        ("Status", "Connected", "Disconnected"),
        ("InvokedAfter", stamp(now - hour), stamp(now + hour)),
        ("InvokedBefore", stamp(now + hour), stamp(now - hour)),
    ]:
        assert found(key, right), key
        assert not found(key, wrong), key


def stamp(time: datetime.datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    "arguments, expected",
    [
        ({"State": "Active", "NextToken": "forged"}, "InvalidNextToken"),
        ({"State": "Everything"}, "ValidationException"),
        ({"State": "Active", "MaxResults": 999}, "ValidationException"),
        ({"State": "Active", "Filters": [{"key": "Colour", "value": "red"}]}, "InvalidFilterKey ValidationException"),
        ({}, "ValidationException"),
    ],
)
def test_constraints_of_describe_sessions(server, arguments, expected):
    with pytest.raises(ClientError) as error:
        server.client(validate=False).describe_sessions(**arguments)
    assert code(error) in expected.split()


def test_a_violated_constraint_is_told_in_the_words_of_aws(server):
    with pytest.raises(ClientError) as error:
        server.client(validate=False).describe_sessions(State="Active", MaxResults=999)
    assert error.value.response["Error"]["Message"] == (
        "1 validation error detected: Value '999' at 'maxResults' failed to satisfy constraint: "
        "Member must have value less than or equal to 200"
    )


@pytest.mark.parametrize("invocation, sessions", [(None, 2), ("5b1f4f7e-8f0c-4c1c-9f5d-2b8f6d1f3c55", 1)])
def test_only_a_retry_of_the_same_call_gets_the_same_session(server, node, invocation, sessions):
    """Two calls of one second have the same signature; what an SDK sends again has the same invocation ID."""
    request = ssm_call("StartSession", {"Target": node.node_id})
    if invocation:
        request.headers["amz-sdk-invocation-id"] = invocation
    signed = sign(request, server, at=datetime.datetime.now(datetime.UTC))
    ids = {signed.send(server).json()["SessionId"] for _ in range(2)}
    for session_id in ids:
        server.client().terminate_session(SessionId=session_id)
    assert len(ids) == sessions
