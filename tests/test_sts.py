"""Temporary credentials: roles, sessions of users, MFA, and what ends them."""

import json
import subprocess
import time

import botocore.exceptions
import pytest
from harness.people import Holder, Person, RoleOf, allow, deny, document
from harness.programs import ACCOUNT, SCRIPTS, binary
from harness.terminal import Terminal
from harness.totp import STEP_S, code_at
from harness.waiting import eventually

READ_ONLY = "arn:aws:iam::aws:policy/AmazonSSMReadOnlyAccess"


def refused(call, **arguments) -> str:
    """The code and message of the error that a call ends with."""
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def holder(server, answer: dict) -> Holder:
    given = answer["Credentials"]
    return Holder(server, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def arn_of(someone: Holder) -> str:
    return someone.client("sts").get_caller_identity()["Arn"]


def trusting(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust_in(principal: str, actions="sts:AssumeRole", **more) -> dict:
    return {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions} | more


class Device:
    """A virtual MFA device of somebody's, whose clock is slow, so that a test has many codes at once."""

    def __init__(self, person: Person):
        iam = person.iam
        created = iam.create_virtual_mfa_device(VirtualMFADeviceName=person.name)["VirtualMFADevice"]
        self.serial, self.seed = created["SerialNumber"], created["Base32StringSeed"].decode()
        self.time_s = time.time() - 15 * STEP_S
        iam.enable_mfa_device(
            UserName=person.name,
            SerialNumber=self.serial,
            AuthenticationCode1=self.code(),
            AuthenticationCode2=self.code(),
        )

    def code(self) -> str:
        self.time_s += STEP_S
        return code_at(self.seed, self.time_s)

    def proof(self) -> dict[str, str]:
        return {"SerialNumber": self.serial, "TokenCode": self.code()}


@pytest.fixture
def aws_files(server, tmp_path):
    """Profiles as users write them; gives the environment in which programs find them."""

    def aws_files(person: Person, profiles: str) -> dict[str, str]:
        common = f"region = us-east-1\nendpoint_url = {server.local_url}\nca_bundle = {server.ca_file}\n"
        config = f"[profile base]\n{common}{profiles.replace('COMMON', common)}"
        (tmp_path / "config").write_text(config)
        keys = f"[base]\naws_access_key_id = {person.key}\naws_secret_access_key = {person.secret}\n"
        (tmp_path / "credentials").write_text(keys)
        kept = {
            name: value
            for name, value in person.environment().items()
            if not name.startswith("AWS_") or name in ("AWS_EC2_METADATA_DISABLED", "AWS_MAX_ATTEMPTS")
        }
        return kept | {
            "HOME": str(tmp_path),
            "PATH": f"{SCRIPTS}:{kept['PATH']}",
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        }

    return aws_files


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        arguments, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )


def test_a_role_is_assumed_by_profile(server, aws_files):
    person = Person(server)
    role = RoleOf(person, allow("ssm:DescribeInstanceInformation"))
    second = RoleOf(person, allow("ssm:DescribeInstanceInformation"))
    second.iam.update_assume_role_policy(
        RoleName=second.name,
        PolicyDocument=trusting(trust_in(role.arn, Condition={"StringEquals": {"sts:ExternalId": "tenant-7"}})),
    )
    environment = aws_files(
        person,
        f"[profile first]\nCOMMONrole_arn = {role.arn}\nsource_profile = base\nrole_session_name = work\n"
        f"[profile second]\nCOMMONrole_arn = {second.arn}\nsource_profile = first\nexternal_id = tenant-7\n"
        f"duration_seconds = 900\nrole_session_name = further\n"
        f"[profile stranger]\nCOMMONrole_arn = {second.arn}\nsource_profile = first\n",
    )
    for profile, name in (("first", f"{role.name}/work"), ("second", f"{second.name}/further")):
        done = run(environment, "aws", "sts", "get-caller-identity", "--profile", profile)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["Arn"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}"
        done = run(environment, binary("postern"), "nodes", "list", "--profile", profile)
        assert done.returncode == 0, done.stderr
    for arguments in (["aws", "sts", "get-caller-identity"], [binary("postern"), "nodes", "list"]):
        done = run(environment, *arguments, "--profile", "stranger")
        assert done.returncode != 0 and "AccessDenied" in done.stderr, done.stderr
        assert "sts:AssumeRole" in done.stderr, done.stderr


@pytest.mark.timeout(120)
def test_the_terminal_is_asked_for_an_mfa_code(server, aws_files, tmp_path):
    person = Person(server)
    device = Device(person)
    role = RoleOf(person, allow("ssm:DescribeInstanceInformation"))
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    role.iam.update_assume_role_policy(
        RoleName=role.name, PolicyDocument=trusting(trust_in(person.arn, Condition=mfa))
    )
    environment = aws_files(
        person, f"[profile ops]\nCOMMONrole_arn = {role.arn}\nsource_profile = base\nmfa_serial = {device.serial}\n"
    )
    terminal = Terminal(tmp_path, [binary("postern"), "nodes", "list", "--profile", "ops"], environment)
    try:
        terminal.shows("Enter MFA code for")
        terminal.line(device.code())
        assert terminal.status() == 0, terminal.screen()
    finally:
        terminal.close()


def test_who_may_take_on_a_role(server):
    person, stranger = Person(server), Person(server)
    role = RoleOf(person, allow("ssm:DescribeSessions"))
    # Named in the trust policy: no policy of the person's own is needed.
    assert arn_of(role.assume()) == f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.name}/work"
    assume = {"RoleArn": role.arn, "RoleSessionName": "work"}
    message = refused(stranger.client("sts").assume_role, **assume)
    assert message.startswith(f"AccessDenied: User: {stranger.arn} is not authorized to perform: sts:AssumeRole on")
    # Neither does a permission of one's own suffice.
    stranger.put(allow("sts:AssumeRole"))
    assert refused(stranger.client("sts").assume_role, **assume).startswith("AccessDenied")
    # The account in the trust policy delegates: the permission decides.
    role.iam.update_assume_role_policy(
        RoleName=role.name, PolicyDocument=trusting(trust_in(f"arn:aws:iam::{ACCOUNT}:root"))
    )
    stranger.client("sts").assume_role(**assume)
    assert refused(person.client("sts").assume_role, **assume).startswith("AccessDenied")
    person.put(allow("sts:AssumeRole"), deny("sts:AssumeRole", role.arn))
    assert "explicit deny" in refused(person.client("sts").assume_role, **assume)
    # What does not exist is not told from what is forbidden.
    missing = refused(stranger.client("sts").assume_role, **assume | {"RoleArn": f"{role.arn}x"})
    assert missing.startswith(f"AccessDenied: User: {stranger.arn} is not authorized to perform: sts:AssumeRole on")
    other_path = role.arn.replace(":role/", ":role/ops/")
    assert refused(stranger.client("sts").assume_role, **assume | {"RoleArn": other_path}).startswith("AccessDenied")


