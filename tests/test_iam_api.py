"""Identities and their policies through the IAM API, as boto3 and the AWS CLI use it."""

import base64
import itertools
import json
import re
import subprocess
import time
import urllib.parse
import uuid

import pytest
from botocore.exceptions import ClientError
from harness.programs import ACCOUNT, SCRIPTS
from harness.totp import STEP_S, code_at

ALLOW_SESSIONS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "*"}],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ssm.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
READ_ONLY = "arn:aws:iam::aws:policy/AmazonSSMReadOnlyAccess"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

numbers = itertools.count(1)


@pytest.fixture
def iam(server):
    return server.client("iam")


@pytest.fixture
def name():
    """A name that nothing else has; no part of it before a hyphen is another's."""
    return f"n{next(numbers)}x{uuid.uuid4().hex[:8]}"


@pytest.fixture
def user(iam, name):
    iam.create_user(UserName=name)
    return name


@pytest.fixture
def role(iam, name):
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    return name


@pytest.fixture
def group(iam, name):
    iam.create_group(GroupName=name)
    return name


@pytest.fixture
def policy(iam, name):
    return iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(ALLOW_SESSIONS))["Policy"]["Arn"]


def refused(code: str, text: str = "", status: int | None = None):
    """The call in the block is refused with this code, and the words say why."""
    return Refused(code, text, status)


class Refused:
    def __init__(self, code, text, status):
        self.code, self.text, self.status = code, text, status
        self.raises = pytest.raises(ClientError)

    def __enter__(self):
        self.error = self.raises.__enter__()

    def __exit__(self, *exception):
        suppressed = self.raises.__exit__(*exception)
        response = self.error.value.response
        assert response["Error"]["Code"] == self.code, response
        assert self.text in response["Error"]["Message"], response
        if self.status:
            assert response["ResponseMetadata"]["HTTPStatusCode"] == self.status
        return suppressed


def tags(**pairs):
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def pages(client, operation, result, **arguments):
    """All items, read one a page."""
    found = []
    for page in client.get_paginator(operation).paginate(PaginationConfig={"PageSize": 1}, **arguments):
        assert len(page[result]) <= 1
        found += page[result]
    return found


