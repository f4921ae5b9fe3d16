"""Users, groups, roles and policies in the browser: what is done there is done in IAM."""

import json
import re
import time
from urllib.parse import quote, urlencode

import boto3
import pytest
from harness.chromium import PHONE, accessibility_faults, give_password, overflow_px, visit
from harness.people import Person, allow, deny, document, trust
from harness.programs import ACCOUNT
from harness.totp import STEP_S, code_at
from playwright.sync_api import Page, expect

USER_ARN = f"arn:aws:iam::{ACCOUNT}:user"
POLICY_ARN = f"arn:aws:iam::{ACCOUNT}:policy"


@pytest.fixture(scope="module")
def iam(server):
    return server.client("iam")


def policy_path(arn: str) -> str:
    return f"/access/policies/{quote(arn, safe='')}"


def write(page: Page, text: str) -> None:
    page.get_by_label("Policy document (JSON)").fill(text)


def test_a_user_is_made_equipped_and_deleted(page, iam, server):
    visit(page, "/access")
    page.get_by_role("button", name="Create user").first.click()
    dialog = page.get_by_role("dialog", name="Create user")
    dialog.get_by_label("Name").fill("carol")
    dialog.get_by_role("button", name="Create user").click()
    expect(page.get_by_role("heading", name="carol", exact=True)).to_be_visible()
    assert page.url.endswith("/console/access/users/carol")

    page.get_by_role("button", name="Attach policies").click()
    dialog = page.get_by_role("dialog", name="Attach policies")
    dialog.get_by_role("searchbox", name="Find policies").fill("SSMReadOnly")
    dialog.get_by_role("row", name=re.compile("AmazonSSMReadOnlyAccess")).get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Attach", exact=True).click()
    expect(page.get_by_role("link", name="AmazonSSMReadOnlyAccess")).to_be_visible()
    attached = iam.list_attached_user_policies(UserName="carol")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonSSMReadOnlyAccess"]

    page.get_by_role("tab", name="Credentials").click()
    assert page.url.endswith("?tab=credentials")
    page.get_by_role("button", name="Create access key").click()
    page.get_by_role("dialog", name="Create access key").get_by_role("button", name="Create access key").click()
    shown = page.get_by_role("dialog", name="The access key was created").inner_text()
    key, secret = re.search(r"aws_access_key_id = (\S+)\s.*aws_secret_access_key = (\S+)", shown, re.S).groups()
    sts = server.client("sts", aws_access_key_id=key, aws_secret_access_key=secret)
    assert sts.get_caller_identity()["Arn"] == f"{USER_ARN}/carol"
    page.get_by_role("button", name="I have kept the secret").click()
    expect(page.get_by_text(secret)).to_have_count(0)

    page.get_by_role("button", name=f"Switch off {key}").click()
    expect(page.get_by_role("button", name=f"Switch on {key}")).to_be_visible()
    with pytest.raises(boto3.exceptions.botocore.exceptions.ClientError):
        sts.get_caller_identity()

    page.get_by_role("button", name="Actions").first.click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete user")
    delete = dialog.get_by_role("button", name="Delete", exact=True)
    expect(delete).to_be_disabled()
    dialog.get_by_label("To confirm, type carol").fill("carol")
    delete.click()
    expect(page.get_by_role("heading", name="Users", exact=False).first).to_be_visible()
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_user(UserName="carol")