def test_an_answer_says_all_of_the_session(server):
    person = Person(server)
    role = RoleOf(person, allow("ssm:DescribeSessions"))
    answer = person.client("sts").assume_role(RoleArn=role.arn, RoleSessionName="a.b", MinimumSessionTokenSize=3000)
    assert answer["AssumedRoleUser"] == {
        "AssumedRoleId": f"{role.id}:a.b",
        "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role.name}/a.b",
    }
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    assert 3500 < answer["Credentials"]["Expiration"].timestamp() - time.time() < 3610
    token = answer["Credentials"]["SessionToken"]
    assert answer["SessionTokenSize"] == len(token) and len(token) >= 3000
    assert 0 < answer["SessionTokenUtilization"] <= 100
    identity = holder(server, answer).client("sts").get_caller_identity()
    assert identity["UserId"] == f"{role.id}:a.b" and identity["Account"] == ACCOUNT


def test_an_external_id(server):
    person = Person(server)
    role = RoleOf(person, allow("ssm:DescribeSessions"))
    role.iam.update_assume_role_policy(
        RoleName=role.name,
        PolicyDocument=trusting(trust_in(person.arn, Condition={"StringEquals": {"sts:ExternalId": "tenant-7"}})),
    )
    role.assume(ExternalId="tenant-7")
    for wrong in ({}, {"ExternalId": "tenant-8"}):
        assert refused(role.assume, **wrong).startswith("AccessDenied")