class TestUsers:
    def test_what_is_created_is_read_back(self, iam, name):
        created = iam.create_user(
            UserName=name, Path="/team/web/", Tags=tags(env="test", team="ops"), PermissionsBoundary=READ_ONLY
        )["User"]
        assert created["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/team/web/{name}"
        assert re.fullmatch("AIDA[A-Z2-7]{17}", created["UserId"])
        assert created["CreateDate"].microsecond == 0
        read = iam.get_user(UserName=name)["User"]
        assert read == created
        assert read["PermissionsBoundary"]["PermissionsBoundaryArn"] == READ_ONLY
        assert read["Tags"] == tags(env="test", team="ops")
        listed = [found for found in iam.list_users(PathPrefix="/team/")["Users"] if found["UserName"] == name]
        assert "Tags" not in listed[0] and listed[0]["UserId"] == created["UserId"]

    def test_without_a_name_it_is_the_caller(self, iam):
        assert iam.get_user()["User"]["UserName"] == "admin"
        assert any(key["Status"] == "Active" for key in iam.list_access_keys()["AccessKeyMetadata"])

    def test_a_name_is_taken_whatever_its_case(self, iam, user):
        with refused("EntityAlreadyExists", f"User with name {user.upper()} already exists.", 409):
            iam.create_user(UserName=user.upper())
        with refused("NoSuchEntity", "The user with name nobody-x cannot be found.", 404):
            iam.get_user(UserName="nobody-x")

    def test_names_that_sessions_would_confuse_are_refused(self, iam, user):
        with refused("InvalidInput", "up to a hyphen", 400):
            iam.create_user(UserName=f"{user}-ce")
        iam.create_user(UserName=f"{user}.ce")

    def test_a_user_is_renamed_and_moved(self, iam, user):
        before = iam.get_user(UserName=user)["User"]
        iam.update_user(UserName=user, NewUserName=f"{user}y", NewPath="/moved/")
        after = iam.get_user(UserName=f"{user}y")["User"]
        assert after["Arn"].endswith(f":user/moved/{user}y") and after["UserId"] == before["UserId"]
        with refused("NoSuchEntity"):
            iam.get_user(UserName=user)

    def test_nothing_is_left_behind(self, iam, user, group):
        iam.add_user_to_group(GroupName=group, UserName=user)
        iam.attach_user_policy(UserName=user, PolicyArn=READ_ONLY)
        iam.put_user_policy(UserName=user, PolicyName="inline", PolicyDocument=json.dumps(ALLOW_SESSIONS))
        key = iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"]
        iam.create_login_profile(UserName=user, Password="correct Horse 7")
        steps = {
            "must detach all policies first": lambda: iam.detach_user_policy(UserName=user, PolicyArn=READ_ONLY),
            "must delete policies first": lambda: iam.delete_user_policy(UserName=user, PolicyName="inline"),
            "must delete access keys first": lambda: iam.delete_access_key(UserName=user, AccessKeyId=key),
            "must delete login profile first": lambda: iam.delete_login_profile(UserName=user),
            "must remove users from group first": lambda: iam.remove_user_from_group(GroupName=group, UserName=user),
        }
        for _ in range(len(steps)):
            with pytest.raises(ClientError) as error:
                iam.delete_user(UserName=user)
            response = error.value.response
            assert response["Error"]["Code"] == "DeleteConflict"
            assert response["ResponseMetadata"]["HTTPStatusCode"] == 409
            reason = next(text for text in steps if text in response["Error"]["Message"])
            steps.pop(reason)()
        assert not steps
        iam.delete_user(UserName=user)
        with refused("NoSuchEntity"):
            iam.get_user(UserName=user)

    def test_a_listing_is_read_in_pages(self, iam, name):
        path = f"/{name}/"
        names = [f"{name}{letter}" for letter in "edcba"]
        for each in names:
            iam.create_user(UserName=each, Path=path)
        found = pages(iam, "list_users", "Users", PathPrefix=path)
        assert [user["UserName"] for user in found] == sorted(names)
        first = iam.list_users(PathPrefix=path, MaxItems=2)
        assert first["IsTruncated"] and len(first["Users"]) == 2
        with refused("ValidationError", "Marker"):
            iam.list_users(PathPrefix="/", Marker=first["Marker"])
        with refused("ValidationError", "Marker"):
            iam.list_users(PathPrefix=path, Marker="forged")


class TestAccessKeys:
    def test_a_key_works_until_it_is_deactivated(self, iam, server, user):
        key = iam.create_access_key(UserName=user)["AccessKey"]
        assert key["AccessKeyId"].startswith("AKIA") and len(key["SecretAccessKey"]) == 40
        assert iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])["AccessKeyLastUsed"]["Region"] == "N/A"
        sts = server.client(
            "sts",
            session=None,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )
        assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{user}"
        iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Inactive")
        assert [k["Status"] for k in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]] == ["Inactive"]
        with refused("InvalidClientTokenId", status=403):
            sts.get_caller_identity()
        iam.update_access_key(UserName=user, AccessKeyId=key["AccessKeyId"], Status="Active")
        sts.get_caller_identity()
        iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
        with refused("InvalidClientTokenId"):
            sts.get_caller_identity()

    def test_two_at_most_and_only_ones_own(self, iam, user):
        keys = [iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"] for _ in range(2)]
        with refused("LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2", 409):
            iam.create_access_key(UserName=user)
        found = pages(iam, "list_access_keys", "AccessKeyMetadata", UserName=user)
        assert sorted(key["AccessKeyId"] for key in found) == sorted(keys)
        with refused("NoSuchEntity", keys[0]):
            iam.delete_access_key(UserName="admin", AccessKeyId=keys[0])
        with refused("NoSuchEntity", "The Access Key with id AKIAAAAAAAAAAAAAAAAA cannot be found."):
            iam.update_access_key(UserName=user, AccessKeyId="AKIAAAAAAAAAAAAAAAAA", Status="Active")

    def test_what_is_created_is_read_back(self, iam, user):
        created = iam.create_access_key(UserName=user)["AccessKey"]
        [read] = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        assert read == {name: value for name, value in created.items() if name != "SecretAccessKey"}
        assert (read["UserName"], read["Status"]) == (user, "Active") and read["CreateDate"].microsecond == 0


class TestPasswords:
    def test_a_login_profile_comes_and_goes(self, iam, user):
        created = iam.create_login_profile(UserName=user, Password="correct Horse 7", PasswordResetRequired=True)
        assert created["LoginProfile"]["PasswordResetRequired"] is True
        assert iam.get_login_profile(UserName=user)["LoginProfile"] == created["LoginProfile"]
        with refused("EntityAlreadyExists", f"Login Profile for user {user} already exists."):
            iam.create_login_profile(UserName=user, Password="correct Horse 7")
        iam.update_login_profile(UserName=user, PasswordResetRequired=False)
        assert iam.get_login_profile(UserName=user)["LoginProfile"]["PasswordResetRequired"] is False
        iam.delete_login_profile(UserName=user)
        with refused("NoSuchEntity", f"Login Profile for User {user} cannot be found."):
            iam.get_login_profile(UserName=user)

    @pytest.mark.parametrize("password", ["Sh0rt!", "alllowercase", "lowercase1"])
    def test_easily_guessed_ones_are_refused(self, iam, user, password):
        with refused("PasswordPolicyViolation", "Password should", 400):
            iam.create_login_profile(UserName=user, Password=password)

    def test_changing_the_own_password_takes_the_old_one(self, lab):
        server = lab.server().start()
        iam = server.client("iam")
        with refused("AccessDenied", "The old password was incorrect."):
            iam.change_password(OldPassword="not there yet 1A", NewPassword="correct Horse 8")
        iam.create_login_profile(Password="correct Horse 7", UserName="admin")
        with refused("AccessDenied", "The old password was incorrect."):
            iam.change_password(OldPassword="correct Horse 6", NewPassword="correct Horse 8")
        iam.change_password(OldPassword="correct Horse 7", NewPassword="correct Horse 8")
        iam.change_password(OldPassword="correct Horse 8", NewPassword="correct Horse 9")
        for number in range(12):
            with pytest.raises(ClientError) as error:
                iam.change_password(OldPassword=f"guess {number}Aa", NewPassword="correct Horse 0")
        assert error.value.response["Error"]["Code"] == "LimitExceeded"


class TestGroups:
    def test_what_is_created_is_read_back(self, iam, name):
        created = iam.create_group(GroupName=name, Path="/team/web/")["Group"]
        read = iam.get_group(GroupName=name)
        assert (read["Group"], read["Users"], read["IsTruncated"]) == (created, [], False)
        assert read["Group"]["Path"] == "/team/web/" and read["Group"]["CreateDate"].microsecond == 0
        iam.update_group(GroupName=name, NewPath="/moved/")
        moved = iam.get_group(GroupName=name)["Group"]
        arn = f"arn:aws:iam::{ACCOUNT}:group/moved/{name}"
        assert moved == created | {"Path": "/moved/", "Arn": arn}

    def test_members_come_and_go(self, iam, user, name):
        created = iam.create_group(GroupName=f"{name}g", Path="/team/")["Group"]
        assert created["Arn"] == f"arn:aws:iam::{ACCOUNT}:group/team/{name}g" and created["GroupId"][:4] == "AGPA"
        iam.add_user_to_group(GroupName=f"{name}g", UserName=user)
        iam.add_user_to_group(GroupName=f"{name}g", UserName=user)
        read = iam.get_group(GroupName=f"{name}g")
        assert read["Group"] == created and [member["UserName"] for member in read["Users"]] == [user]
        assert iam.list_groups_for_user(UserName=user)["Groups"] == [created]
        assert created in iam.list_groups(PathPrefix="/team/")["Groups"]
        with refused("DeleteConflict", "must remove users from group first"):
            iam.delete_group(GroupName=f"{name}g")
        iam.remove_user_from_group(GroupName=f"{name}g", UserName=user)
        iam.update_group(GroupName=f"{name}g", NewGroupName=f"{name}h")
        assert iam.get_group(GroupName=f"{name}h")["Users"] == []
        iam.delete_group(GroupName=f"{name}h")
        with refused("NoSuchEntity", f"The group with name {name}h cannot be found."):
            iam.get_group(GroupName=f"{name}h")

    def test_a_user_is_in_ten_at_most(self, iam, user, name):
        for number in range(10):
            iam.create_group(GroupName=f"{name}-{number}")
            iam.add_user_to_group(GroupName=f"{name}-{number}", UserName=user)
        iam.create_group(GroupName=f"{name}-more")
        with refused("LimitExceeded", "Cannot exceed quota for GroupsPerUser: 10", 409):
            iam.add_user_to_group(GroupName=f"{name}-more", UserName=user)
        assert len(pages(iam, "list_groups_for_user", "Groups", UserName=user)) == 10


class TestRoles:
    def test_what_is_created_is_read_back(self, iam, name):
        created = iam.create_role(
            RoleName=name,
            Path="/ops/",
            AssumeRolePolicyDocument=json.dumps(TRUST),
            Description="for nodes",
            MaxSessionDuration=7200,
            PermissionsBoundary=READ_ONLY,
            Tags=tags(env="test"),
        )["Role"]
        read = iam.get_role(RoleName=name)["Role"]
        assert read.pop("RoleLastUsed") == {}
        assert read == created
        assert read["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/ops/{name}" and read["RoleId"].startswith("AROA")
        assert read["AssumeRolePolicyDocument"] == TRUST
        assert (read["Description"], read["MaxSessionDuration"]) == ("for nodes", 7200)
        assert read["PermissionsBoundary"]["PermissionsBoundaryArn"] == READ_ONLY
        listed = [found for found in iam.list_roles(PathPrefix="/ops/")["Roles"] if found["RoleName"] == name]
        assert listed[0]["AssumeRolePolicyDocument"] == TRUST and "Tags" not in listed[0]

    def test_a_role_is_changed(self, iam, role):
        iam.update_role(RoleName=role, Description="changed", MaxSessionDuration=43200)
        shown = iam.update_role_description(RoleName=role, Description="again")["Role"]
        assert (shown["Description"], shown["MaxSessionDuration"]) == ("again", 43200)
        other = {"Version": "2012-10-17", "Statement": [TRUST["Statement"][0] | {"Effect": "Deny"}]}
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(other))
        assert iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"] == other
        with refused("MalformedPolicyDocument", "Principal or NotPrincipal is missing"):
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(ALLOW_SESSIONS))

    def test_a_role_in_use_is_not_deleted(self, iam, role):
        iam.create_instance_profile(InstanceProfileName=role)
        iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
        iam.attach_role_policy(RoleName=role, PolicyArn=READ_ONLY)
        with refused("DeleteConflict", status=409):
            iam.delete_role(RoleName=role)
        iam.detach_role_policy(RoleName=role, PolicyArn=READ_ONLY)
        with refused("DeleteConflict", "must remove roles from instance profile first"):
            iam.delete_role(RoleName=role)
        iam.remove_role_from_instance_profile(InstanceProfileName=role, RoleName=role)
        iam.delete_role(RoleName=role)
        with refused("NoSuchEntity", f"The role with name {role} cannot be found.", 404):
            iam.get_role(RoleName=role)

    def test_it_trusts_only_whom_there_is_and_not_who_comes_after(self, iam, user, role):
        def trusting(principal):
            statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
            return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

        def trusted():
            document = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
            return document["Statement"][0]["Principal"]["AWS"]

        created = iam.get_user(UserName=user)["User"]
        for unknown in [f"{created['Arn']}x", created["Arn"].replace("user/", "user/path/"), f"{created['Arn']}/y"]:
            with refused("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{unknown}"'):
                iam.update_assume_role_policy(RoleName=role, PolicyDocument=trusting(unknown))
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=trusting([created["Arn"], ACCOUNT]))
        assert trusted() == [created["Arn"], ACCOUNT]
        iam.update_user(UserName=user, NewUserName=f"{user}y")
        assert trusted() == [f"{created['Arn']}y", ACCOUNT]
        iam.delete_user(UserName=f"{user}y")
        assert trusted() == [created["UserId"], ACCOUNT]
        iam.create_user(UserName=f"{user}y")
        assert trusted() == [created["UserId"], ACCOUNT]

    def test_the_role_of_a_service_is_not_changed(self, lab):
        iam = lab.server().start().client("iam")
        role = iam.create_service_linked_role(AWSServiceName="ssm.amazonaws.com")["Role"]
        assert role["Path"] == "/aws-service-role/ssm.amazonaws.com/"
        with refused("InvalidInput", "has been taken"):
            iam.create_service_linked_role(AWSServiceName="ssm.amazonaws.com")
        with refused("UnmodifiableEntity", "only modifiable by AWS", 400):
            iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn=READ_ONLY)
        with refused("InvalidInput"):
            iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")


