"""The list of nodes in the browser, with more of them than a test can start."""

from playwright.sync_api import Page

from .chromium import answered

# More than a server gives: the test is about what the browser does with them.
NODES_AT_A_TIME = 1000

# Milliseconds until the page has been drawn again.
FILTER_ONCE = """async (text) => {
    const link = document.createElement('a');
    link.href = `/console/nodes?filter=${encodeURIComponent(`text:${text}`)}`;
    document.body.append(link);
    const heading = document.querySelector('h1');
    const before = heading.textContent;
    const began = performance.now();
    link.click();
    while (heading.textContent === before) {
        await new Promise(requestAnimationFrame);
    }
    return performance.now() - began;
}"""


def served(page: Page, nodes: list[dict]) -> None:
    """Answers the list of nodes with these, in place of the server."""

    def answer(asked: dict) -> dict:
        start = int(asked.get("NextToken", "0"))
        page_of = {"InstanceInformationList": nodes[start : start + NODES_AT_A_TIME]}
        if start + NODES_AT_A_TIME < len(nodes):
            page_of["NextToken"] = str(start + NODES_AT_A_TIME)
        return page_of

    answered(page, "DescribeInstanceInformation", answer)


def many(count: int) -> list[dict]:
    """Nodes that never were."""
    return [
        {
            "InstanceId": f"mi-{number:017x}",
            "PingStatus": ["Online", "ConnectionLost"][number % 2],
            "ComputerName": f"web-{number}.example",
            "PlatformName": "Debian GNU/Linux",
            "AgentVersion": "3.3.4000.0",
            "IPAddress": f"192.0.2.{number % 256}",
        }
        for number in range(count)
    ]