def test_a_user_and_a_group_get_other_names(page, iam):
    iam.create_user(UserName="before")
    iam.create_group(GroupName="group-before")
    iam.add_user_to_group(UserName="before", GroupName="group-before")
    for kind, path in [("user", "/access/users/before"), ("group", "/access/groups/group-before")]:
        visit(page, path)
        page.get_by_role("button", name="Actions").first.click()
        page.get_by_role("menuitem", name="Rename").click()
        dialog = page.get_by_role("dialog", name=f"Rename {kind}")
        submit = dialog.get_by_role("button", name="Rename")
        expect(submit).to_be_disabled()
        name = path.rpartition("/")[2].replace("before", "after")
        dialog.get_by_label("New name").fill("not a name")
        submit.click()
        expect(dialog.get_by_text("failed to satisfy constraint")).to_be_visible()
        dialog.get_by_label("New name").fill(name)
        submit.click()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        assert page.url.endswith(f"/{name}")
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="after")["Groups"]] == ["group-after"]
    # A role keeps its name, as in IAM.
    iam.create_role(RoleName="unchanging", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{ACCOUNT}:root"))
    visit(page, "/access/roles/unchanging")
    page.get_by_role("button", name="Actions").first.click()
    expect(page.get_by_role("menuitem", name="Delete")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Rename")).to_have_count(0)


def test_an_identity_provider_is_made_changed_and_deleted(page, iam):
    visit(page, "/access/providers")
    expect(page.get_by_text("No identity providers")).to_be_visible()
    page.get_by_role("button", name="Create identity provider").first.click()
    dialog = page.get_by_role("dialog", name="Create identity provider")
    dialog.get_by_label("Provider URL").fill("https://login.example.com/tenant")
    dialog.get_by_label("Client IDs").fill("one\ntwo")
    dialog.get_by_role("button", name="Create identity provider").click()
    issuer = "login.example.com/tenant"
    expect(page.get_by_role("heading", name=issuer, exact=True)).to_be_visible()
    arn = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"

    page.get_by_role("button", name="Edit client IDs").click()
    dialog = page.get_by_role("dialog", name="Edit client IDs")
    dialog.get_by_label("Client IDs").fill("two\nthree")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem").filter(has_text="three")).to_be_visible()
    assert sorted(iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"]) == ["three", "two"]

    page.get_by_role("tab", name="Thumbprints").click()
    page.get_by_role("button", name="Edit thumbprints").click()
    dialog = page.get_by_role("dialog", name="Edit thumbprints")
    dialog.get_by_label("Thumbprints").fill("not hexadecimal")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_text("failed to satisfy constraint")).to_be_visible()
    dialog.get_by_label("Thumbprints").fill("a" * 40)
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("listitem").filter(has_text="a" * 40)).to_be_visible()
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ThumbprintList"] == ["a" * 40]

    page.get_by_role("tab", name="Tags").click()
    page.get_by_role("button", name="Edit tags").click()
    dialog = page.get_by_role("dialog", name="Edit tags")
    dialog.get_by_role("button", name="Add new tag").click()
    dialog.get_by_role("combobox").nth(0).fill("team")
    dialog.get_by_role("combobox").nth(1).fill("web")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The tags were saved.")).to_be_visible()
    tags = iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"]
    assert tags == [{"Key": "team", "Value": "web"}]
    assert accessibility_faults(page) == []

    page.get_by_role("button", name="Actions").first.click()
    page.get_by_role("menuitem", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete identity provider")
    dialog.get_by_label(f"To confirm, type {issuer}").fill(issuer)
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("No identity providers")).to_be_visible()
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_memberships_change_from_either_side(page, iam):
    iam.create_user(UserName="dora")
    iam.create_group(GroupName="night-shift")
    visit(page, "/access/groups/night-shift")
    page.get_by_role("button", name="Add members").click()
    dialog = page.get_by_role("dialog", name="Choose users")
    dialog.get_by_role("row", name=re.compile("dora")).get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Add members").click()
    expect(page.get_by_role("link", name="dora")).to_be_visible()
    assert [group["GroupName"] for group in iam.list_groups_for_user(UserName="dora")["Groups"]] == ["night-shift"]

    visit(page, "/access/users/dora?tab=groups")
    page.get_by_role("button", name="Leave the group night-shift").click()
    expect(page.get_by_text("In no group")).to_be_visible()
    assert iam.list_groups_for_user(UserName="dora")["Groups"] == []


def test_the_editor_tells_what_is_wrong_and_where(page, iam):
    visit(page, "/access/new-policy")
    page.get_by_label("Name").fill("Edited")
    wrongs = page.get_by_role("list", name="What is wrong")

    write(page, '{\n  "Version": "2012-10-17",\n  "Statement": [}')
    expect(wrongs).to_contain_text("Line 3, column 17")
    expect(page.get_by_label("Policy document (JSON)")).to_have_attribute("aria-invalid", "true")

    # Only the server knows the grammar of policies.
    write(page, '{\n  "Version": "2012-10-17",\n  "Statement": [{"Effect": "allow", "Action": "ssm:*", "Resource": "*"}]}')
    expect(wrongs).to_contain_text('Line 3, column 28 expected "Allow" or "Deny", found "allow"')
    page.get_by_role("button", name="Line 3, column 28").click()
    selected = page.get_by_label("Policy document (JSON)").evaluate("(area) => area.value.slice(area.selectionStart, area.selectionEnd)")
    assert selected == '"allow"'

    write(page, document(allow(["ssm:StartSesion", "ec2:RunInstances"])))
    expect(wrongs).to_contain_text("Did you mean ssm:StartSession?")
    expect(wrongs).to_contain_text("Postern has no service ec2")
    expect(page.get_by_text("The server finds nothing wrong.")).to_be_visible()

    write(page, document(allow("ssm:StartSession")))
    expect(wrongs).to_have_count(0)
    page.get_by_role("button", name="Format").click()
    expect(page.get_by_label("Policy document (JSON)")).to_have_value(re.compile('^{\n  "Version": "2012-10-17",\n'))
    assert page.url.endswith("/access/new-policy"), "only the form's own button saves"
    page.get_by_role("button", name="Create policy").click()
    expect(page.get_by_role("heading", name="Edited", exact=True)).to_be_visible()
    version = iam.get_policy_version(PolicyArn=f"{POLICY_ARN}/Edited", VersionId="v1")["PolicyVersion"]
    assert version["Document"]["Statement"] == [allow("ssm:StartSession")]


def test_a_policy_gets_another_version_and_goes_back(page, iam):
    arn = iam.create_policy(PolicyName="Versioned", PolicyDocument=document(allow("ssm:ListDocuments")))["Policy"]["Arn"]
    visit(page, f"{policy_path(arn)}/edit")
    write(page, document(allow("ssm:GetDocument")))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("region", name="Document", exact=True)).to_contain_text("ssm:GetDocument")
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v2"

    page.get_by_role("tab", name="Versions").click()
    page.get_by_role("button", name="Put in force: v1").click()
    expect(page.get_by_role("row", name=re.compile("v1 In force"))).to_be_visible()
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v1"


