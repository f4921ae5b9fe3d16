"""Nodes in the browser: found, added, tagged, taken away; many of them, and hostile ones."""

import re
import shlex
import subprocess
import time

import pytest
from harness.chromium import PHONE, accessibility_faults, give_password, overflow_px, visit
from harness.console_nodes import FILTER_ONCE, many, served
from harness.people import Person, allow
from playwright.sync_api import Page, expect

# From the keystroke to the rows that it leaves, seen by a person. Far less is spent on the filter itself.
FILTERED_WITHIN_MS = 100


def rows(page: Page):
    """The table's rows without its head."""
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader"))


def type_filter(page: Page, text: str) -> None:
    box = page.get_by_role("combobox", name="Filter nodes")
    box.fill(text)
    box.press("Enter")


def test_a_node_is_shown_as_it_is(page, node):
    visit(page, "/nodes")
    row = rows(page).filter(has_text=node.node_id)
    expect(row.get_by_text("Online")).to_be_visible()
    expect(row.get_by_text("Debian")).to_be_visible()
    row.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(rf"/console/nodes/{node.node_id}$"))
    expect(page.get_by_text("Open: sessions can start")).to_be_visible()
    expect(page.get_by_text("The agent has been connected for")).to_be_visible()


def test_why_a_node_is_away_and_since_when(page, lab, server):
    agent = lab.node(server)
    agent.stop()
    visit(page, f"/nodes?filter=id%3D{agent.node_id}")
    row = rows(page).filter(has_text=agent.node_id)
    expect(row.get_by_text(re.compile("away for .* second.*: the node, or the network, closed the connection"))).to_be_visible()
    row.get_by_role("link").first.click()
    expect(page.get_by_text("While it runs, its agent tries again at least every 30 seconds.")).to_be_visible()
    agent.start()
    before = "Its connection before that ended (now|.* ago): the node, or the network, closed the connection."
    # The page asks again by itself, less often while nothing changes.
    expect(page.get_by_text(re.compile(f"The agent has been connected for .* {before}"))).to_be_visible(timeout=45_000)


def test_who_may_not_learn_why_sees_when_a_node_was_heard_from(browser, server, node):
    person = Person(server, allow("ssm:*"))
    give_password(server, person.name)
    page = browser.signed_in(server, person.name)
    visit(page, f"/nodes?filter=id%3D{node.node_id}")
    row = rows(page).filter(has_text=node.node_id)
    expect(row.get_by_text("Online")).to_be_visible()
    expect(row.get_by_text(" ago")).to_be_visible()
    visit(page, f"/nodes/{node.node_id}")
    expect(page.get_by_text("The agent is connected.")).to_be_visible()


def test_the_filter_is_in_the_address(page, node):
    visit(page, "/nodes")
    type_filter(page, "no such node")
    expect(page.get_by_text("No matches")).to_be_visible()
    assert "filter=text%3Ano+such+node" in page.url
    page.get_by_role("button", name="Clear filter", exact=True).click()
    expect(rows(page).filter(has_text=node.node_id)).to_be_visible()
    visit(page, f"/nodes?filter=id%3D{node.node_id}&filter=status%3DOnline")
    expect(rows(page)).to_have_count(1)
    visit(page, "/nodes?filter=platformType%3DWindows")
    expect(page.get_by_text("No matches")).to_be_visible()