class TestInstanceProfiles:
    def test_what_is_created_is_read_back(self, iam, name):
        created = iam.create_instance_profile(InstanceProfileName=name, Path="/p/", Tags=tags(env="test", team="web"))
        read = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        assert read == created["InstanceProfile"]
        assert read["Tags"] == tags(env="test", team="web") and read["CreateDate"].microsecond == 0
        assert iam.list_instance_profile_tags(InstanceProfileName=name)["Tags"] == read["Tags"]
        listed = [p for p in iam.list_instance_profiles(PathPrefix="/p/")["InstanceProfiles"] if p["Path"] == "/p/"]
        assert read["Arn"] in [profile["Arn"] for profile in listed]

    def test_a_profile_holds_one_role(self, iam, role):
        created = iam.create_instance_profile(InstanceProfileName=role, Path="/p/", Tags=tags(env="test"))
        created = created["InstanceProfile"]
        assert created["Arn"] == f"arn:aws:iam::{ACCOUNT}:instance-profile/p/{role}"
        assert created["InstanceProfileId"].startswith("AIPA") and created["Roles"] == []
        iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
        read = iam.get_instance_profile(InstanceProfileName=role)["InstanceProfile"]
        assert [held["RoleName"] for held in read["Roles"]] == [role] and read["Tags"] == tags(env="test")
        assert read["Roles"][0]["AssumeRolePolicyDocument"] == TRUST
        with refused("LimitExceeded", "InstanceSessionsPerInstanceProfile: 1", 409):
            iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
        found = iam.list_instance_profiles_for_role(RoleName=role)["InstanceProfiles"]
        assert [profile["InstanceProfileName"] for profile in found] == [role]
        with refused("DeleteConflict", status=409):
            iam.delete_instance_profile(InstanceProfileName=role)
        iam.remove_role_from_instance_profile(InstanceProfileName=role, RoleName=role)
        with refused("EntityAlreadyExists"):
            iam.create_instance_profile(InstanceProfileName=role)
        iam.delete_instance_profile(InstanceProfileName=role)
        with refused("NoSuchEntity", f"Instance Profile {role} cannot be found."):
            iam.get_instance_profile(InstanceProfileName=role)


