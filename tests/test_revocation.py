"""Rights that are taken away end the sessions that rest on them, within two seconds and with a word why."""

import concurrent.futures
import contextlib
import json
import sqlite3
import time

import botocore.exceptions
import pytest
from harness.channel import Session
from harness.people import Person, RoleOf, allow, deny
from harness.waiting import eventually

ANY_NODE = "arn:aws:ssm:*:*:managed-instance/*"
ANY_DOCUMENT = "arn:aws:ssm:*:*:document/*"
WITHIN_S = 2


@pytest.fixture
def opened(lab, node):
    """Opens a session of somebody's that runs a shell."""

    def opened(holder, on=None) -> Session:
        session = holder.open_session((on or node).node_id)
        lab.closers.append(session.close)
        assert session.run("echo $((6 * 7))") == "42\n"
        return session

    return opened


def ends(session: Session, because: str) -> None:
    """Within two seconds of now, with a notice that names the cause."""
    started = time.monotonic()
    notice = session.reason(WITHIN_S + 3)
    took = time.monotonic() - started
    assert notice.startswith("The session was ended: the permission for it was revoked ("), notice
    assert because in notice, notice
    assert took <= WITHIN_S, f"it took {took:.2f} s"
    eventually(lambda: session.described()["Status"] == "Terminated", "its end is on record")


def goes_on(session: Session) -> None:
    time_over = time.monotonic() + WITHIN_S + 0.5
    while time.monotonic() < time_over:
        assert session.run("echo here") == "here\n"


def test_a_policy_is_changed(server, opened):
    person = Person(server, allow("ssm:StartSession"))
    session = opened(person)
    person.put(allow("ssm:DescribeSessions"))
    ends(session, "because no identity-based policy allows the ssm:StartSession action")


def test_a_deny_is_added(server, opened):
    person = Person(server, allow("ssm:StartSession"))
    session = opened(person)
    person.put(allow("ssm:StartSession"), deny("ssm:StartSession", ANY_NODE))
    ends(session, "with an explicit deny in an identity-based policy")


def test_a_managed_policy_is_detached(server, opened):
    person = Person(server)
    policy = {"UserName": person.name, "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    person.iam.attach_user_policy(**policy)
    session = opened(person)
    person.iam.detach_user_policy(**policy)
    ends(session, "because no identity-based policy allows")


def test_a_version_of_a_policy_takes_over(server, opened):
    person = Person(server)
    statements = {"Version": "2012-10-17", "Statement": [allow("ssm:StartSession")]}
    created = person.iam.create_policy(PolicyName=f"of-{person.name}", PolicyDocument=json.dumps(statements))
    arn = created["Policy"]["Arn"]
    person.iam.attach_user_policy(UserName=person.name, PolicyArn=arn)
    session = opened(person)
    statements["Statement"] = [allow("ssm:DescribeSessions")]
    person.iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(statements), SetAsDefault=True)
    ends(session, "because no identity-based policy allows")


def test_a_group_is_left(server, opened):
    person = Person(server)
    group = {"GroupName": f"of-{person.name}"}
    person.iam.create_group(**group)
    person.iam.put_group_policy(
        **group,
        PolicyName="inline",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow("ssm:StartSession")]}),
    )
    person.iam.add_user_to_group(**group, UserName=person.name)
    session = opened(person)
    person.iam.remove_user_from_group(**group, UserName=person.name)
    ends(session, "because no identity-based policy allows")


def test_a_boundary_is_set(server, opened):
    person = Person(server, allow("*"))
    session = opened(person)
    person.iam.put_user_permissions_boundary(
        UserName=person.name, PermissionsBoundary="arn:aws:iam::aws:policy/AmazonSSMReadOnlyAccess"
    )
    ends(session, "because no permissions boundary allows the ssm:StartSession action")


def test_a_key_is_switched_off(server, opened):
    person = Person(server, allow("ssm:StartSession"))
    session = opened(person)
    person.iam.update_access_key(UserName=person.name, AccessKeyId=person.key, Status="Inactive")
    ends(session, "its access key is not active any more")


def test_a_key_is_deleted_and_sessions_of_another_go_on(server, opened):
    person = Person(server, allow("ssm:StartSession"))
    session = opened(person)
    other = person.iam.create_access_key(UserName=person.name)["AccessKey"]["AccessKeyId"]
    person.iam.delete_access_key(UserName=person.name, AccessKeyId=other)
    goes_on(session)
    person.iam.delete_access_key(UserName=person.name, AccessKeyId=person.key)
    ends(session, "its access key is not active any more")


def test_a_user_is_deleted(server, opened):
    person = Person(server, allow("ssm:StartSession"))
    session = opened(person)
    person.delete()
    # What goes first is its policy, then its key: either is reason enough.
    ends(session, "")


