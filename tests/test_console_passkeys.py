"""Passkeys: signing in to the console with one, alone and after the password, and having them."""

import json
import time

import pytest
from harness.chromium import PASSWORD, PHONE, accessibility_faults, give_password, is_settled, overflow_px
from harness.passkeys import USER_PRESENT, USER_VERIFIED, Authenticator, PasskeyBrowser, VirtualAuthenticator
from harness.people import Person, RoleOf, allow
from harness.programs import ACCOUNT
from harness.totp import STEP_S, code_at
from playwright.sync_api import Page, expect

OWN_DEVICES = ["iam:EnableMFADevice", "iam:DeactivateMFADevice"]
REFUSED = {"code": "SignInFailed", "message": "The passkey was not accepted."}


@pytest.fixture(scope="module")
def named(shared_lab):
    """A server with a name: passkeys belong to names."""
    return shared_lab.server(public_name="localhost").start()


class User(Person):
    """Somebody with a password and, on the account page, the right to passkeys of their own."""

    def __init__(self, server, *statements):
        own = allow(OWN_DEVICES, f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}")
        super().__init__(server, own, *statements)
        self.iam.create_login_profile(UserName=self.name, Password=PASSWORD)

    def browser(self) -> PasskeyBrowser:
        browser = PasskeyBrowser(self.server)
        assert browser.sign_in(self.name, PASSWORD).json() == {"next": "done"}
        return browser

    def with_passkey(self) -> Authenticator:
        authenticator = Authenticator(self.server)
        answer = self.browser().register(authenticator)
        assert answer.status == 200, answer.body
        return authenticator

    def serials(self) -> list[str]:
        return [device["SerialNumber"] for device in self.iam.list_mfa_devices(UserName=self.name)["MFADevices"]]


@pytest.fixture
def user(named):
    return User(named)


def records(server, name: str, user: str) -> list[dict]:
    """The records with this name, newest first, of a user."""
    found = server.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}]
    )
    all_of_them = [json.loads(event["CloudTrailEvent"]) for event in found["Events"]]
    return [record for record in all_of_them if record["userIdentity"].get("userName") == user]


def refusals(server, user: str) -> list[str]:
    """Why the passkey of a user was refused, as the trail says, newest first."""
    events = [record["additionalEventData"] for record in records(server, "ConsoleLogin", user)]
    return [event["PasskeyRefused"] for event in events if "PasskeyRefused" in event]


def test_a_passkey_alone_signs_in_as_two_factors(named, user):
    authenticator = user.with_passkey()
    browser = PasskeyBrowser(named)
    options = browser.options()
    assert (options["rpId"], options["userVerification"], options["allowCredentials"]) == ("localhost", "required", [])
    assert browser.use(authenticator).json() == {"next": "done"}
    session = browser.get("session").json()
    assert (session["principalArn"], session["mfa"]) == (user.arn, True)
    login = records(named, "ConsoleLogin", user.name)[0]
    assert login["responseElements"] == {"ConsoleLogin": "Success"}
    facts = login["additionalEventData"]
    assert (facts["MFAUsed"], facts["MFAIdentifier"]) == ("Yes", user.serials()[0])
    [enabled] = records(named, "EnableMFADevice", user.name)
    assert enabled["requestParameters"] == {
        "userName": user.name,
        "serialNumber": user.serials()[0],
        "passkeyName": "passkey",
    }
    [shown] = browser.get("passkeys").json()["passkeys"]
    assert shown["name"] == "passkey" and shown["lastUsedAt"] is not None and shown["isUsable"]


def test_a_passkey_is_a_second_factor_and_then_the_password_does_not_suffice(named, user):
    authenticator, other = user.with_passkey(), User(named).with_passkey()
    browser = PasskeyBrowser(named)
    answer = browser.sign_in(user.name, PASSWORD)
    assert answer.json() == {"next": "mfa", "methods": ["passkey"]}
    assert browser.get("session").status == 403
    assert len(browser.options(second_factor=True)["allowCredentials"]) == 1
    # Somebody else's, and an answer that was asked for in another step.
    assert browser.use(other, second_factor=True).json() == REFUSED
    assert browser.use(authenticator, second_factor=True).json() == {"next": "done"}
    assert browser.get("session").json()["mfa"] is True
    assert refusals(named, user.name) == ["the passkey is another user's"]
    assert [record["additionalEventData"]["MFAUsed"] for record in records(named, "ConsoleLogin", user.name)][:2] == [
        "Yes",
        "Yes",
    ]
    assert len(records(named, "CheckMfa", user.name)) == 1


