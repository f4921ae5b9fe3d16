"""`postern:RevokeSessions` and `postern:ExpireAuditRecords`: who may, what they do, and what the audit trail says."""

import json
import subprocess
import time

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from harness.people import Holder, Person, RoleOf, allow, deny
from harness.programs import ACCOUNT, REGION, binary
from harness.requests import Answer, credentials, postern_call, sign
from harness.terminal import Terminal
from harness.waiting import eventually

ROOT = f"arn:aws:iam::{ACCOUNT}"
TRAIL = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/postern"
WITHIN_S = 2


def call(holder, operation: str, **arguments) -> Answer:
    request = postern_call(operation, arguments)
    keys = Credentials(holder.key, holder.secret, holder.token)
    return sign(request, holder.server, "postern", keys=keys).send(holder.server)


def revoke(holder, arn: str) -> Answer:
    return call(holder, "RevokeSessions", PrincipalArn=arn)


def postern(holder, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [binary("postern"), *arguments],
        env=holder.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )


def events(server, name: str, user: str) -> list[dict]:
    """The records of an operation that a user called, the newest first."""
    attribute = {"AttributeKey": "EventName", "AttributeValue": name}
    found = server.client("cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"]
    records = [json.loads(event["CloudTrailEvent"]) for event in found]
    return [record for record in records if record["userIdentity"].get("userName") == user]


def is_refused(holder) -> bool:
    try:
        holder.client("sts").get_caller_identity()
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidClientTokenId", error
        return True
    return False


def later_credentials(of):
    """Credentials made after a revocation; those of its very second count as made before."""

    def made():
        holder = of()
        return None if is_refused(holder) else holder

    return eventually(made, "new credentials that are good")


@pytest.fixture
def opened(lab, node):
    def opened(holder):
        session = holder.open_session(node.node_id)
        lab.closers.append(session.close)
        assert session.run("echo $((6 * 7))") == "42\n"
        return session

    return opened


def test_the_sessions_of_a_role_end_and_its_later_ones_do_not(server, opened):
    person = Person(server, allow("sts:AssumeRole"))
    role = RoleOf(person, allow("ssm:StartSession"))
    officer = Person(server, allow("postern:RevokeSessions", role.arn))
    before = role.assume()
    session = opened(before)

    started = time.monotonic()
    answer = revoke(officer, role.arn)
    assert answer.status == 200, answer
    notice = session.reason(WITHIN_S + 3)
    took = time.monotonic() - started
    assert "(its temporary credentials were revoked)" in notice, notice
    assert took <= WITHIN_S, f"it took {took:.2f} s"
    assert is_refused(before)

    told = answer.json()
    assert (told["PrincipalArn"], told["PrincipalId"]) == (role.arn, role.id)
    assert abs(told["RevokedBefore"] - time.time()) < 60
    assert opened(later_credentials(role.assume)).run("echo again") == "again\n"

    [record] = events(server, "RevokeSessions", officer.name)
    assert (record["eventSource"], record["readOnly"]) == ("postern", False)
    assert record["requestParameters"] == {"principalArn": role.arn}
    assert record["responseElements"]["principalId"] == role.id
    assert [thing["ARN"] for thing in record["resources"]] == [role.arn]