def test_a_role_is_deleted(server, opened):
    person = Person(server, allow("sts:AssumeRole"))
    role = RoleOf(person, allow("ssm:StartSession"))
    session = opened(role.assume())
    role.delete()
    ends(session, "")


def test_the_sessions_of_a_role_are_revoked_as_in_awss_console(server, opened):
    """`AWSRevokeOlderSessions`: a deny for tokens issued before now."""
    person = Person(server, allow("sts:AssumeRole"))
    role = RoleOf(person, allow("ssm:StartSession"))
    session = opened(role.assume())
    older = {"DateLessThan": {"aws:TokenIssueTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 2))}}
    role.iam.put_role_policy(
        RoleName=role.name,
        PolicyName="AWSRevokeOlderSessions",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny("*", Condition=older)]}),
    )
    ends(session, "with an explicit deny in an identity-based policy")
    role.iam.delete_role_policy(RoleName=role.name, PolicyName="AWSRevokeOlderSessions")


def test_a_tag_of_the_node_is_changed(lab, server, opened):
    node = lab.node(server)
    resource = {"ResourceType": "ManagedInstance", "ResourceId": node.node_id}
    server.client().add_tags_to_resource(**resource, Tags=[{"Key": "team", "Value": "web"}])
    person = Person(
        server,
        allow("ssm:StartSession", ANY_NODE, Condition={"StringEquals": {"ssm:resourceTag/team": "web"}}),
        allow("ssm:StartSession", ANY_DOCUMENT),
    )
    session = opened(person, on=node)
    server.client().add_tags_to_resource(**resource, Tags=[{"Key": "other", "Value": "x"}])
    goes_on(session)
    server.client().add_tags_to_resource(**resource, Tags=[{"Key": "team", "Value": "db"}])
    ends(session, "because no identity-based policy allows")


def test_a_tag_of_the_person_is_changed(server, opened):
    condition = {"StringEquals": {"aws:PrincipalTag/team": "web"}}
    person = Person(server, allow("ssm:StartSession", Condition=condition), tags={"team": "web"})
    session = opened(person)
    person.iam.untag_user(UserName=person.name, TagKeys=["team"])
    ends(session, "because no identity-based policy allows")


def test_a_node_is_deregistered(lab, server, opened):
    node = lab.node(server)
    session = opened(Person(server, allow("ssm:StartSession")), on=node)
    started = time.monotonic()
    server.client().deregister_managed_instance(InstanceId=node.node_id)
    assert session.reason() == "The session was ended: the node was de-registered."
    assert time.monotonic() - started <= WITHIN_S


def test_what_still_allows_a_session_leaves_it_alone(server, opened):
    person = Person(server, allow("ssm:StartSession"))
    session = opened(person)
    person.put(allow(["ssm:StartSession", "ssm:DescribeSessions"]))
    Person(server, allow("*")).put(deny("*"))
    goes_on(session)


def test_leave_for_the_data_channel_is_taken_where_nobody_comes_without(lab, opened):
    """Where clients may come unsigned, whoever loses that leave can come back without it: nothing ends."""
    own = lab.server({"POSTERN_SESSIONS_ALLOW_UNSIGNED_DATA_CHANNELS": "false"}).start()
    node = lab.node(own)
    person = Person(own, allow(["ssm:StartSession", "ssmmessages:OpenDataChannel"]))
    started = person.client().start_session(Target=node.node_id)
    session = Session(own, started, headers=person.websocket_headers(started["StreamUrl"]))
    lab.closers.append(session.close)
    assert session.run("echo here") == "here\n"
    person.put(allow(["ssm:StartSession", "ssmmessages:Open*"]))
    assert session.run("echo still here") == "still here\n"
    person.put(allow("ssm:StartSession"))
    ends(session, "because no identity-based policy allows the ssmmessages:OpenDataChannel action")


def test_leave_for_the_data_channel_is_not_missed_where_others_come_without(server, opened):
    person = Person(server, allow(["ssm:StartSession", "ssmmessages:OpenDataChannel"]))
    session = opened(person)
    person.put(allow("ssm:StartSession"))
    goes_on(session)