def test_an_app_and_a_passkey_are_both_offered(named, user):
    user.with_passkey()
    device = user.iam.create_virtual_mfa_device(VirtualMFADeviceName=user.name)["VirtualMFADevice"]
    seed, now_s = device["Base32StringSeed"].decode(), time.time()
    codes = {f"AuthenticationCode{n + 1}": code_at(seed, now_s + (n - 1) * STEP_S) for n in range(2)}
    user.iam.enable_mfa_device(UserName=user.name, SerialNumber=device["SerialNumber"], **codes)
    assert len(user.serials()) == 2
    browser = PasskeyBrowser(named)
    assert browser.sign_in(user.name, PASSWORD).json() == {"next": "mfa", "methods": ["totp", "passkey"]}
    assert browser.post("sign-in/mfa", {"code": code_at(seed, now_s + STEP_S)}).json() == {"next": "done"}


def test_a_challenge_is_one_browsers_for_one_answer(named, user):
    authenticator = user.with_passkey()
    browser = PasskeyBrowser(named)
    answer = authenticator.get(browser.options())
    cookies = dict(browser.cookies)
    # A browser that was asked something else, or nothing.
    stranger = PasskeyBrowser(named)
    assert stranger.post("sign-in/passkey", answer).status == 403
    stranger.options()
    assert stranger.post("sign-in/passkey", answer).json() == REFUSED
    assert browser.post("sign-in/passkey", answer).json() == {"next": "done"}
    assert "__Host-postern-passkey" not in browser.cookies
    browser.cookies = cookies
    assert browser.post("sign-in/passkey", answer).json() == REFUSED
    assert refusals(named, user.name) == ["the challenge was answered before", "it answers another challenge"]
    # What was asked after the password proves nothing without it.
    half = PasskeyBrowser(named)
    half.sign_in(user.name, PASSWORD)
    answer, asked = authenticator.get(half.options(second_factor=True)), dict(half.cookies)
    alone = PasskeyBrowser(named)
    alone.cookies = {"__Host-postern-passkey": asked["__Host-postern-passkey"]}
    assert alone.post("sign-in/passkey", answer).status == 403
    assert half.post("sign-in/passkey", answer).json() == {"next": "done"}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"origin": "https://localhost.evil.example"}, "it was made for a page of another origin"),
        ({"origin": "https://localhost"}, "it was made for a page of another origin"),
        ({"more_client_data": {"crossOrigin": True}}, "it was made in a frame of another site"),
        ({"more_client_data": {"type": "webauthn.create"}}, "it is an answer of another kind"),
        ({"party": "evil.example"}, "it is for another relying party"),
        ({"flags": USER_PRESENT}, "the user was not verified"),
        ({"flags": USER_VERIFIED}, "nobody was present"),
        ({"user_handle": b"somebody else"}, "the passkey is another user's"),
        ({"user_handle": b""}, "the passkey is another user's"),
    ],
)
def test_what_was_not_made_for_this_server_is_refused(named, user, change, why):
    authenticator = user.with_passkey()
    for name, value in change.items():
        setattr(authenticator, name, value)
    assert PasskeyBrowser(named).use(authenticator).json() == REFUSED
    assert refusals(named, user.name) == [why]
    [login, *_] = records(named, "ConsoleLogin", user.name)
    assert (login["errorMessage"], login["responseElements"]) == ("Failed authentication", {"ConsoleLogin": "Failure"})


def test_a_counter_that_goes_back_is_refused_and_on_the_trail(named, user):
    authenticator = user.with_passkey()
    for sign_count, is_accepted in [(7, True), (8, True), (8, False), (3, False), (0, False), (9, True)]:
        authenticator.sign_count = sign_count
        answer = PasskeyBrowser(named).use(authenticator).json()
        assert (answer == {"next": "done"}) == is_accepted, f"{sign_count}: {answer}"
    assert refusals(named, user.name) == [f"the signature counter is {given} after 8" for given in (0, 3, 8)]