def test_durations(server):
    person = Person(server)
    role = RoleOf(person, allow("sts:AssumeRole"))
    too_long = refused(role.assume, DurationSeconds=3601)
    assert too_long == (
        "ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    )
    role.iam.update_role(RoleName=role.name, MaxSessionDuration=7200)
    first = role.assume(DurationSeconds=7200)
    role.iam.update_assume_role_policy(
        RoleName=role.name, PolicyDocument=trusting(trust_in(person.arn), trust_in(role.arn))
    )
    chain = {"RoleArn": role.arn, "RoleSessionName": "work"}
    first.client("sts").assume_role(**chain, DurationSeconds=3600)
    message = refused(first.client("sts").assume_role, **chain, DurationSeconds=3601)
    assert "1 hour session limit for roles assumed by role chaining" in message


def test_session_policies_limit_a_session(server):
    person = Person(server)
    role = RoleOf(person, allow("ssm:*"))
    inline = document(allow("ssm:DescribeSessions"))

    def may(session: Holder, call: str, **arguments) -> bool:
        try:
            getattr(session.client(), call)(**arguments)
        except botocore.exceptions.ClientError as error:
            assert "session policy" in str(error), error
            return False
        return True

    for limits, sessions, activations in (
        ({}, True, True),
        ({"Policy": inline}, True, False),
        ({"PolicyArns": [{"arn": READ_ONLY}]}, True, True),
        ({"Policy": document(deny("ssm:DescribeActivations")), "PolicyArns": [{"arn": READ_ONLY}]}, True, None),
    ):
        session = role.assume(**limits)
        assert may(session, "describe_sessions", State="Active") == sessions, limits
        if activations is None:
            assert refused(session.client().describe_activations).endswith("deny in a session policy")
        else:
            assert may(session, "describe_activations") == activations, limits
    # A session policy gives nothing that the role does not have.
    assert refused(role.assume(Policy=document(allow("*"))).client("iam").list_users).startswith("AccessDenied")


def test_session_policies_that_are_no_policies(server):
    role = RoleOf(Person(server), allow("ssm:*"))
    for policy in ("{", "{}", '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:b"}]}'):
        assert refused(role.assume, Policy=policy).startswith("MalformedPolicyDocument"), policy
    long = document(allow("ssm:" + "x" * 2048))
    assert "2048 characters" in refused(role.assume, Policy=long)
    missing = [{"arn": f"arn:aws:iam::{ACCOUNT}:policy/missing"}]
    assert "does not exist" in refused(role.assume, PolicyArns=missing)
    # A policy that goes away afterwards takes the session's permissions with it.
    made = role.iam.create_policy(PolicyName=f"for-{role.name}", PolicyDocument=document(allow("ssm:*")))["Policy"]
    session = role.assume(PolicyArns=[{"arn": made["Arn"]}])
    session.client().describe_activations()
    role.iam.delete_policy(PolicyArn=made["Arn"])
    assert refused(session.client().describe_activations).startswith("AccessDenied")


def test_session_tags(server):
    person = Person(server)
    only_ops = {"StringEquals": {"aws:PrincipalTag/Team": "ops"}}
    role = RoleOf(person, allow("ssm:DescribeActivations", Condition=only_ops), allow("sts:*"))
    second = RoleOf(person, allow("ssm:DescribeActivations", Condition=only_ops))
    tags = [{"Key": "Team", "Value": "ops"}, {"Key": "Cost", "Value": "7"}]
    # Tags are a permission of their own, in the trust policy, too.
    assert "sts:TagSession" in refused(role.assume, Tags=tags)
    both = ["sts:AssumeRole", "sts:TagSession"]
    role.iam.update_assume_role_policy(
        RoleName=role.name,
        PolicyDocument=trusting(
            trust_in(person.arn, both, Condition={"StringNotEqualsIfExists": {"aws:RequestTag/Cost": "8"}})
        ),
    )
    second.iam.update_assume_role_policy(RoleName=second.name, PolicyDocument=trusting(trust_in(role.arn)))
    first = role.assume(Tags=tags, TransitiveTagKeys=["Team"])
    first.client().describe_activations()
    assert refused(role.assume().client().describe_activations).startswith("AccessDeniedException")
    assert refused(role.assume, Tags=[{"Key": "Cost", "Value": "8"}]).startswith("AccessDenied")
    # The next role of the chain has to agree to what it inherits.
    chain = {"RoleArn": second.arn, "RoleSessionName": "work"}
    assert "sts:TagSession" in refused(first.client("sts").assume_role, **chain)
    second.iam.update_assume_role_policy(RoleName=second.name, PolicyDocument=trusting(trust_in(role.arn, both)))
    holder(server, first.client("sts").assume_role(**chain)).client().describe_activations()
    again = refused(first.client("sts").assume_role, **chain, Tags=[{"Key": "team", "Value": "dev"}])
    assert "conflicts with a transitive tag key" in again
    assert "case insensitive" in refused(role.assume, Tags=[*tags, {"Key": "TEAM", "Value": "x"}])
    assert "must be included" in refused(role.assume, Tags=tags, TransitiveTagKeys=["Stage"])


def test_too_many_tags_for_a_token(server):
    person = Person(server)
    role = RoleOf(person, allow("ssm:*"))
    both = ["sts:AssumeRole", "sts:TagSession"]
    role.iam.update_assume_role_policy(RoleName=role.name, PolicyDocument=trusting(trust_in(person.arn, both)))
    tags = [{"Key": f"{number:0128}", "Value": "v" * 256} for number in range(50)]
    message = refused(role.assume, Tags=tags)
    assert message.startswith("PackedPolicyTooLarge") and "8192 bytes" in message, message


def test_a_source_identity_stays(server):
    person = Person(server)
    both = ["sts:AssumeRole", "sts:SetSourceIdentity"]
    only_alice = {"StringEquals": {"aws:SourceIdentity": "alice"}}
    role = RoleOf(person, allow("ssm:DescribeActivations", Condition=only_alice), allow("sts:*"))
    assert "sts:SetSourceIdentity" in refused(role.assume, SourceIdentity="alice")
    role.iam.update_assume_role_policy(
        RoleName=role.name, PolicyDocument=trusting(trust_in(person.arn, both), trust_in(role.arn, both))
    )
    first = role.assume(SourceIdentity="alice")
    first.client().describe_activations()
    assert refused(role.assume(SourceIdentity="bob").client().describe_activations).startswith("AccessDenied")
    chain = {"RoleArn": role.arn, "RoleSessionName": "work"}
    answer = first.client("sts").assume_role(**chain)
    assert answer["SourceIdentity"] == "alice"
    holder(server, answer).client().describe_activations()
    assert refused(first.client("sts").assume_role, **chain, SourceIdentity="bob").startswith("AccessDenied")


def test_a_session_cannot_take_the_name_of_somebody_else(server):
    alice, bob = Person(server), Person(server, name="person-x")
    role = RoleOf(alice, allow("ssm:*"))
    for name in (alice.name, f"{alice.name}-work", "nobody", "nobody-in-particular"):
        role.assume(name)
    for name in (bob.name, f"{bob.name}-1"):
        message = refused(role.assume, session_name=name)
        assert message.startswith("ValidationError") and bob.name in message, message


def test_a_user_gets_session_credentials(server):
    person = Person(server, allow(["ssm:DescribeSessions", "iam:ListUsers", "sts:*"]))
    answer = person.client("sts").get_session_token()
    assert 43000 < answer["Credentials"]["Expiration"].timestamp() - time.time() < 43210
    session = holder(server, answer)
    assert arn_of(session) == person.arn
    session.client().describe_sessions(State="Active")
    # Not, whatever policies say:
    assert refused(session.client("iam").list_users).startswith("AccessDenied")
    assert refused(session.client("sts").get_session_token).startswith("AccessDenied")
    # But roles can be taken on.
    role = RoleOf(person, allow("ssm:DescribeSessions"))
    session.client("sts").assume_role(RoleArn=role.arn, RoleSessionName="work")
    assert refused(role.assume().client("sts").get_session_token).startswith("AccessDenied")


def test_mfa_codes(server):
    only_with_mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    person = Person(server, allow(["ssm:DescribeSessions", "iam:ListUsers"], Condition=only_with_mfa))
    other = Person(server)
    device, others = Device(person), Device(other)
    sts = person.client("sts")
    assert refused(person.client().describe_sessions, State="Active").startswith("AccessDenied")
    assert refused(holder(server, sts.get_session_token()).client().describe_sessions, State="Active")
    proof = device.proof()
    session = holder(server, sts.get_session_token(**proof))
    session.client().describe_sessions(State="Active")
    session.client("iam").list_users()
    # A code works once, and only the own device's.
    assert "invalid MFA one time pass code" in refused(sts.get_session_token, **proof)
    assert "associated with this user" in refused(sts.get_session_token, **others.proof())
    assert "associated with this user" in refused(sts.get_session_token, **proof | {"SerialNumber": device.serial + "x"})
    assert "must provide both" in refused(sts.get_session_token, SerialNumber=device.serial)
    # A role can demand it, of the request or of the credentials that ask.
    role = RoleOf(person, allow("ssm:DescribeSessions", Condition=only_with_mfa))
    role.iam.update_assume_role_policy(
        RoleName=role.name, PolicyDocument=trusting(trust_in(person.arn, Condition=only_with_mfa))
    )
    assert refused(role.assume).startswith("AccessDenied")
    role.assume(**device.proof()).client().describe_sessions(State="Active")
    by_session = session.client("sts").assume_role(RoleArn=role.arn, RoleSessionName="work")
    holder(server, by_session).client().describe_sessions(State="Active")


def test_guessing_mfa_codes_ends(server):
    person = Person(server)
    device = Device(person)
    sts = person.client("sts")
    guesses = [refused(sts.get_session_token, SerialNumber=device.serial, TokenCode="000000") for _ in range(12)]
    assert "invalid MFA one time pass code" in guesses[0]
    assert "too many invalid codes" in guesses[-1]
    # The right one does not help any more; another's device is not concerned.
    assert "too many invalid codes" in refused(sts.get_session_token, **device.proof())
    other = Person(server)
    other.client("sts").get_session_token(**Device(other).proof())


def test_credentials_end_with_what_they_were_made_of(server):
    person = Person(server, allow("ssm:DescribeSessions"))
    session = holder(server, person.client("sts").get_session_token())
    role = RoleOf(person, allow("ssm:DescribeSessions"))
    of_role = role.assume()

    def works(someone: Holder) -> bool:
        try:
            return arn_of(someone) != ""
        except botocore.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] == "InvalidClientTokenId", error
            return False

    assert works(session) and works(of_role)
    # With the key that asked for it; a role's session does not depend on that key.
    person.iam.update_access_key(UserName=person.name, AccessKeyId=person.key, Status="Inactive")
    assert not works(session) and not works(person) and works(of_role)
    person.iam.update_access_key(UserName=person.name, AccessKeyId=person.key, Status="Active")
    assert works(session)
    # With the user, who does not come back under the same name.
    person.delete()
    assert not works(session)
    again = Person(server, allow("ssm:DescribeSessions"), name=person.name)
    assert not works(session) and works(again)
    # The role's trust policy names a user who is gone: its sessions go on, as on AWS, until the role goes.
    assert works(of_role)
    role.delete()
    assert not works(of_role)
    RoleOf.__init__(role, again, allow("ssm:DescribeSessions"))
    assert not works(of_role)