HOLDERS = {"user": "UserName", "group": "GroupName", "role": "RoleName"}


@pytest.fixture(params=HOLDERS)
def holder(request):
    """A user, a group and a role in turn: kind, and the argument that names it."""
    return request.param, {HOLDERS[request.param]: request.getfixturevalue(request.param)}


class TestInlinePolicies:
    def test_a_policy_is_put_read_listed_and_deleted(self, iam, holder):
        kind, named = holder
        of_kind = lambda verb, plural=False: getattr(iam, f"{verb}_{kind}_{'policies' if plural else 'policy'}")  # noqa: E731
        for policy_name in ["b", "a"]:
            of_kind("put")(**named, PolicyName=policy_name, PolicyDocument=json.dumps(ALLOW_SESSIONS))
        read = of_kind("get")(**named, PolicyName="a")
        assert read["PolicyDocument"] == ALLOW_SESSIONS
        assert of_kind("list", plural=True)(**named)["PolicyNames"] == ["a", "b"]
        assert pages(iam, f"list_{kind}_policies", "PolicyNames", **named) == ["a", "b"]
        of_kind("delete")(**named, PolicyName="a")
        with refused("NoSuchEntity", f"The {kind} policy with name a cannot be found.", 404):
            of_kind("get")(**named, PolicyName="a")
        with refused("NoSuchEntity", f"The {kind} policy with name a cannot be found."):
            of_kind("delete")(**named, PolicyName="a")

    def test_all_of_an_identity_have_a_limit_without_white_space(self, iam, holder):
        kind, named = holder
        put = getattr(iam, f"put_{kind}_policy")
        limit = {"user": 2048, "group": 5120, "role": 10240}[kind]
        frame = len(json.dumps(ALLOW_SESSIONS | {"Id": ""}, separators=(",", ":")))
        # White space does not count, so it may be longer than that.
        fits = json.dumps(ALLOW_SESSIONS | {"Id": "x" * (limit - frame)}, indent=1)
        put(**named, PolicyName="large", PolicyDocument=fits)
        with refused("LimitExceeded", f"Maximum policy size of {limit} bytes exceeded", 409):
            put(**named, PolicyName="more", PolicyDocument=json.dumps(ALLOW_SESSIONS))

    @pytest.mark.parametrize(
        "document, text",
        [
            ("{", "line 1 column"),
            ("[]", ""),
            (json.dumps({"Version": "2012-10-17"}), "Statement"),
            (json.dumps(ALLOW_SESSIONS | {"Version": "2020-01-01"}), "Version"),
            (json.dumps(ALLOW_SESSIONS | {"Extra": 1}), "Extra"),
            (json.dumps(TRUST), "Principal"),
            ('{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}', "twice"),
            ("[" * 5000, ""),
        ],
        ids=["cut short", "a list", "no statement", "version", "unknown element", "principal", "duplicate", "deep"],
    )
    def test_what_is_no_policy_is_refused_with_its_place(self, iam, user, document, text):
        with refused("MalformedPolicyDocument", text, 400):
            iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=document)
        assert iam.list_user_policies(UserName=user)["PolicyNames"] == []