def test_a_node_is_added_by_the_line_that_the_page_shows(page, lab, server):
    visit(page, "/nodes/add")
    page.get_by_label("Name").fill("new-arrival")
    page.get_by_label("How many machines").fill("0")
    expect(page.get_by_text("A whole number from 1 to 1000.")).to_be_visible()
    page.get_by_label("How many machines").fill("1")
    page.get_by_role("button", name="Add tag").click()
    page.get_by_role("textbox", name="Key").fill("site")
    page.get_by_role("textbox", name="Value").fill("attic")
    page.get_by_role("button", name="Create activation").click()
    line = page.get_by_role("tabpanel", name="Linux", exact=True).locator("code").inner_text()
    expect(page.get_by_text("Waiting for the first node")).to_be_visible()
    for platform in ["macOS", "Windows"]:
        page.get_by_role("tab", name=platform).click()
        expect(page.get_by_text(f"There is no postern-agent for {platform} yet.")).to_be_visible()
    assert accessibility_faults(page) == []

    agent = lab.agent(server)
    register, enable = line.split(" && ")
    assert enable == "systemctl enable --now postern-agent"
    program, *arguments = shlex.split(register)
    assert program == "postern-agent"
    agent.directory.mkdir(parents=True, exist_ok=True)
    command = [agent.register_command(server.activation())[0], *arguments, "--state-dir", str(agent.state)]
    done = subprocess.run(command, env=agent.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    agent.node_id = re.search(r"mi-[0-9a-f]{17}", done.stdout + done.stderr).group()
    agent.start()
    expect(page.get_by_text("1 node has registered")).to_be_visible()
    page.get_by_role("link", name="new-arrival").click()
    expect(page.get_by_role("heading", name="new-arrival")).to_be_visible()
    expect(page.get_by_text("site: attic")).to_be_visible()

    visit(page, "/nodes?filter=tag%3Dsite%3Dattic")
    expect(rows(page)).to_have_count(1)
    expect(rows(page).filter(has_text="new-arrival")).to_be_visible()

    visit(page, f"/nodes/{agent.node_id}")
    page.get_by_role("button", name="Deregister").click()
    page.get_by_role("dialog").get_by_role("button", name="Deregister").click()
    expect(page.get_by_text("new-arrival is no node any more")).to_be_visible()
    assert agent.node_id not in {each["InstanceId"] for each in server.nodes()}


def test_tags_are_edited(page, node, server):
    visit(page, f"/nodes/{node.node_id}")
    page.get_by_role("button", name="Edit tags").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add tag").click()
    expect(dialog.get_by_text("A tag has a key.")).to_be_visible()
    expect(dialog.get_by_role("button", name="Save tags")).to_be_disabled()
    dialog.get_by_role("textbox", name="Key").last.fill("edited-in")
    dialog.get_by_role("textbox", name="Value").last.fill("the console")
    assert accessibility_faults(page) == []
    dialog.get_by_role("button", name="Save tags").click()
    expect(page.get_by_text("edited-in: the console")).to_be_visible()
    tags = server.client().list_tags_for_resource(ResourceType="ManagedInstance", ResourceId=node.node_id)["TagList"]
    assert {"Key": "edited-in", "Value": "the console"} in tags

    page.get_by_role("button", name="Edit tags").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove the tag edited-in").click()
    page.get_by_role("dialog").get_by_role("button", name="Save tags").click()
    expect(page.get_by_text("edited-in: the console")).to_have_count(0)


def test_what_a_node_says_of_itself_does_nothing(page, server):
    evil = "<img src=x onerror=\"document.title='owned'\">\u202egnp.exe\u200b\x1b]0;owned\x07"
    node = {
        "InstanceId": "mi-0123456789abcdef0",
        "PingStatus": "Online",
        "Name": evil,
        "ComputerName": evil,
        "PlatformName": evil,
        "AgentVersion": "<script>document.title='owned'</script>",
        "IPAddress": "javascript:alert(1)",
    }
    served(page, [node])
    for path in ["/nodes", f"/nodes/{node['InstanceId']}", f"/start-session?target={node['InstanceId']}"]:
        visit(page, path)
        shown = page.get_by_role("main").inner_text()
        assert "<img src=x" in shown
        assert not set("\u202e\u200b\x1b\x07") & set(page.content()), path
        assert "U+202E" in shown and "owned" not in page.title()
    assert page.locator("img[src=x]").count() == 0


def test_a_nodes_tags_are_seen_whole_at_the_usual_width(page, server, node):
    tags = {"Environment": "production", "Team": "platform", "Role": "web", "Note": "long " * 30 + "indeed"}
    server.client().add_tags_to_resource(
        ResourceType="ManagedInstance",
        ResourceId=node.node_id,
        Tags=[{"Key": key, "Value": value.strip()} for key, value in tags.items()],
    )
    visit(page, f"/nodes?filter=id%3D{node.node_id}")
    row = rows(page).filter(has_text=node.node_id)
    expect(row.get_by_text("Environment: production")).to_be_visible()
    hidden_px = row.evaluate("(row) => { const { scrollWidth, clientWidth } = row.closest('table').parentElement; return scrollWidth - clientWidth; }")
    assert hidden_px <= 0
    row.get_by_role("button", name="all 4 tags").click()
    for key, value in tags.items():
        expect(page.get_by_role("dialog").get_by_text(f"{key}: {value}")).to_be_visible()
    assert accessibility_faults(page) == []
    server.client().remove_tags_from_resource(
        ResourceType="ManagedInstance", ResourceId=node.node_id, TagKeys=list(tags)
    )


def test_ten_thousand_nodes_are_filtered_at_once(page):
    served(page, many(10_000))
    visit(page, "/nodes")
    expect(page.get_by_role("heading", name="Nodes (10000)")).to_be_visible(timeout=60_000)
    took = [page.evaluate(FILTER_ONCE, text) for text in ["web-999", "web-55", "Online", "192.0.2.7", "web-9"]]
    assert rows(page).count() > 0
    # What else runs on this machine only adds to what it takes.
    assert min(took) < FILTERED_WITHIN_MS, took


def test_a_server_that_does_not_answer_is_said_and_asked_again(page, node):
    answers = []

    def answer(route) -> None:
        if route.request.headers.get("x-amz-target", "").endswith(".DescribeInstanceInformation"):
            answers.append(time.monotonic())
            route.abort()
        else:
            route.continue_()

    page.route(re.compile(r"^https://[^/]+/$"), answer)
    page.goto("/console/nodes")
    expect(page.get_by_text("The server cannot be reached")).to_be_visible()
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect(rows(page).filter(has_text=node.node_id)).to_be_visible()
    # A read is tried again by itself before anybody is told.
    assert len(answers) >= 3


def test_who_may_not_list_nodes_is_told_why(browser, server):
    person = Person(server, allow("iam:*"))
    give_password(server, person.name)
    page = browser.signed_in(server, person.name)
    page.goto("/console/nodes")
    expect(page.get_by_text("You are not allowed to do this")).to_be_visible()
    expect(page.get_by_text("ssm:DescribeInstanceInformation").first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", ["desktop", "phone"])
def test_the_pages_are_accessible(browser, server, owner, node, scheme, window):
    options = {"color_scheme": scheme} | ({"viewport": PHONE} if window == "phone" else {})
    page = browser.signed_in(server, owner.name, **options)
    for path in ["/nodes", f"/nodes/{node.node_id}", "/nodes/mi-00000000000000000", "/nodes/add"]:
        visit(page, path)
        assert accessibility_faults(page) == [], path
        assert overflow_px(page) <= 0, path