def test_an_inline_policy_and_a_boundary_are_set(page, iam):
    iam.create_user(UserName="erin")
    iam.create_policy(PolicyName="AtMost", PolicyDocument=document(allow("ssm:*")))
    visit(page, "/access/users/erin/new-inline")
    page.get_by_label("Name of the policy").fill("Own")
    write(page, document(deny("iam:*")))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="Own")).to_be_visible()
    assert iam.get_user_policy(UserName="erin", PolicyName="Own")["PolicyDocument"]["Statement"] == [deny("iam:*")]

    page.get_by_role("button", name="Set boundary").click()
    dialog = page.get_by_role("dialog", name="Set boundary")
    dialog.get_by_role("button", name=re.compile("Permissions boundary")).click()
    page.get_by_role("option", name=re.compile("^AtMost")).click()
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="AtMost")).to_be_visible()
    boundary = iam.get_user(UserName="erin")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
    assert boundary == f"{POLICY_ARN}/AtMost"


def test_who_a_trust_policy_names_must_exist(page, iam):
    visit(page, "/access/new-role")
    page.get_by_label("Name").fill("Visitors")
    write(page, trust(f"{USER_ARN}/nobody-at-all"))
    page.get_by_role("button", name="Create role").click()
    expect(page.get_by_role("list", name="What is wrong")).to_contain_text("Invalid principal in policy")

    iam.create_user(UserName="frank")
    written = trust(f"{USER_ARN}/frank")
    write(page, written)
    page.get_by_role("button", name="Create role").click()
    expect(page.get_by_role("heading", name="Visitors", exact=True)).to_be_visible()
    assert iam.get_role(RoleName="Visitors")["Role"]["AssumeRolePolicyDocument"] == json.loads(written)