class TestManagedPolicies:
    def test_what_is_created_is_read_back(self, iam, name):
        created = iam.create_policy(
            PolicyName=name,
            Path="/team/",
            PolicyDocument=json.dumps(ALLOW_SESSIONS),
            Description="sessions",
            Tags=tags(env="test"),
        )["Policy"]
        assert created["Arn"] == f"arn:aws:iam::{ACCOUNT}:policy/team/{name}" and created["PolicyId"][:4] == "ANPA"
        assert iam.get_policy(PolicyArn=created["Arn"])["Policy"] == created
        assert (created["Description"], created["DefaultVersionId"], created["AttachmentCount"]) == (
            "sessions",
            "v1",
            0,
        )
        version = iam.get_policy_version(PolicyArn=created["Arn"], VersionId="v1")["PolicyVersion"]
        assert version["Document"] == ALLOW_SESSIONS and version["IsDefaultVersion"]
        with refused("EntityAlreadyExists", f"A policy called {name} already exists.", 409):
            iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(ALLOW_SESSIONS))
        iam.delete_policy(PolicyArn=created["Arn"])
        with refused("NoSuchEntity", f"Policy {created['Arn']} was not found.", 404):
            iam.get_policy(PolicyArn=created["Arn"])

    def test_five_versions_one_of_which_counts(self, iam, policy):
        other = json.dumps({"Version": "2012-10-17", "Statement": []} | {"Statement": ALLOW_SESSIONS["Statement"][0]})
        for _ in range(3):
            iam.create_policy_version(PolicyArn=policy, PolicyDocument=other)
        made = iam.create_policy_version(PolicyArn=policy, PolicyDocument=other, SetAsDefault=True)["PolicyVersion"]
        assert made["VersionId"] == "v5" and made["IsDefaultVersion"]
        with refused("LimitExceeded", "can have up to 5 versions", 409):
            iam.create_policy_version(PolicyArn=policy, PolicyDocument=other)
        assert iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"] == "v5"
        with refused("DeleteConflict", "Cannot delete the default version of a policy."):
            iam.delete_policy_version(PolicyArn=policy, VersionId="v5")
        with refused("DeleteConflict", "more than one version"):
            iam.delete_policy(PolicyArn=policy)
        iam.set_default_policy_version(PolicyArn=policy, VersionId="v1")
        found = pages(iam, "list_policy_versions", "Versions", PolicyArn=policy)
        assert [version["VersionId"] for version in found] == ["v5", "v4", "v3", "v2", "v1"]
        for version in ["v2", "v3", "v4", "v5"]:
            iam.delete_policy_version(PolicyArn=policy, VersionId=version)
        with refused("NoSuchEntity", "version v5 does not exist"):
            iam.get_policy_version(PolicyArn=policy, VersionId="v5")
        iam.delete_policy(PolicyArn=policy)

    def test_attached_and_told_by_whom(self, iam, policy, holder):
        kind, named = holder
        (holder_name,) = named.values()
        attach, detach = (getattr(iam, f"{verb}_{kind}_policy") for verb in ["attach", "detach"])
        attached = getattr(iam, f"list_attached_{kind}_policies")
        attach(**named, PolicyArn=policy)
        attach(**named, PolicyArn=policy)
        attach(**named, PolicyArn=READ_ONLY)
        arns = [found["PolicyArn"] for found in attached(**named)["AttachedPolicies"]]
        assert sorted(arns) == sorted([policy, READ_ONLY])
        entities = iam.list_entities_for_policy(PolicyArn=policy)
        of_kind = entities[f"Policy{kind.capitalize()}s"]
        assert [entity[f"{kind.capitalize()}Name"] for entity in of_kind] == [holder_name]
        assert iam.get_policy(PolicyArn=policy)["Policy"]["AttachmentCount"] == 1
        with refused("DeleteConflict", "Cannot delete a policy attached to entities.", 409):
            iam.delete_policy(PolicyArn=policy)
        detach(**named, PolicyArn=policy)
        with refused("NoSuchEntity", f"Policy {policy} was not found.", 404):
            detach(**named, PolicyArn=policy)
        assert [found["PolicyName"] for found in attached(**named)["AttachedPolicies"]] == ["AmazonSSMReadOnlyAccess"]

    def test_ten_of_one_identity_at_most(self, iam, user, name):
        for number in range(11):
            arn = iam.create_policy(PolicyName=f"{name}-{number}", PolicyDocument=json.dumps(ALLOW_SESSIONS))
            if number < 10:
                iam.attach_user_policy(UserName=user, PolicyArn=arn["Policy"]["Arn"])
        with refused("LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 10", 409):
            iam.attach_user_policy(UserName=user, PolicyArn=arn["Policy"]["Arn"])

    def test_those_of_aws_are_there_and_cannot_be_changed(self, iam, user):
        shown = iam.get_policy(PolicyArn=ADMINISTRATOR)["Policy"]
        assert shown["PolicyName"] == "AdministratorAccess"
        version = iam.get_policy_version(PolicyArn=ADMINISTRATOR, VersionId=shown["DefaultVersionId"])
        statement = version["PolicyVersion"]["Document"]["Statement"][0]
        assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Allow", "*", "*")
        for change in [
            lambda: iam.delete_policy(PolicyArn=ADMINISTRATOR),
            lambda: iam.create_policy_version(PolicyArn=ADMINISTRATOR, PolicyDocument=json.dumps(ALLOW_SESSIONS)),
            lambda: iam.tag_policy(PolicyArn=ADMINISTRATOR, Tags=tags(a="b")),
        ]:
            with refused("AccessDenied", "managed by AWS", 403):
                change()
        with refused("NoSuchEntity", "does not exist or is not attachable", 404):
            iam.attach_user_policy(UserName=user, PolicyArn="arn:aws:iam::aws:policy/NoSuchPolicy")
        with refused("NoSuchEntity"):
            iam.attach_user_policy(UserName=user, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/NoSuchPolicy")
        with refused("InvalidInput", "is not valid"):
            iam.attach_user_policy(UserName=user, PolicyArn="arn:aws:iam::aws:user/NoPolicy")

    def test_listings_by_scope_and_use(self, iam, policy, user):
        def names(**filters):
            return [found["Arn"] for found in pages(iam, "list_policies", "Policies", **filters)]

        assert policy in names(Scope="Local") and policy not in names(Scope="AWS")
        assert READ_ONLY in names(Scope="AWS") and READ_ONLY not in names(Scope="Local")
        everything = names()
        assert {policy, READ_ONLY} <= set(everything) and len(everything) == len(set(everything))
        assert policy not in names(OnlyAttached=True)
        iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=policy)
        assert policy in names(OnlyAttached=True, PolicyUsageFilter="PermissionsBoundary")
        assert policy not in names(PolicyUsageFilter="PermissionsPolicy")

    def test_the_size_has_a_limit(self, iam, name):
        frame = len(json.dumps(ALLOW_SESSIONS | {"Id": ""}, separators=(",", ":")))
        fits = json.dumps(ALLOW_SESSIONS | {"Id": "x" * (6144 - frame)})
        iam.create_policy(PolicyName=name, PolicyDocument=fits)
        with refused("LimitExceeded", "Cannot exceed quota for PolicySize: 6144", 409):
            iam.create_policy(PolicyName=f"{name}2", PolicyDocument=fits.replace("xx", "xxx", 1))


class TestBoundaries:
    @pytest.mark.parametrize("kind", ["user", "role"])
    def test_a_boundary_is_set_and_removed(self, iam, request, kind, policy):
        named = {HOLDERS[kind]: request.getfixturevalue(kind)}
        put, delete = (getattr(iam, f"{verb}_{kind}_permissions_boundary") for verb in ["put", "delete"])
        read = lambda: getattr(iam, f"get_{kind}")(**named)[kind.capitalize()].get("PermissionsBoundary")  # noqa: E731
        assert read() is None
        put(**named, PermissionsBoundary=policy)
        assert read()["PermissionsBoundaryArn"] == policy
        with refused("DeleteConflict", status=409):
            iam.delete_policy(PolicyArn=policy)
        assert iam.get_policy(PolicyArn=policy)["Policy"]["PermissionsBoundaryUsageCount"] == 1
        users_of = iam.list_entities_for_policy(PolicyArn=policy, PolicyUsageFilter="PermissionsBoundary")
        assert len(users_of[f"Policy{kind.capitalize()}s"]) == 1
        with refused("NoSuchEntity"):
            put(**named, PermissionsBoundary="arn:aws:iam::aws:policy/NoSuchPolicy")
        delete(**named)
        assert read() is None
        iam.delete_policy(PolicyArn=policy)


def tagged_things(iam, name):
    """One of each kind that carries tags: what its operations are called, and the argument that names it."""
    iam.create_user(UserName=name)
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    policy = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(ALLOW_SESSIONS))["Policy"]["Arn"]
    iam.create_instance_profile(InstanceProfileName=name)
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
    provider = iam.create_open_id_connect_provider(Url=f"https://{name}.example.com")["OpenIDConnectProviderArn"]
    return {
        "user": {"UserName": name},
        "role": {"RoleName": name},
        "policy": {"PolicyArn": policy},
        "instance_profile": {"InstanceProfileName": name},
        "mfa_device": {"SerialNumber": device},
        "open_id_connect_provider": {"OpenIDConnectProviderArn": provider},
    }