def test_an_unknown_passkey_looks_like_a_wrong_one(named, user):
    wrong, unknown = user.with_passkey(), Authenticator(named)
    wrong.key, unknown.user_handle = unknown.key, wrong.user_handle
    answers = [PasskeyBrowser(named).use(authenticator) for authenticator in (wrong, unknown)]
    assert answers[0].json() == REFUSED
    assert {(answer.status, answer.body) for answer in answers} == {(403, answers[0].body)}
    assert refusals(named, user.name) == ["the signature is wrong"]
    assert "the passkey is not known" in refusals(named, "HIDDEN_DUE_TO_SECURITY_REASONS")


def test_guessing_is_limited_together_with_passwords(lab):
    server = lab.server(public_name="localhost").start()
    user = User(server)
    right, wrong = user.with_passkey(), Authenticator(server)
    wrong.id, wrong.user_handle = right.id, right.user_handle
    for _ in range(5):
        assert PasskeyBrowser(server).use(wrong).status == 403
        assert PasskeyBrowser(server).sign_in(user.name, "Wrong-horse-7").status == 403
    refused = PasskeyBrowser(server).use(right)
    assert (refused.status, refused.json()["code"]) == (429, "TooManyAttempts")
    assert PasskeyBrowser(server).sign_in(user.name, PASSWORD).status == 429


def test_adding_one_takes_the_password_and_the_right(named, user):
    browser = user.browser()
    wrong = browser.register(Authenticator(named), password="Wrong-horse-7")
    assert (wrong.status, wrong.json()["message"]) == (403, "The password is wrong.")
    [failed] = records(named, "BeginPasskeyRegistration", user.name)
    assert failed["errorMessage"] == "Failed authentication"
    # What was begun in one sign-in is not ended in another.
    begun = browser.post("passkeys/registration", {"password": PASSWORD}).json()
    other = user.browser()
    other.cookies["__Host-postern-passkey"] = browser.cookies["__Host-postern-passkey"]
    made = {"name": "one", "credential": Authenticator(named).create(begun)}
    assert other.post("passkeys", made).status == 403
    assert browser.post("passkeys", made).status == 200
    assert browser.post("passkeys", made).status == 403, "its challenge is gone"
    without_right = Person(named)
    give_password(named, without_right.name)
    browser = PasskeyBrowser(named)
    browser.sign_in(without_right.name, PASSWORD)
    assert "iam:EnableMFADevice" in browser.register(Authenticator(named)).json()["message"]
    assert browser.get("passkeys").json()["passkeys"] == []


def test_a_role_has_no_passkeys(named):
    user = User(named, allow("sts:AssumeRole"))
    role = RoleOf(user, allow("*"))
    browser = user.browser()
    assert browser.post("switch-role", {"roleArn": role.arn}).json() == {"next": "done"}
    browser.read_token()
    assert browser.get("passkeys").json()["code"] == "NotAUser"
    assert browser.register(Authenticator(named)).json()["code"] == "NotAUser"


def test_a_user_has_eight_devices_at_most(named, user):
    browser = user.browser()
    for number in range(8):
        assert browser.register(Authenticator(named), f"key {number}").status == 200
    refused = browser.register(Authenticator(named))
    assert (refused.status, len(user.serials())) == (409, 8)
    again = Authenticator(named)
    browser.delete(f"passkeys/{browser.get('passkeys').json()['passkeys'][0]['id']}")
    assert browser.register(again).status == 200


def test_one_and_the_same_is_not_registered_twice(named, user):
    authenticator = user.with_passkey()
    browser = PasskeyBrowser(named)
    browser.use(authenticator)
    assert browser.register(authenticator).json()["message"] == "This passkey is registered already."
    assert User(named).browser().register(authenticator).status == 409