def test_a_users_session_credentials_end_and_its_key_does_not(server, opened):
    person = Person(server, allow(["ssm:StartSession", "sts:GetSessionToken"]))

    def temporary():
        given = person.client("sts").get_session_token()["Credentials"]
        return Holder(server, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    by_key, by_token = opened(person), opened(temporary())
    keys = credentials(server)
    admin = Holder(server, keys.access_key, keys.secret_key)
    told = postern(admin, "revoke-sessions", "--user", person.name)
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith(f"Temporary credentials of {person.arn} from before ")
    assert "its temporary credentials were revoked" in by_token.reason(WITHIN_S + 3)
    assert by_key.run("echo here") == "here\n", "what rests on the key goes on"
    assert not is_refused(later_credentials(temporary))


def test_policies_decide_by_name_and_by_tag(server):
    target = Person(server, tags={"team": "web"})
    web = {"StringEquals": {"aws:ResourceTag/team": "web"}}
    db = {"StringEquals": {"iam:ResourceTag/team": "db"}}
    for statements, code in [
        ([], "AccessDeniedException"),
        ([allow("postern:RevokeSessions", f"{ROOT}:user/{target.name}x")], "AccessDeniedException"),
        ([allow("postern:RevokeSessions", Condition=db)], "AccessDeniedException"),
        ([allow("postern:*"), deny("postern:RevokeSessions", Condition=web)], "AccessDeniedException"),
        ([allow("postern:RevokeSessions", Condition=web)], None),
        ([allow("postern:RevokeSessions", f"{ROOT}:user/*")], None),
    ]:
        answer = revoke(Person(server, *statements), target.arn)
        assert (answer.code if answer.status != 200 else None) == code, (statements, answer)
    refused = revoke(Person(server), target.arn).json()["Message"]
    assert "is not authorized to perform: postern:RevokeSessions on resource: " + target.arn in refused
    assert refused.endswith("because no identity-based policy allows the postern:RevokeSessions action")


def test_who_is_not_there_is_told_to_those_who_may_know(server):
    officer = Person(server, allow("postern:RevokeSessions"))
    other = Person(server, allow("postern:RevokeSessions", f"{ROOT}:role/*"))
    known = Person(server)
    for arn, code in [
        (f"{ROOT}:user/nobody-of-that-name", "PrincipalNotFoundException"),
        (f"{ROOT}:role/NoSuchRole", "PrincipalNotFoundException"),
        (f"{ROOT}:user/a/path/{known.name}", "PrincipalNotFoundException"),
        (f"{ROOT}:group/admins", "InvalidPrincipalException"),
        (f"{ROOT}:user/*", "InvalidPrincipalException"),
        (f"arn:aws:iam::999999999999:user/{known.name}", "InvalidPrincipalException"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Role/session", "InvalidPrincipalException"),
        ("x" * 19, "ValidationException"),
    ]:
        assert revoke(officer, arn).code == code, arn
    assert revoke(other, f"{ROOT}:user/nobody-of-that-name").code == "AccessDeniedException"
    told = postern(officer, "revoke-sessions", "--role", "NoSuchRole")
    assert told.returncode == 1
    assert "PrincipalNotFoundException" in told.stderr and "hint: " in told.stderr


def test_recent_records_are_not_removed(server):
    person = Person(server, allow("postern:ExpireAuditRecords", TRAIL))
    wanted = {"Classes": ["read"], "OlderThanDays": 30, "Reason": "a try"}
    for dry_run in (False, True):
        assert call(person, "ExpireAuditRecords", **wanted, DryRun=dry_run).code == "RetentionTooShortException"
    told = call(person, "ExpireAuditRecords", **(wanted | {"OlderThanDays": 90}), DryRun=True).json()
    assert (told["DryRun"], told["Records"], told["Segments"], told["Files"]) == (True, 0, 0, 0)
    for wrong in [{"Reason": " "}, {"Classes": []}, {"Classes": ["all"]}, {"OlderThanDays": 0}]:
        assert call(person, "ExpireAuditRecords", **(wanted | wrong)).code == "ValidationException", wrong
    records = events(server, "ExpireAuditRecords", person.name)
    assert {record.get("errorCode") for record in records} == {"RetentionTooShortException", "ValidationException", None}


def test_policies_bound_what_may_be_removed(server):
    old = {"NumericGreaterThanEquals": {"postern:OlderThanDays": "365"}}
    reads = {"ForAllValues:StringEquals": {"postern:AuditClass": ["read", "node"]}}
    dry = {"Bool": {"postern:DryRun": "true"}}
    for condition, classes, days, dry_run, is_allowed in [
        (old, ["write"], 365, False, True),
        (old, ["write"], 364, False, False),
        (reads, ["read", "node"], 100, False, True),
        (reads, ["read", "write"], 100, False, False),
        (dry, ["write"], 100, True, True),
        (dry, ["write"], 100, False, False),
    ]:
        person = Person(server, allow("postern:ExpireAuditRecords", TRAIL, Condition=condition))
        arguments = {"Classes": classes, "OlderThanDays": days, "Reason": "a try", "DryRun": dry_run}
        answer = call(person, "ExpireAuditRecords", **arguments)
        assert (answer.status == 200) == is_allowed, (condition, arguments, answer)


def test_the_command_line_asks_or_wants_to_be_told(server):
    person = Person(server, allow("postern:ExpireAuditRecords"))
    expire = ["audit", "expire", "--class", "read", "--class", "node", "--reason", "a try"]
    told = postern(person, *expire, "--older-than", "365d", "--dry-run")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Would remove what is older than ")
    told = postern(person, *expire, "--older-than", "365d")
    assert told.returncode == 1
    assert "nobody can be asked" in told.stderr and "--yes" in told.stderr
    told = postern(person, *expire, "--older-than", "52w", "--yes", "--output", "json")
    assert (told.returncode, json.loads(told.stdout)["DryRun"]) == (0, False)
    told = postern(person, *expire, "--older-than", "1d", "--yes")
    assert told.returncode == 1
    assert "RetentionTooShortException" in told.stderr and "hint: " in told.stderr
    assert postern(person, *expire, "--older-than", "365").returncode == 2
    assert postern(person, *expire, "--yes").returncode == 2, "the age must be given"


def test_whoever_can_be_asked_is_asked(lab, server, tmp_path):
    person = Person(server, allow("postern:ExpireAuditRecords"))
    arguments = ["audit", "expire", "--class", "read", "--older-than", "365d", "--reason", "a try"]
    for answer, status, calls in [("n", 1, [True]), ("y", 0, [False, True, True])]:
        directory = tmp_path / answer
        directory.mkdir()
        terminal = Terminal(directory, [binary("postern"), *arguments], person.environment())
        lab.closers.append(terminal.close)
        terminal.shows("For ever? [y/N]")
        terminal.line(answer)
        assert terminal.status() == status
        records = events(server, "ExpireAuditRecords", person.name)
        assert [record["requestParameters"]["dryRun"] for record in records] == calls


def test_what_the_service_does_not_know(server):
    person = Person(server)
    assert call(person, "RevokeEverything").code == "UnknownOperationException"
    record = eventually(lambda: events_of_unknown(server), "its record")
    assert record["eventSource"] == "postern"


def events_of_unknown(server):
    attribute = {"AttributeKey": "EventName", "AttributeValue": "RevokeEverything"}
    found = server.client("cloudtrail").lookup_events(LookupAttributes=[attribute])["Events"]
    return json.loads(found[0]["CloudTrailEvent"]) if found else None