def test_a_session_that_is_stored_after_its_right_was_looked_at_ends(lab):
    """The call was allowed; the right is gone, and all sessions were looked at, before this one is there."""
    own = lab.server().start()
    node = lab.node(own)
    person = Person(own, allow("ssm:StartSession"))
    ssm = person.client()
    with (
        contextlib.closing(sqlite3.connect(own.data / "postern.db", isolation_level=None)) as database,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        database.execute("BEGIN IMMEDIATE")
        starting = pool.submit(ssm.start_session, Target=node.node_id)
        recordings = own.data / "recordings"
        eventually(lambda: recordings.exists() and any(recordings.iterdir()), "the call is allowed and under way")
        database.execute("UPDATE access_keys SET status = 'Inactive' WHERE id = ?", [person.key])
        database.execute("UPDATE generations SET value = value + 1 WHERE name = 'identity'")
        database.execute("COMMIT")
        # Before the server, which waits for the same lock, gets its turn.
        database.execute("BEGIN IMMEDIATE")
        looked_at_by = time.monotonic() + 1.5
        eventually(lambda: time.monotonic() > looked_at_by, "the other sessions were looked at")
        database.execute("COMMIT")
        session_id = starting.result()["SessionId"]

    def over():
        of_session = [{"key": "SessionId", "value": session_id}]
        return own.client().describe_sessions(State="History", Filters=of_session)["Sessions"]

    [ended] = eventually(over, "the session ends", WITHIN_S + 1)
    assert "its access key is not active any more" in ended["Details"]


def test_a_session_that_starts_while_its_right_is_taken_away_ends(server, node):
    """Whichever comes first, and however little comes between: it is refused, or it ends."""
    person = Person(server, allow("ssm:StartSession"))
    ssm, own = person.client(), server.client()
    started = []
    for number in range(30):
        person.put(allow("ssm:StartSession"))
        with concurrent.futures.ThreadPoolExecutor() as pool:
            taking = pool.submit(take_away, person, number / 1000)
            with contextlib.suppress(botocore.exceptions.ClientError):
                started.append(ssm.start_session(Target=node.node_id)["SessionId"])
            taking.result()
    assert started, "no session was quick enough to be revoked"

    def over() -> dict[str, str]:
        pages = own.get_paginator("describe_sessions").paginate(
            State="History", Filters=[{"key": "Owner", "value": person.arn}]
        )
        return {session["SessionId"]: session["Details"] for page in pages for session in page["Sessions"]}

    eventually(lambda: set(started) <= set(over()), "every session that started ends", WITHIN_S)
    assert all("permission for it was revoked" in why for why in over().values()), over()


def take_away(person, after_s: float) -> None:
    time.sleep(after_s)
    person.put(deny("*"))


def test_a_renamed_user_keeps_its_sessions(server, opened):
    person = Person(server, allow("ssm:StartSession"))
    session = opened(person)
    person.iam.update_user(UserName=person.name, NewUserName=f"{person.name}-renamed")
    goes_on(session)


def test_what_changed_while_the_server_was_down_counts(lab, server):
    """The check at the start also ends what lost its right in the last moment of the process before."""
    own = lab.server().start()
    node = lab.node(own)
    person = Person(own, allow("ssm:StartSession"))
    session = person.open_session(node.node_id)
    lab.closers.append(session.close)
    assert session.run("echo here") == "here\n"
    own.kill()
    with sqlite3.connect(own.data / "postern.db") as database:
        database.execute("UPDATE access_keys SET status = 'Inactive' WHERE id = ?", [person.key])
    database.close()
    own.start()
    eventually(lambda: session.described()["Status"] == "Terminated", "the session ends")
    assert "its access key is not active any more" in session.described()["Details"]


def test_the_operator_may_let_sessions_outlast_their_rights(lab, opened):
    own = lab.server({"POSTERN_SESSIONS_REVOCATION": "next-start"}).start()
    node = lab.node(own)
    person = Person(own, allow("ssm:StartSession"))
    session = opened(person, on=node)
    person.put(deny("*"))
    goes_on(session)
    told = person.aws("ssm", "start-session", "--target", node.node_id)
    assert "AccessDenied" in told.stderr, "the next one does not start"


def test_among_ten_thousand_sessions(lab):
    """The other sessions are rows only: what they cost a review is the same."""
    own = lab.server().start()
    node = lab.node(own)
    person = Person(own, allow("ssm:StartSession"))
    kept = own.client().start_session(Target=node.node_id)["SessionId"]
    session = person.open_session(node.node_id)
    lab.closers.append(session.close)
    assert session.run("echo here") == "here\n"
    with sqlite3.connect(own.data / "postern.db", timeout=30) as database:
        columns = [column[1] for column in database.execute("PRAGMA table_info(sessions)")]
        rest = ", ".join(column for column in columns if column != "id")
        database.execute(
            f"""WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 10000)
                INSERT INTO sessions (id, {rest}) SELECT 'admin-' || n, {rest} FROM sessions, numbers WHERE id = ?""",
            [kept],
        )
    database.close()
    person.put(deny("*"))
    ends(session, "with an explicit deny")
    assert own.client().describe_sessions(State="Active", MaxResults=200).get("NextToken"), "the others go on"