def test_an_authenticator_app_is_enabled_and_removed(page, iam):
    iam.create_user(UserName="gwen")
    visit(page, "/access/users/gwen?tab=credentials")
    page.get_by_role("button", name="Add device").click()
    dialog = page.get_by_role("dialog", name="Add device")
    dialog.get_by_role("button", name="Next").click()
    picture = dialog.get_by_role("img", name="QR code of the new device")
    expect(picture).to_be_visible()
    assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 50
    seed = re.search(r"\b[A-Z2-7]{64}\b", dialog.inner_text())[0]
    now = time.time()
    dialog.get_by_label("First code").fill(code_at(seed, now - STEP_S))
    dialog.get_by_label("Second code").fill(code_at(seed, now))
    dialog.get_by_role("button", name="Enable").click()
    expect(page.get_by_role("button", name=re.compile("Remove device"))).to_be_visible()
    serial = iam.list_mfa_devices(UserName="gwen")["MFADevices"][0]["SerialNumber"]
    assert serial == f"arn:aws:iam::{ACCOUNT}:mfa/gwen"

    page.get_by_role("button", name=f"Remove device {serial}").click()
    page.get_by_role("dialog", name="Remove device").get_by_role("button", name="Remove device").click()
    expect(page.get_by_text("No MFA device")).to_be_visible()
    assert iam.list_mfa_devices(UserName="gwen")["MFADevices"] == []
    assert all(device["SerialNumber"] != serial for device in iam.list_virtual_mfa_devices()["VirtualMFADevices"])


def test_a_password_is_made_and_lets_its_user_in(page, browser, server, iam):
    iam.create_user(UserName="heidi")
    visit(page, "/access/users/heidi?tab=credentials")
    page.get_by_role("button", name="Set password").click()
    dialog = page.get_by_role("dialog", name="Set password")
    dialog.get_by_role("button", name="Make one").click()
    password = dialog.get_by_label("New password", exact=True).input_value()
    dialog.get_by_label("Ask for a new password at the next sign-in").uncheck()
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Change password")).to_be_visible()
    browser.signed_in(server, "heidi", password).context.close()


def test_tags_are_edited(page, iam):
    iam.create_user(UserName="ivan", Tags=[{"Key": "team", "Value": "db"}, {"Key": "old", "Value": "yes"}])
    visit(page, "/access/users/ivan?tab=tags")
    page.get_by_role("button", name="Edit tags").click()
    dialog = page.get_by_role("dialog", name="Edit tags")
    dialog.get_by_role("button", name="Remove").nth(0).click()
    dialog.get_by_role("button", name="Add new tag").click()
    dialog.get_by_role("combobox").nth(-2).fill("env")
    dialog.get_by_role("combobox").nth(-1).fill("dev")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The tags were saved.")).to_be_visible()
    tags = {tag["Key"]: tag["Value"] for tag in iam.list_user_tags(UserName="ivan")["Tags"]}
    assert tags == {"team": "db", "env": "dev"}, "those that are sorted first come first"


def test_the_simulator_explains(page, server):
    web = {"StringEquals": {"ssm:resourceTag/team": "web"}}
    person = Person(server, allow("ssm:StartSession", Sid="Web", Condition=web), deny("ssm:TerminateSession", Sid="Never"))
    question = {"principal": person.arn, "action": "ssm:StartSession,ssm:TerminateSession", "resource": "*"}
    visit(page, f"/access/simulator?{urlencode(question)}")
    results = page.get_by_role("region", name="Results")
    expect(results).to_contain_text("Denied: nothing allows it")
    expect(results).to_contain_text('StringEquals ssm:resourceTag/team: expected "web", the request has no such key')
    expect(results).to_contain_text(f"Statement 2 (Never) of user_{person.name}_inline")
    expect(results.locator("mark.matched").filter(has_text='"Sid": "Never"')).to_be_visible()

    page.get_by_role("button", name="Add ssm:resourceTag/team").first.click()
    page.get_by_label("Values, with commas").fill("web")
    page.get_by_role("button", name="Simulate", exact=True).click()
    expect(results).to_contain_text("Statement 1 (Web)")
    assert "context=ssm%3AresourceTag%2Fteam%3Dweb" in page.url