def test_an_administrator_removes_a_lost_one(named, user):
    authenticator = user.with_passkey()
    [serial] = user.serials()
    assert serial.startswith(f"arn:aws:iam::{ACCOUNT}:u2f/user/{user.name}/")
    with pytest.raises(user.iam.exceptions.DeleteConflictException, match="MFA"):
        user.iam.delete_login_profile(UserName=user.name)
        for name in user.iam.list_user_policies(UserName=user.name)["PolicyNames"]:
            user.iam.delete_user_policy(UserName=user.name, PolicyName=name)
        for key in user.iam.list_access_keys(UserName=user.name)["AccessKeyMetadata"]:
            user.iam.delete_access_key(UserName=user.name, AccessKeyId=key["AccessKeyId"])
        user.iam.delete_user(UserName=user.name)
    other = User(named)
    with pytest.raises(user.iam.exceptions.NoSuchEntityException):
        user.iam.deactivate_mfa_device(UserName=other.name, SerialNumber=serial)
    user.iam.deactivate_mfa_device(UserName=user.name, SerialNumber=serial)
    assert user.serials() == []
    assert PasskeyBrowser(named).use(authenticator).json() == REFUSED
    user.iam.delete_user(UserName=user.name)


def test_a_passkey_is_of_no_use_without_the_password_it_stands_beside(named, user):
    authenticator = user.with_passkey()
    browser = PasskeyBrowser(named)
    browser.use(authenticator)
    user.iam.delete_login_profile(UserName=user.name)
    assert browser.get("session").status == 403
    assert PasskeyBrowser(named).use(authenticator).json() == REFUSED
    assert refusals(named, user.name) == ["the user has no password for the console"]


def test_a_password_that_must_be_changed_is_changed_also_after_a_passkey(named, user):
    authenticator = user.with_passkey()
    user.iam.update_login_profile(UserName=user.name, Password=PASSWORD + "1", PasswordResetRequired=True)
    browser = PasskeyBrowser(named)
    assert browser.use(authenticator).json() == {"next": "change-password"}
    assert browser.get("session").status == 403
    passwords = {"oldPassword": PASSWORD + "1", "newPassword": PASSWORD + "2"}
    assert browser.post("sign-in/new-password", passwords).json() == {"next": "done"}
    assert browser.get("session").json()["mfa"] is True


def test_a_server_without_a_name_says_that_it_has_none(server):
    person = Person(server, allow("*"))
    give_password(server, person.name)
    browser = PasskeyBrowser(server)
    assert browser.get("sign-in").json()["passkeys"] is False
    browser.sign_in(person.name, PASSWORD)
    assert browser.get("passkeys").json()["unavailable"] == "address"
    assert browser.post("passkeys/registration", {"password": PASSWORD}).json()["code"] == "PasskeysUnavailable"
    assert browser.post("sign-in/passkey/options", {"secondFactor": False}).json()["code"] == "PasskeysUnavailable"


def test_a_page_at_another_name_is_told_where_passkeys_work(named, user):
    browser = PasskeyBrowser(named)
    assert browser.get("sign-in").json()["passkeys"] is True
    elsewhere = user.browser()
    elsewhere.send = lambda method, path, body=b"", headers=None: super(PasskeyBrowser, elsewhere).send(
        method, path, body, headers
    )
    assert elsewhere.get("sign-in").json()["passkeys"] is False
    assert elsewhere.get("passkeys").json()["unavailable"] == "other-origin"


# In the browser.


def window(browser, server, **options) -> Page:
    """A window at the server's public URL, whose machine has an authenticator."""
    return browser.page(browser.window(server, base_url=server.url, **options))


def sign_in(page: Page, user_name: str) -> None:
    page.goto("/console/sign-in")
    page.get_by_label("User name").fill(user_name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def account(page: Page, user_name: str):
    """It is there once one is signed in."""
    return page.get_by_role("button", name=f"Account: {user_name}")


def open_passkeys(page: Page, user_name: str) -> None:
    sign_in(page, user_name)
    expect(account(page, user_name)).to_be_visible()
    page.goto("/console/passkeys")


def sign_out(page: Page, user_name: str) -> None:
    account(page, user_name).click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def add_passkey(page: Page, name: str) -> None:
    page.get_by_role("button", name="Add passkey").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_text(f"The passkey {name} was added")).to_be_visible()