class TestTags:
    def test_of_all_six_kinds(self, iam, name):
        for kind, named in tagged_things(iam, name).items():
            tag, untag, listed = (
                getattr(iam, f"{verb}_{kind}{suffix}")
                for verb, suffix in [("tag", ""), ("untag", ""), ("list", "_tags")]
            )
            tag(**named, Tags=tags(env="test", team="ops"))
            tag(**named, Tags=tags(env="production"))
            assert listed(**named)["Tags"] == tags(env="production", team="ops"), kind
            first = listed(**named, MaxItems=1)
            assert first["IsTruncated"] and listed(**named, Marker=first["Marker"])["Tags"] == tags(team="ops"), kind
            untag(**named, TagKeys=["env", "absent"])
            assert listed(**named)["Tags"] == tags(team="ops"), kind
            with refused("InvalidInput", "Duplicate tag keys", 400):
                tag(**named, Tags=[*tags(a="1"), *tags(A="2")])
            with refused("InvalidInput", "reserved"):
                tag(**named, Tags=[{"Key": "aws:mine", "Value": "v"}])
            tag(**named, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(49)])
            with refused("LimitExceeded", "maximum limit", 409):
                tag(**named, Tags=tags(one="more"))

    def test_keys_are_the_same_in_any_case(self, iam, user, policy):
        iam.tag_user(UserName=user, Tags=tags(Env="a"))
        iam.tag_user(UserName=user, Tags=tags(env="b"))
        assert iam.list_user_tags(UserName=user)["Tags"] == tags(env="b")
        iam.tag_policy(PolicyArn=policy, Tags=tags(Env="a"))
        with refused("InvalidInput", "case insensitive"):
            iam.tag_policy(PolicyArn=policy, Tags=tags(env="b"))


class TestReadBackAsTerraformDoesIt:
    """Terraform reads each attribute again after it wrote it, and plans a change for whatever is not the same."""

    def test_an_update_of_each_attribute_is_read_back(self, iam, user, role, policy):
        iam.update_user(UserName=user, NewPath="/new/")
        iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=ADMINISTRATOR)
        iam.tag_user(UserName=user, Tags=tags(a="1", b="2"))
        iam.tag_user(UserName=user, Tags=tags(a="3"))
        iam.untag_user(UserName=user, TagKeys=["b"])
        read = iam.get_user(UserName=user)["User"]
        assert (read["Path"], read["Tags"]) == ("/new/", tags(a="3"))
        assert read["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/new/{user}"
        boundary = {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": ADMINISTRATOR}
        assert read["PermissionsBoundary"] == boundary
        iam.delete_user_permissions_boundary(UserName=user)
        iam.untag_user(UserName=user, TagKeys=["a"])
        read = iam.get_user(UserName=user)["User"]
        assert "PermissionsBoundary" not in read and "Tags" not in read

        trust = json.loads(json.dumps(TRUST).replace("ssm.", "ec2."))
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
        iam.update_role(RoleName=role, Description="new", MaxSessionDuration=7200)
        iam.put_role_permissions_boundary(RoleName=role, PermissionsBoundary=READ_ONLY)
        iam.tag_role(RoleName=role, Tags=tags(a="1"))
        read = iam.get_role(RoleName=role)["Role"]
        assert read["AssumeRolePolicyDocument"] == trust
        assert (read["Description"], read["MaxSessionDuration"], read["Tags"]) == ("new", 7200, tags(a="1"))
        assert read["PermissionsBoundary"]["PermissionsBoundaryArn"] == READ_ONLY

        narrowed = {**ALLOW_SESSIONS, "Statement": [{"Effect": "Deny", "Action": "ssm:*", "Resource": "*"}]}
        iam.create_policy_version(PolicyArn=policy, PolicyDocument=json.dumps(narrowed), SetAsDefault=True)
        read = iam.get_policy(PolicyArn=policy)["Policy"]
        assert read["DefaultVersionId"] == "v2"
        version = iam.get_policy_version(PolicyArn=policy, VersionId="v2")["PolicyVersion"]
        assert version["Document"] == narrowed

    def test_documents_are_read_back_as_they_were_written(self, iam, user, role, group):
        """White space, the order of members and escapes are the author's."""
        text = (
            '{\n  "Statement" : [ {"Resource":"*","Action":"ssm:Get*","Effect":"Allow"} ],\n  "Version":"2012-10-17"}'
        )
        bodies = []
        iam.meta.events.register("before-parse.iam", lambda response_dict, **_: bodies.append(response_dict["body"]))
        for kind, holder in [("user", user), ("role", role), ("group", group)]:
            named = {f"{kind.title()}Name": holder, "PolicyName": "inline"}
            getattr(iam, f"put_{kind}_policy")(**named, PolicyDocument=text)
            getattr(iam, f"get_{kind}_policy")(**named)
            found = re.search("<PolicyDocument>(.*?)</PolicyDocument>", bodies[-1].decode(), re.S)
            assert urllib.parse.unquote(found.group(1)) == text, kind


class TestMfaDevices:
    def enrol(self, iam, user, device):
        """Enables the device as a person does, with two codes that follow each other; when the second was shown."""
        seed, now = device["Base32StringSeed"].decode(), time.time()
        codes = {f"AuthenticationCode{n}": code_at(seed, now + (n - 2) * STEP_S) for n in [1, 2]}
        iam.enable_mfa_device(UserName=user, SerialNumber=device["SerialNumber"], **codes)
        return now

    def test_a_device_is_enabled_by_two_codes(self, iam, user):
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=user, Path="/team/")["VirtualMFADevice"]
        serial = device["SerialNumber"]
        assert serial == f"arn:aws:iam::{ACCOUNT}:mfa/team/{user}"
        assert len(base64.b32decode(device["Base32StringSeed"])) == 40
        assert device["QRCodePNG"].startswith(b"\x89PNG\r\n\x1a\n")
        with refused("EntityAlreadyExists"):
            iam.create_virtual_mfa_device(VirtualMFADeviceName=user, Path="/team/")
        with refused("InvalidAuthenticationCode", status=403):
            iam.enable_mfa_device(
                UserName=user, SerialNumber=serial, AuthenticationCode1="000000", AuthenticationCode2="000000"
            )
        self.enrol(iam, user, device)
        listed = iam.list_mfa_devices(UserName=user)["MFADevices"]
        assert [(found["UserName"], found["SerialNumber"]) for found in listed] == [(user, serial)]
        assigned = iam.list_virtual_mfa_devices(AssignmentStatus="Assigned")["VirtualMFADevices"]
        (found,) = [found for found in assigned if found["SerialNumber"] == serial]
        assert found["User"]["UserName"] == user and "Base32StringSeed" not in found
        with refused("DeleteConflict", "Must deactivate first", 409):
            iam.delete_virtual_mfa_device(SerialNumber=serial)
        with refused("DeleteConflict", "must delete MFA device first"):
            iam.delete_user(UserName=user)
        iam.deactivate_mfa_device(UserName=user, SerialNumber=serial)
        assert iam.list_mfa_devices(UserName=user)["MFADevices"] == []
        iam.delete_virtual_mfa_device(SerialNumber=serial)
        with refused("NoSuchEntity", status=404):
            iam.delete_virtual_mfa_device(SerialNumber=serial)

    def test_a_clock_is_found_ahead_and_behind(self, iam, server, user):
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]
        seed, serial, now = device["Base32StringSeed"].decode(), device["SerialNumber"], time.time()

        def codes(first_step: int) -> dict:
            """Of a device that is so many steps ahead."""
            return {f"AuthenticationCode{n}": code_at(seed, now + (first_step + n - 1) * STEP_S) for n in [1, 2]}

        key = iam.create_access_key(UserName=user)["AccessKey"]
        keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        sts = server.client("sts", **keys)

        def is_accepted(step: int) -> bool:
            code = code_at(seed, now + step * STEP_S)
            try:
                return bool(sts.get_session_token(SerialNumber=serial, TokenCode=code))
            except ClientError as error:
                assert "invalid MFA one time pass code" in str(error)
                return False

        iam.enable_mfa_device(UserName=user, SerialNumber=serial, **codes(-8))
        assert not is_accepted(0), "its clock is eight steps behind"
        iam.resync_mfa_device(UserName=user, SerialNumber=serial, **codes(8))
        assert is_accepted(10), "its clock is eight steps ahead"
        # Set right again: what it shows now is before what was used, and no code works twice.
        iam.resync_mfa_device(UserName=user, SerialNumber=serial, **codes(0))
        assert not any(is_accepted(step) for step in [1, 2, 9, 10])
        with refused("InvalidAuthenticationCode"):
            iam.resync_mfa_device(UserName=user, SerialNumber=serial, **codes(40))

    def test_codes_that_enabled_a_device_do_not_enable_it_again(self, iam, user):
        device = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]
        now = self.enrol(iam, user, device)
        seed, serial = device["Base32StringSeed"].decode(), device["SerialNumber"]
        used = {f"AuthenticationCode{n}": code_at(seed, now + (n - 2) * STEP_S) for n in [1, 2]}
        with refused("InvalidAuthenticationCode"):
            iam.resync_mfa_device(UserName=user, SerialNumber=serial, **used)
        iam.deactivate_mfa_device(UserName=user, SerialNumber=serial)
        with refused("InvalidAuthenticationCode"):
            iam.enable_mfa_device(UserName=user, SerialNumber=serial, **used)
        # A clock that is some minutes ahead is found out by two codes.
        ahead = {f"AuthenticationCode{n}": code_at(seed, now + (n + 3) * STEP_S) for n in [1, 2]}
        iam.enable_mfa_device(UserName=user, SerialNumber=serial, **ahead)