def test_a_policy_of_ones_own_is_simulated(page):
    visit(page, "/access/simulator")
    page.get_by_role("radio", name="A policy of your own").check()
    write(page, document(deny("ssm:DescribeSessions", Sid="No")))
    page.get_by_role("combobox", name="Actions").fill("ssm:DescribeSessions")
    page.get_by_role("button", name="Simulate", exact=True).click()
    results = page.get_by_role("region", name="Results")
    expect(results).to_contain_text("Denied by a statement")
    expect(results.locator("mark.matched").filter(has_text='"Sid": "No"')).to_be_visible()


def test_who_may_not_learns_which_action_is_missing(browser, server):
    person = Person(server, allow("iam:ListGroups"))
    give_password(server, person.name)
    page = browser.signed_in(server, person.name)
    visit(page, "/access/users")
    expect(page.get_by_text("because no identity-based policy allows the iam:ListUsers action")).to_be_visible()
    expect(page.get_by_text("What is missing: iam:ListUsers")).to_be_visible()
    link = page.get_by_role("link", name="Explain in the simulator")
    assert urlencode({"principal": person.arn}) in link.get_attribute("href")
    page.context.close()


def test_sessions_of_a_user_are_revoked(page, browser, server):
    person = Person(server, allow("*"))
    give_password(server, person.name)
    other = browser.signed_in(server, person.name)
    visit(other, "/access")
    visit(page, f"/access/users/{person.name}")
    page.get_by_role("button", name="Actions").first.click()
    page.get_by_role("menuitem", name="Revoke sessions").click()
    page.get_by_role("dialog", name="Revoke sessions").get_by_role("button", name="Revoke").click()
    expect(page.get_by_text(f"The sessions of {person.name} were revoked.")).to_be_visible()
    other.reload()
    expect(other).to_have_url(re.compile("/console/sign-in"))
    other.context.close()


def test_text_from_outside_does_nothing(page, iam):
    hostile = '<img src=x onerror="document.title=1"> \t {{7*7}} ${x}'
    iam.create_role(RoleName="Hostile", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{ACCOUNT}:root"), Description=hostile)
    for path in ["/access/roles", "/access/roles/Hostile"]:
        visit(page, path)
        expect(page.get_by_text("<img src=x onerror").first).to_be_visible()
        assert page.locator("img[src=x]").count() == 0


PAGES = {
    "users": "/access",
    "user": "/access/users/admin",
    "credentials": "/access/users/admin?tab=credentials",
    "groups": "/access/groups",
    "roles": "/access/roles",
    "role": "/access/roles/PosternNode?tab=trust",
    "policies": "/access/policies",
    "policy": policy_path("arn:aws:iam::aws:policy/AdministratorAccess"),
    "new policy": "/access/new-policy",
    "new role": "/access/new-role",
    "providers": "/access/providers",
    "simulator": f"/access/simulator?principal={USER_ARN}/admin&action=ssm:StartSession",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_the_pages(browser, server, owner, scheme):
    page = browser.signed_in(server, owner.name, color_scheme=scheme)
    for name, path in PAGES.items():
        visit(page, path)
        assert accessibility_faults(page) == [], name
    page.context.close()


def test_the_pages_fit_a_phone(browser, server, owner):
    page = browser.signed_in(server, owner.name, viewport=PHONE, reduced_motion="reduce")
    for name, path in PAGES.items():
        visit(page, path)
        assert overflow_px(page) <= 0, name
    page.context.close()
