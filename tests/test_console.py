"""The console's frame: its first start, signing in and out, where that leads, and what the page may load."""

import re
import time

import pytest
from harness.chromium import PASSWORD, PHONE, accessibility_faults, give_password, is_settled, overflow_px
from harness.people import Person, RoleOf, allow
from harness.totp import STEP_S, code_at
from playwright.sync_api import Page, expect

# Of the first page, compressed: the page, its program, its styles, its fonts.
FIRST_PAGE_BYTES_MAX = 350 * 1024


def sign_in(page: Page, user_name: str, password: str = PASSWORD) -> None:
    page.get_by_label("User name").fill(user_name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def setup_link(server) -> str:
    """What the first start prints."""
    return re.search(r"https://\S+/console/setup#\S+", server.program.logged()).group()


def test_the_link_of_the_first_start_sets_the_administrators_password_once(browser, lab):
    server = lab.server().start()
    link = setup_link(server)
    page = browser.stranger(server)
    page.goto(link)
    # Nobody who looks at the history later finds the token.
    expect(page).to_have_url(f"{server.local_url}/console/setup")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill("something else")
    page.get_by_role("button", name="Set password and sign in").click()
    expect(page.get_by_text("The two are not the same.").first).to_be_visible()
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Set password and sign in").click()
    expect(page.get_by_role("heading", name="Nodes")).to_be_visible()
    expect(page.get_by_role("button", name="Account: admin")).to_be_visible()

    second = browser.stranger(server)
    second.goto(link)
    second.get_by_label("Password", exact=True).fill(PASSWORD + "x")
    second.get_by_label("Password again").fill(PASSWORD + "x")
    second.get_by_role("button", name="Set password and sign in").click()
    expect(second.get_by_role("main").locator("[class*=alert]").first).to_be_visible()
    second.goto("/console/")
    sign_in(second, "admin")
    expect(second.get_by_role("heading", name="Nodes")).to_be_visible()


def test_a_wrong_password_is_refused_and_a_right_one_leads_back(browser, server, owner):
    page = browser.stranger(server)
    page.goto("/console/sessions?list=history&filter=status%3DFailed")
    sign_in(page, owner.name, "wrong")
    expect(page.get_by_role("main").locator("[class*=alert]").first).to_be_visible()
    expect(page.get_by_label("User name")).to_have_value(owner.name)
    sign_in(page, owner.name)
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    expect(page).to_have_url(f"{server.local_url}/console/sessions?list=history&filter=status%3DFailed")


@pytest.mark.parametrize("elsewhere", ["//example.com/", "/\\example.com", "https://example.com/", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else(browser, server, owner, elsewhere):
    page = browser.stranger(server)
    page.goto(f"/console/sign-in?to={elsewhere}")
    sign_in(page, owner.name)
    expect(page).to_have_url(f"{server.local_url}/console/nodes")


def test_a_second_factor_is_asked_for(browser, server):
    person = Person(server, allow("*"))
    give_password(server, person.name)
    iam = server.client("iam")
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=person.name)["VirtualMFADevice"]
    seed = device["Base32StringSeed"].decode()
    # A code is good once: the two that enable the device are those of the past.
    now_s = time.time()
    codes = [code_at(seed, now_s + steps * STEP_S) for steps in (-1, 0, 1)]
    iam.enable_mfa_device(
        UserName=person.name,
        SerialNumber=device["SerialNumber"],
        AuthenticationCode1=codes[0],
        AuthenticationCode2=codes[1],
    )
    page = browser.stranger(server)
    page.goto("/console/")
    sign_in(page, person.name)
    page.get_by_label("Code").fill("12")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("A code has six digits.")).to_be_visible()
    page.get_by_label("Code").fill(codes[2])
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Nodes")).to_be_visible()


def test_a_password_that_somebody_else_set_is_replaced(browser, server):
    person = Person(server, allow("*"))
    server.client("iam").create_login_profile(UserName=person.name, Password=PASSWORD, PasswordResetRequired=True)
    page = browser.stranger(server)
    page.goto("/console/")
    sign_in(page, person.name)
    page.get_by_label("New password", exact=True).fill(PASSWORD + "!")
    page.get_by_label("New password again").fill(PASSWORD + "!")
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_role("heading", name="Nodes")).to_be_visible()