class TestOidcProviders:
    def test_a_provider_is_created_changed_and_deleted(self, iam, name):
        url = f"https://{name}.Example.com/realms/Ops"
        thumbprint = "6938fd4d98bab03faadb97b34396831e3780aea1"
        created = iam.create_open_id_connect_provider(
            Url=url, ClientIDList=["sts.amazonaws.com"], ThumbprintList=[thumbprint], Tags=tags(env="test")
        )
        arn = created["OpenIDConnectProviderArn"]
        assert arn == f"arn:aws:iam::{ACCOUNT}:oidc-provider/{name}.example.com/realms/Ops"
        assert arn in [found["Arn"] for found in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="postern")
        iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID="sts.amazonaws.com")
        iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=["a" * 40])
        read = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        assert (read["Url"], read["ClientIDList"]) == (f"{name}.example.com/realms/Ops", ["postern"])
        assert (read["ThumbprintList"], read["Tags"]) == (["a" * 40], tags(env="test"))
        with refused("EntityAlreadyExists", status=409):
            iam.create_open_id_connect_provider(Url=url)
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        with refused("NoSuchEntity", arn, 404):
            iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)

    @pytest.mark.parametrize("url", ["http://a.example.com", "https://", "https://a.example.com?x=1"])
    def test_only_https_urls(self, iam, url):
        with refused("ValidationError"):
            iam.create_open_id_connect_provider(Url=url)