def test_from_adding_a_passkey_to_removing_it(browser, named):
    user = User(named, allow("*"))
    page = window(browser, named)
    authenticator = VirtualAuthenticator(page)
    sign_in(page, user.name)
    account(page, user.name).click()
    page.get_by_role("menuitem", name="Passkeys").click()
    expect(page.get_by_text("No passkey", exact=True)).to_be_visible()
    add_passkey(page, "Laptop")
    row = page.get_by_role("row").filter(has_text="Laptop")
    expect(row.get_by_text("Never")).to_be_visible()
    assert len(authenticator.credentials()) == 1
    sign_out(page, user.name)

    # Alone.
    page.get_by_role("button", name="Use a passkey").click()
    expect(account(page, user.name)).to_be_visible()
    sign_out(page, user.name)

    # After the password.
    sign_in(page, user.name)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(account(page, user.name)).to_be_visible()

    page.goto("/console/passkeys")
    expect(row.get_by_text("Never")).to_have_count(0)
    row.get_by_role("button", name="Rename Laptop").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Desk")
    page.get_by_role("dialog").get_by_role("button", name="Save").click()
    row = page.get_by_role("row").filter(has_text="Desk")
    row.get_by_role("button", name="Remove Desk").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No passkey", exact=True)).to_be_visible()
    sign_out(page, user.name)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("The passkey was not accepted.")).to_be_visible()
    sign_in(page, user.name)
    expect(account(page, user.name)).to_be_visible()


def test_an_administrator_sees_and_removes_it_among_the_devices(browser, named):
    user = User(named, allow("*"))
    page = window(browser, named, reduced_motion="reduce")
    VirtualAuthenticator(page)
    open_passkeys(page, user.name)
    add_passkey(page, "Laptop")
    page.goto(f"/console/access/users/{user.name}")
    page.get_by_role("tab", name="Credentials").click()
    row = page.get_by_role("row").filter(has_text=user.serials()[0])
    expect(row.get_by_text("Passkey", exact=True)).to_be_visible()
    assert accessibility_faults(page) == []
    row.get_by_role("button", name="Remove device").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove device").click()
    expect(page.get_by_text("No MFA device", exact=True)).to_be_visible()
    assert user.serials() == []


def test_a_copied_authenticator_is_refused(browser, named):
    user = User(named, allow("*"))
    page = window(browser, named)
    authenticator = VirtualAuthenticator(page)
    open_passkeys(page, user.name)
    add_passkey(page, "Laptop")
    [copied] = authenticator.credentials()
    sign_out(page, user.name)
    page.get_by_role("button", name="Use a passkey").click()
    expect(account(page, user.name)).to_be_visible()
    sign_out(page, user.name)
    authenticator.put(copied)
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("The passkey was not accepted.")).to_be_visible()
    [why] = refusals(named, user.name)
    assert why.startswith("the signature counter is")


def test_a_browser_that_gives_none_says_so_in_words(browser, named):
    page = window(browser, named)
    VirtualAuthenticator(page)
    page.goto("/console/sign-in")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("The browser gave no passkey")).to_be_visible()


def test_the_page_of_a_server_without_a_name_says_why(browser, server, owner):
    page = browser.signed_in(server, owner.name)
    page.goto("/console/passkeys")
    expect(page.get_by_text("passkeys belong to names")).to_be_visible()
    expect(page.get_by_role("button", name="Add passkey").first).to_be_disabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_accessible_and_fit_a_phone(browser, named, scheme):
    user = User(named, allow("*"))
    page = window(browser, named, color_scheme=scheme, reduced_motion="reduce")
    VirtualAuthenticator(page)
    open_passkeys(page, user.name)
    is_settled(page)
    assert accessibility_faults(page) == []
    add_passkey(page, "Laptop")
    is_settled(page)
    assert accessibility_faults(page) == []
    page.get_by_role("button", name="Add passkey").first.click()
    assert accessibility_faults(page) == []
    page.keyboard.press("Escape")
    page.set_viewport_size(PHONE)
    assert overflow_px(page) <= 0
    page.context.clear_cookies()
    sign_in(page, user.name)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    assert accessibility_faults(page) == []
    assert overflow_px(page) <= 0