def test_sessions_older_than_a_time_can_be_denied(server):
    person = Person(server)
    role = RoleOf(person, allow("ssm:DescribeSessions"))
    session = role.assume()
    session.client().describe_sessions(State="Active")
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
    revoke = document(deny("*", Condition={"DateLessThan": {"aws:TokenIssueTime": later}}))
    role.iam.put_role_policy(RoleName=role.name, PolicyName="AWSRevokeOlderSessions", PolicyDocument=revoke)
    assert "explicit deny" in refused(session.client().describe_sessions, State="Active")


def test_an_altered_token(server):
    session = RoleOf(Person(server), allow("ssm:DescribeSessions")).assume()
    for position in (0, 10, 30, len(session.token) // 2, len(session.token) - 5):
        letter = "B" if session.token[position] != "B" else "C"
        altered = session.token[:position] + letter + session.token[position + 1 :]
        someone = Holder(server, session.key, session.secret, altered)
        assert refused(someone.client("sts").get_caller_identity).startswith("InvalidClientTokenId"), position
    other = RoleOf(Person(server), allow("ssm:*")).assume()
    for key, secret, token in (
        (session.key, session.secret, other.token),
        (other.key, session.secret, other.token),
        (session.key, session.secret, None),
    ):
        message = refused(Holder(server, key, secret, token).client("sts").get_caller_identity)
        assert message.startswith(("InvalidClientTokenId", "SignatureDoesNotMatch")), message


def test_token_holders_open_sessions(server, node, lab):
    """Session credentials of users and of roles work wherever long-term keys do."""
    person = Person(server, allow(["ssm:StartSession", "ssm:TerminateSession", "ssmmessages:OpenDataChannel"]))
    role = RoleOf(person, allow(["ssm:StartSession", "ssmmessages:OpenDataChannel"]))
    for someone in (holder(server, person.client("sts").get_session_token()), role.assume("work")):
        session = someone.open_session(node.node_id)
        lab.closers.append(session.close)
        assert session.run("echo $((6 * 7))") == "42\n"


def test_the_last_use_of_keys_and_roles_is_known(server):
    person = Person(server)
    role = RoleOf(person, allow("ssm:DescribeSessions"))
    role.assume().client().describe_sessions(State="Active")

    def known():
        used = person.iam.get_access_key_last_used(AccessKeyId=person.key)["AccessKeyLastUsed"]
        assert used["ServiceName"] == "sts" and time.time() - used["LastUsedDate"].timestamp() < 60, used
        return "LastUsedDate" in person.iam.get_role(RoleName=role.name)["Role"]["RoleLastUsed"]

    eventually(known, "the last use is written down", 30)
