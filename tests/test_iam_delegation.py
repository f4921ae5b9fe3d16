"""What somebody with a part of IAM may do with it, and how far that reaches."""

import pytest
from botocore.exceptions import ClientError
from harness.people import Person, allow, deny, document
from harness.programs import ACCOUNT

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/AmazonSSMReadOnlyAccess"
TRUST_NODES = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
    ' "Principal": {"Service": "ssm.amazonaws.com"}}]}'
)


def denied(call, **arguments) -> str:
    """The call is denied; the words of the denial."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == "AccessDenied", error.value.response
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    return error.value.response["Error"]["Message"]


def test_whoever_may_not_does_not_learn_what_exists(server):
    iam = Person(server).client("iam")
    for name in ["admin", "nobody"]:
        words = denied(iam.get_user, UserName=name)
        assert words.endswith(
            f"is not authorized to perform: iam:GetUser on resource: arn:aws:iam::{ACCOUNT}:user/{name}"
            " because no identity-based policy allows the iam:GetUser action"
        )
        denied(iam.delete_user, UserName=name)
    denied(iam.list_users)
    denied(iam.get_policy, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/NoSuchPolicy")
    denied(iam.get_policy, PolicyArn=ADMINISTRATOR)


def test_a_user_manages_the_own_keys_only(server):
    own = "arn:aws:iam::*:user/${aws:username}"
    alice = Person(server, allow(["iam:*AccessKey*", "iam:GetUser"], own))
    iam = alice.client("iam")
    assert iam.get_user()["User"]["UserName"] == alice.name
    key = iam.create_access_key()["AccessKey"]["AccessKeyId"]
    iam.update_access_key(AccessKeyId=key, Status="Inactive")
    assert iam.get_access_key_last_used(AccessKeyId=key)["UserName"] == alice.name
    iam.delete_access_key(UserName=alice.name, AccessKeyId=key)
    denied(iam.create_access_key, UserName="admin")
    (of_admin, *_) = server.client("iam").list_access_keys(UserName="admin")["AccessKeyMetadata"]
    denied(iam.get_access_key_last_used, AccessKeyId=of_admin["AccessKeyId"])
    denied(iam.update_access_key, UserName="admin", AccessKeyId=of_admin["AccessKeyId"], Status="Inactive")


def test_a_boundary_goes_with_everything_that_is_delegated(server):
    admin = server.client("iam")
    boundary = admin.create_policy(PolicyName="DelegatedBoundary", PolicyDocument=document(allow("ssm:Describe*")))
    boundary = boundary["Policy"]["Arn"]
    bounded = {"Condition": {"StringEquals": {"iam:PermissionsBoundary": boundary}}}
    lead = Person(
        server,
        allow(
            ["iam:CreateUser", "iam:CreateRole", "iam:Attach*Policy", "iam:Put*Policy", "iam:PutUserPermissionsBoundary"],
            **bounded,
        ),
        allow(["iam:CreateAccessKey", "iam:DeleteUserPermissionsBoundary"]),
        deny("iam:DeleteUserPermissionsBoundary", **bounded),
    )
    iam = lead.client("iam")
    denied(iam.create_user, UserName="unbounded")
    denied(iam.create_user, UserName="unbounded", PermissionsBoundary=READ_ONLY)
    denied(iam.create_role, RoleName="unbounded", AssumeRolePolicyDocument=TRUST_NODES)
    iam.create_user(UserName="bounded", PermissionsBoundary=boundary)
    # However much the user is given, the boundary holds, and cannot be taken away or exchanged.
    iam.attach_user_policy(UserName="bounded", PolicyArn=ADMINISTRATOR)
    iam.put_user_policy(UserName="bounded", PolicyName="all", PolicyDocument=document(allow("*")))
    denied(iam.delete_user_permissions_boundary, UserName="bounded")
    denied(iam.put_user_permissions_boundary, UserName="bounded", PermissionsBoundary=ADMINISTRATOR)
    denied(iam.attach_user_policy, UserName=lead.name, PolicyArn=ADMINISTRATOR)
    denied(iam.put_user_policy, UserName="admin", PolicyName="p", PolicyDocument=document(allow("*")))
    key = iam.create_access_key(UserName="bounded")["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    server.client("ssm", **keys).describe_sessions(State="History")
    words = denied(server.client("iam", **keys).list_users)
    assert words.endswith("because no permissions boundary allows the iam:ListUsers action")


def test_only_some_policies_may_be_attached(server):
    attach = ["iam:AttachUserPolicy", "iam:DetachUserPolicy"]
    lead = Person(server, allow(attach, Condition={"ArnEquals": {"iam:PolicyARN": READ_ONLY}}))
    iam = lead.client("iam")
    other = Person(server)
    iam.attach_user_policy(UserName=other.name, PolicyArn=READ_ONLY)
    iam.detach_user_policy(UserName=other.name, PolicyArn=READ_ONLY)
    denied(iam.attach_user_policy, UserName=other.name, PolicyArn=ADMINISTRATOR)


def test_a_team_keeps_to_its_path_and_its_tags(server):
    mine = {"Condition": {"StringEquals": {"aws:ResourceTag/team": "web"}}}
    given = {"Condition": {"StringEquals": {"aws:RequestTag/team": "web"}, "ForAllValues:StringEquals": {"aws:TagKeys": "team"}}}
    users = f"arn:aws:iam::{ACCOUNT}:user/web/*"
    lead = Person(server, allow(["iam:CreateUser", "iam:TagUser"], users, **given), allow("iam:DeleteUser", users, **mine))
    iam = lead.client("iam")
    web = [{"Key": "team", "Value": "web"}]
    denied(iam.create_user, UserName="elsewhere", Tags=web)
    denied(iam.create_user, UserName="inweb", Path="/web/", Tags=[{"Key": "team", "Value": "ops"}])
    denied(iam.create_user, UserName="inweb", Path="/web/", Tags=[*web, {"Key": "more", "Value": "x"}])
    iam.create_user(UserName="inweb", Path="/web/", Tags=web)
    denied(iam.tag_user, UserName="inweb", Tags=[{"Key": "team", "Value": "ops"}])
    server.client("iam").create_user(UserName="alsoweb", Path="/web/")
    denied(iam.delete_user, UserName="alsoweb")
    iam.delete_user(UserName="inweb")


def test_whoever_renames_a_user_needs_leave_for_both_names(server):
    admin = server.client("iam")
    for name in ["renamedone", "renamedtwo"]:
        admin.create_user(UserName=name)
    lead = Person(server, allow("iam:UpdateUser", [f"arn:aws:iam::{ACCOUNT}:user/renamed{n}" for n in ["one", "three"]]))
    iam = lead.client("iam")
    denied(iam.update_user, UserName="renamedone", NewUserName="renamedfour")
    denied(iam.update_user, UserName="renamedtwo", NewUserName="renamedthree")
    iam.update_user(UserName="renamedone", NewUserName="renamedthree")


def test_another_spelling_of_a_name_is_the_same_thing_to_policies(server):
    admin = server.client("iam")
    admin.create_user(UserName="spelled")
    admin.create_group(GroupName="spelledgroup")
    admin.create_virtual_mfa_device(VirtualMFADeviceName="spelleddevice")
    device = f"arn:aws:iam::{ACCOUNT}:mfa/spelleddevice"
    moved = [f"arn:aws:iam::{ACCOUNT}:user/moved/spelled", f"arn:aws:iam::{ACCOUNT}:group/moved/spelledgroup"]
    iam = Person(server, allow("iam:*"), deny("iam:*", [device, *moved])).client("iam")
    for spelled in [str.lower, str.upper, str.title]:
        denied(iam.delete_virtual_mfa_device, SerialNumber=device.replace("spelleddevice", spelled("spelleddevice")))
        denied(iam.update_user, UserName=spelled("spelled"), NewPath="/moved/")
        denied(iam.update_group, GroupName=spelled("spelledgroup"), NewPath="/moved/")
    iam.update_user(UserName="SPELLED", NewPath="/elsewhere/")


def test_a_role_is_handed_to_machines_only_with_leave_to_pass_it(server):
    admin = server.client("iam")
    admin.create_role(RoleName="PassedRole", AssumeRolePolicyDocument=TRUST_NODES)
    admin.create_instance_profile(InstanceProfileName="PassedProfile")
    lead = Person(server, allow("iam:AddRoleToInstanceProfile"))
    asked = {"InstanceProfileName": "PassedProfile", "RoleName": "PassedRole"}
    assert "iam:PassRole" in denied(lead.client("iam").add_role_to_instance_profile, **asked)
    lead.put(allow("iam:AddRoleToInstanceProfile"), allow("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/PassedRole"))
    lead.client("iam").add_role_to_instance_profile(**asked)


def test_a_role_that_must_not_be_passed_is_known_by_its_tags(server):
    admin = server.client("iam")
    tags = [{"Key": "level", "Value": "secret"}]
    admin.create_role(RoleName="SecretRole", AssumeRolePolicyDocument=TRUST_NODES, Tags=tags)
    admin.create_instance_profile(InstanceProfileName="SecretProfile")
    secret = {"Condition": {"StringEquals": {"iam:ResourceTag/level": "secret"}}}
    iam = Person(server, allow("iam:*"), deny("iam:PassRole", **secret)).client("iam")
    denied(iam.add_role_to_instance_profile, InstanceProfileName="SecretProfile", RoleName="SecretRole")