def test_a_sign_in_that_ends_elsewhere_leads_to_the_sign_in(browser, server, owner):
    page = browser.signed_in(server, owner.name)
    other = browser.signed_in(server, owner.name)
    page.goto("/console/sign-ins")
    is_settled(page)
    rows = page.get_by_role("row").filter(has_text=owner.name).filter(has_not_text="This one")
    before = rows.count()
    assert before >= 1
    for left in reversed(range(before)):
        rows.first.get_by_role("button", name="End sign-in").click()
        expect(rows).to_have_count(left)
        is_settled(page)
    expect(page.get_by_text("The sign-in has ended").last).to_be_visible()
    other.goto("/console/documents")
    expect(other.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert "to=%2Fdocuments" in other.url


def test_signing_out(browser, server, owner):
    page = browser.signed_in(server, owner.name)
    page.goto("/console/")
    page.get_by_role("button", name=f"Account: {owner.name}").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    assert page.context.request.get("/console/api/session").status == 403


def test_signing_out_leaves_every_page_of_the_browser(browser, server, owner):
    page = browser.signed_in(server, owner.name)
    page.goto("/console/documents")
    other = page.context.new_page()
    other.goto("/console/sign-ins")
    expect(other.get_by_role("button", name=f"Account: {owner.name}")).to_be_visible()
    page.get_by_role("button", name=f"Account: {owner.name}").click()
    page.get_by_role("menuitem", name="Sign out").click()
    for left in (page, other):
        expect(left.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
        assert left.url.endswith("/console/sign-in")
    other.go_back()
    expect(other.get_by_role("button", name="Sign in", exact=True)).to_be_visible()


def test_a_role_is_taken_and_given_back(browser, server, owner):
    role = RoleOf(owner, allow("ssm:Describe*"))
    page = browser.signed_in(server, owner.name)
    page.goto("/console/switch-role")
    page.get_by_label("Role").fill("not a role")
    page.get_by_role("button", name="Switch role").click()
    expect(page.get_by_text("A role’s name has letters")).to_be_visible()
    page.get_by_label("Role").fill(role.name)
    page.get_by_label("Session name").fill("from-the-console")
    page.get_by_role("button", name="Switch role").click()
    account = page.get_by_role("button", name="Account: from-the-console")
    expect(account).to_be_visible()
    account.click()
    page.get_by_role("menuitem", name="Switch back").click()
    expect(page.get_by_role("button", name=f"Account: {owner.name}")).to_be_visible()


def test_a_role_that_does_not_trust_is_explained(browser, server, owner):
    other = Person(server, allow("*"))
    role = RoleOf(other, allow("*"))
    page = browser.signed_in(server, owner.name)
    page.goto(f"/console/switch-role?role={role.name}")
    page.get_by_role("button", name="Switch role").click()
    expect(page.get_by_text("sts:AssumeRole").first).to_be_visible()


def test_an_address_that_is_none(browser, server, owner):
    page = browser.signed_in(server, owner.name)
    page.goto("/console/no/such/page")
    expect(page.get_by_role("heading", name="Page not found")).to_be_visible()
    page.get_by_role("link", name="Go to the nodes").click()
    expect(page).to_have_url(f"{server.local_url}/console/nodes")


def test_the_keyboard_reaches_everything_of_the_first_page(browser, server, owner):
    page = browser.signed_in(server, owner.name)
    page.goto("/console/nodes")
    is_settled(page)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        name = page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent")
        reached.add(name.strip())
    assert {"Postern", "Sessions", "Add node", "Start session", "Refresh nodes"} <= {
        each for name in reached for each in (name, name.removeprefix("A small gate"))
    }


def test_the_first_page_is_light_and_comes_from_here_only(browser, server, owner):
    page = browser.signed_in(server, owner.name)
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    received, hosts = [], set()
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]) if request.url.startswith("http") else None)
    page.goto("/console/")
    is_settled(page)
    assert hosts == {f"127.0.0.1:{server.port}"}
    # With the headers and the answers of the calls.
    assert sum(received) < FIRST_PAGE_BYTES_MAX + 20_000, received


def test_the_policy_of_the_page_forbids_what_it_does_not_need(server):
    connection = server.https()
    connection.request("GET", "/console/nodes", headers={"Accept": "text/html"})
    answer = connection.getresponse()
    page = answer.read().decode()
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert "'unsafe-inline'" not in policy["script-src"] and "'unsafe-eval'" not in policy["script-src"].split()
    assert policy["frame-ancestors"] == "'none'"
    assert re.findall(r"<script(?![^>]* src=)", page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/sign-in", "/setup#token", "/setup"])
def test_the_pages_before_the_sign_in_are_accessible(browser, server, path, scheme):
    page = browser.stranger(server, color_scheme=scheme, viewport=PHONE)
    page.goto(f"/console{path}")
    is_settled(page)
    expect(page.get_by_role("main")).to_be_visible()
    assert accessibility_faults(page) == []
    assert overflow_px(page) <= 0
