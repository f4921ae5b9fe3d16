"""The files beside a terminal of the console, as who sits before it uses them."""

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

# A drop as a program makes it: the same events with the same content, without a hand.
DROP = """async ([selector, files]) => {
  const transfer = new DataTransfer();
  const sums = {};
  for (const { name, size, text } of files) {
    const content = text !== null ? new TextEncoder().encode(text) : Uint8Array.from({ length: size }, (_, i) => (i * 2654435761) >>> 13);
    const digest = await crypto.subtle.digest('SHA-256', content);
    sums[name] = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
    transfer.items.add(new File([content], name));
  }
  for (const type of ['dragenter', 'dragover', 'drop']) {
    document.querySelector(selector).dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }
  return sums;
}"""


class ConsoleFiles:
    """The panel of a page that has a terminal."""

    def __init__(self, page: Page):
        self.page = page

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("region", name="Files of mi-")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    def open(self) -> "ConsoleFiles":
        self.page.get_by_role("toolbar", name="Terminal tools").get_by_role("button", name="Files").click()
        expect(self.panel).to_be_visible()
        return self

    def opened(self) -> "ConsoleFiles":
        """Opens it and waits for the directory."""
        self.open()
        expect(self.panel.get_by_role("navigation", name="Directory /")).to_be_visible()
        return self

    def drop(self, *files: tuple[str, int | str], onto: str = ".terminal-place") -> dict[str, str]:
        """Drops files, each with a size or a text; gives their SHA-256 by name."""
        given = [
            {"name": name, "size": content, "text": None} if isinstance(content, int) else {"name": name, "size": 0, "text": content}
            for name, content in files
        ]
        return self.page.evaluate(DROP, [onto, given])

    def drop_paths(self, *paths: Path) -> None:
        """Drops files and directories of this machine, as a hand does it."""
        box = self.page.locator(".terminal-place").first.bounding_box()
        place = {"x": box["x"] + box["width"] / 3, "y": box["y"] + box["height"] / 2}
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        protocol = self.page.context.new_cdp_session(self.page)
        for kind in ("dragEnter", "dragOver"):
            protocol.send("Input.dispatchDragEvent", {"type": kind, "data": data, **place})
        expect(self.page.get_by_text("Drop to upload to mi-")).to_be_visible()
        protocol.send("Input.dispatchDragEvent", {"type": "drop", "data": data, **place})

    def upload(self, into: str | None = None) -> None:
        """Answers the question where to."""
        field = self.dialog.get_by_role("textbox")
        expect(field).not_to_have_value("")
        if into is not None:
            field.fill(into)
        self.dialog.get_by_role("button", name="Upload").click()

    def transfer(self, name: str) -> Locator:
        return self.panel.get_by_role("region", name="Transfers").get_by_role("listitem").filter(has_text=name)

    def is_done(self, *names: str, within_s: float = 60) -> None:
        for name in names:
            expect(self.transfer(name)).to_contain_text("Done, checksum is right", timeout=within_s * 1000)

    def row(self, name: str) -> Locator:
        return self.panel.get_by_role("row").filter(has_text=name)

    def select(self, *names: str) -> None:
        for name in names:
            self.panel.get_by_role("checkbox", name=f"Select {name}", exact=True).check(force=True)

    def action(self, name: str) -> None:
        self.panel.get_by_role("button", name="More actions").click()
        self.panel.get_by_role("menuitem", name=name).click()

    def go(self, name: str) -> None:
        self.panel.get_by_role("button", name=f"Open {name}", exact=True).click()