class TestSimulation:
    NODE = f"arn:aws:ssm:us-east-1:{ACCOUNT}:managed-instance/mi-0123456789abcdef0"

    def decisions(self, answer):
        return {
            (result["EvalActionName"], result["EvalResourceName"]): result["EvalDecision"]
            for result in answer["EvaluationResults"]
        }

    def test_custom_policies(self, iam):
        document = ALLOW_SESSIONS | {
            "Statement": [
                ALLOW_SESSIONS["Statement"][0] | {"Condition": {"StringEquals": {"ssm:resourceTag/env": "dev"}}}
            ]
        }
        asked = {
            "PolicyInputList": [json.dumps(document)],
            "ActionNames": ["ssm:StartSession", "ssm:SendCommand"],
            "ResourceArns": [self.NODE],
        }
        answer = iam.simulate_custom_policy(**asked)
        assert set(self.decisions(answer).values()) == {"implicitDeny"}
        assert answer["EvaluationResults"][0]["MissingContextValues"] == ["ssm:resourceTag/env"]
        entry = {"ContextKeyName": "ssm:resourceTag/env", "ContextKeyValues": ["dev"], "ContextKeyType": "string"}
        answer = iam.simulate_custom_policy(**asked, ContextEntries=[entry])
        assert self.decisions(answer) == {
            ("ssm:StartSession", self.NODE): "allowed",
            ("ssm:SendCommand", self.NODE): "implicitDeny",
        }
        matched = answer["EvaluationResults"][0]["MatchedStatements"][0]
        assert matched["SourcePolicyId"] == "PolicyInputList.1" and matched["StartPosition"]["Line"] == 1
        deny = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
        limited = iam.simulate_custom_policy(
            **asked, ContextEntries=[entry], PermissionsBoundaryPolicyInputList=[json.dumps(deny)]
        )
        assert set(self.decisions(limited).values()) == {"explicitDeny"}
        first = iam.simulate_custom_policy(**asked, MaxItems=1)
        rest = iam.simulate_custom_policy(**asked, Marker=first["Marker"])
        assert [result["EvalActionName"] for result in rest["EvaluationResults"]] == ["ssm:SendCommand"]
        with refused("InvalidInput", "PolicyInputList.1"):
            iam.simulate_custom_policy(**asked | {"PolicyInputList": ["{}"]})

    def test_what_a_user_may_before_and_after(self, iam, user, group):
        arn = iam.get_user(UserName=user)["User"]["Arn"]

        def decision():
            answer = iam.simulate_principal_policy(
                PolicySourceArn=arn, ActionNames=["ssm:StartSession"], ResourceArns=[self.NODE]
            )
            return answer["EvaluationResults"][0]

        assert decision()["EvalDecision"] == "implicitDeny"
        iam.put_group_policy(GroupName=group, PolicyName="p", PolicyDocument=json.dumps(ALLOW_SESSIONS))
        iam.add_user_to_group(GroupName=group, UserName=user)
        allowed = decision()
        assert allowed["EvalDecision"] == "allowed"
        (matched,) = allowed["MatchedStatements"]
        assert (matched["SourcePolicyId"], matched["SourcePolicyType"]) == (f"group_{group}_p", "group")
        iam.put_user_permissions_boundary(UserName=user, PermissionsBoundary=READ_ONLY)
        bounded = decision()
        assert bounded["EvalDecision"] == "implicitDeny"
        assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
        with refused("NoSuchEntity", status=404):
            iam.simulate_principal_policy(PolicySourceArn=f"{arn}x", ActionNames=["ssm:StartSession"])


class TestAccount:
    def test_counts_and_quotas(self, iam, user):
        summary = iam.get_account_summary()["SummaryMap"]
        assert summary["Users"] >= 2 and summary["UsersQuota"] == 5000
        assert summary["AccessKeysPerUserQuota"] == 2 and summary["AttachedPoliciesPerRoleQuota"] == 10

    def test_authorization_details_hold_everything_once(self, iam, user, group, role, policy):
        iam.add_user_to_group(GroupName=group, UserName=user)
        iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        iam.attach_group_policy(GroupName=group, PolicyArn=READ_ONLY)
        iam.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(ALLOW_SESSIONS))
        found = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
        for page in iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 2}):
            assert sum(len(page[kind]) for kind in found) <= 2
            for kind, items in found.items():
                items.extend(page[kind])
        one = lambda kind, key, value: [item for item in found[kind] if item[key] == value]  # noqa: E731
        (shown,) = one("UserDetailList", "UserName", user)
        assert shown["GroupList"] == [group] and shown["UserPolicyList"][0]["PolicyDocument"] == ALLOW_SESSIONS
        (shown,) = one("RoleDetailList", "RoleName", role)
        assert [held["PolicyArn"] for held in shown["AttachedManagedPolicies"]] == [policy]
        (shown,) = one("Policies", "Arn", policy)
        assert shown["PolicyVersionList"][0]["Document"] == ALLOW_SESSIONS
        assert len(one("Policies", "Arn", READ_ONLY)) == 1
        only = iam.get_account_authorization_details(Filter=["Group"])
        assert only["UserDetailList"] == [] and one("GroupDetailList", "GroupName", group)[0] in only["GroupDetailList"]

    def test_the_password_policy_is_the_default_one(self, iam):
        with refused("NoSuchEntity", f"The Password Policy with domain name {ACCOUNT} cannot be found.", 404):
            iam.get_account_password_policy()
        assert iam.list_account_aliases()["AccountAliases"] == []


class TestConstraints:
    @pytest.mark.parametrize(
        "operation, arguments, text",
        [
            ("create_user", {"UserName": "a/b"}, "regular expression pattern"),
            ("create_user", {"UserName": "x" * 65}, "length less than or equal to 64"),
            ("create_user", {"UserName": "a", "Path": "team"}, "'path'"),
            ("list_users", {"MaxItems": 1001}, "value less than or equal to 1000"),
            ("update_access_key", {"AccessKeyId": "A" * 20, "Status": "On"}, "enum value set: [Active, Inactive"),
            ("get_role", {}, "Value null at 'roleName'"),
            ("create_role", {"RoleName": "r", "AssumeRolePolicyDocument": "{}", "MaxSessionDuration": 60}, "3600"),
        ],
    )
    def test_are_told_as_aws_tells_them(self, server, operation, arguments, text):
        with refused("ValidationError", text, 400):
            getattr(server.client("iam", validate=False), operation)(**arguments)

    def test_any_region_will_do(self, server):
        session = server.botocore_session()
        assert server.client("iam", session=session, region_name="eu-west-1").get_user()["User"]["UserName"] == "admin"


def test_the_aws_cli_shows_documents_decoded(server, user, name, tmp_path):
    def aws(*arguments):
        done = subprocess.run(
            [str(SCRIPTS / "aws"), "iam", *arguments],
            env=server.client_environment(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    document = tmp_path / "policy.json"
    document.write_text(json.dumps(ALLOW_SESSIONS))
    aws("put-user-policy", "--user-name", user, "--policy-name", "p", "--policy-document", f"file://{document}")
    shown = aws("get-user-policy", "--user-name", user, "--policy-name", "p")
    assert shown["PolicyDocument"] == ALLOW_SESSIONS
    png = tmp_path / "code.png"
    made = aws(
        "create-virtual-mfa-device",
        "--virtual-mfa-device-name", name,
        "--outfile", str(png),
        "--bootstrap-method", "QRCodePNG",
    )  # fmt: skip
    assert made["VirtualMFADevice"]["SerialNumber"].endswith(f":mfa/{name}")
    assert png.read_bytes().startswith(b"\x89PNG")
