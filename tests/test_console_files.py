"""Files beside the terminal in the browser: dropped, shown, downloaded, and who may not."""

import base64
import hashlib
import os
import re
import zipfile

import pytest
from harness.chromium import PHONE, accessibility_faults, give_password, overflow_px
from harness.console_files import ConsoleFiles
from harness.console_terminal import ConsoleTerminal
from harness.node import Node
from harness.people import Person, allow, deny
from harness.waiting import eventually
from playwright.sync_api import expect

# A session finds an empty home of its own (`Lab.agent`), which takes root.
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the node's files are those of this machine's user")

MIB = 1024 * 1024
# Browsers that cannot save to a place of the user's choice.
NO_PICKERS = "delete window.showSaveFilePicker; delete window.showDirectoryPicker;"
# As a user who chooses; what is chosen is a file of the page's own storage.
PICKER = """window.showSaveFilePicker = async ({ suggestedName }) => {
  window.suggested = suggestedName;
  return (await navigator.storage.getDirectory()).getFileHandle('saved', { create: true });
};
window.showDirectoryPicker = async () => (await navigator.storage.getDirectory()).getDirectoryHandle('folder', { create: true });"""


@pytest.fixture
def home(node):
    """The home directory of the node's sessions, empty."""
    home = node.directory / "home"
    for path in sorted(home.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    return home


@pytest.fixture
def page(browser, server, owner):
    return browser.signed_in(server, owner.name)


@pytest.fixture
def terminal(page, node, home):
    terminal = ConsoleTerminal(page)
    terminal.start(node.node_id)
    return terminal


@pytest.fixture
def files(terminal):
    return ConsoleFiles(terminal.page)


def sha256(path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sessions(server, terminal, state: str = "Active") -> list[str]:
    """The sessions with files beside a terminal."""
    answer = server.client("ssm").describe_sessions(State=state)
    beside = f"Files beside the terminal of {terminal.session_ids()[0]}"
    found = [session for session in answer["Sessions"] if session.get("Reason") == beside]
    assert all(session["DocumentName"] == "Postern-StartSFTPSession" for session in found)
    return [session["SessionId"] for session in found]


def test_files_are_dropped_onto_the_terminal(files, terminal, home, server):
    sums = files.drop(("big.bin", 20_000_000), ("grüße 😀.txt", "hello"), ("empty", 0))
    expect(files.dialog).to_contain_text("3 files, 19.1 MiB")
    expect(files.dialog.get_by_role("textbox")).to_have_value(os.path.expanduser("~"))
    files.upload()
    files.is_done("big.bin", "grüße 😀.txt", "empty")
    assert {path.name: sha256(path) for path in left_in(home)} == sums
    expect(files.row("big.bin")).to_contain_text("19.1 MiB")
    terminal.focus()
    terminal.run("sha256sum big.bin | cut -c1-20")
    terminal.shows(sums["big.bin"][:20])
    assert len(sessions(server, terminal)) == 1


def test_directories_are_dropped_with_what_is_in_them(files, home, tmp_path):
    (tmp_path / "site" / "images").mkdir(parents=True)
    (tmp_path / "site" / "empty").mkdir()
    (tmp_path / "site" / "index.html").write_text("<p>hello")
    for number in range(120):
        (tmp_path / "site" / "images" / f"{number}.png").write_bytes(bytes([number]) * number)
    (tmp_path / "beside.txt").write_text("beside")
    files.drop_paths(tmp_path / "site", tmp_path / "beside.txt")
    expect(files.dialog).to_contain_text("122 files in 3 directories")
    files.upload("new")
    expect(files.dialog).to_contain_text("There is no such directory")
    (home / "new").mkdir()
    files.dialog.get_by_role("button", name="Upload").click()
    expect(files.panel.get_by_text("(122)", exact=True)).to_be_visible(timeout=60_000)

    def tree(root):
        return {path.relative_to(root): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}

    assert tree(home / "new") == tree(tmp_path)


def test_files_go_where_the_shell_is(files, terminal, home):
    terminal.run(r"mkdir -p 'a b/c'; cd 'a b/c'; printf '\033]7;file://host/%s\007' \"$(printf %s \"${PWD#/}\" | sed 's/ /%20/g')\"; echo the''re".replace('\\"', '"'))
    terminal.shows("there")
    files.drop(("x.txt", "x"))
    expect(files.dialog.get_by_role("textbox")).to_have_value(os.path.expanduser("~/a b/c"))
    expect(files.dialog).to_contain_text("The program in the terminal says that it is in this directory.")
    files.upload()
    files.is_done("x.txt")
    assert (home / "a b" / "c" / "x.txt").read_text() == "x"


@pytest.mark.parametrize("address", ["file://h/no/such/place", "file://h/etc/passwd", "javascript:alert(1)", "file://h/%1b%5b31m"])
def test_a_program_that_says_nonsense_leads_nowhere(files, terminal, address):
    terminal.run(rf"printf '\033]7;%s\007' '{address}'; echo sa''id")
    terminal.shows("said")
    files.drop(("x.txt", "x"))
    expect(files.dialog.get_by_role("textbox")).to_have_value(os.path.expanduser("~"))
    expect(files.dialog).not_to_contain_text("says that it is in this directory")


def left_in(home):
    """What is there but for what shells that were ended leave behind."""
    return [path for path in home.iterdir() if path.name != ".bash_history"]


def test_names_in_use_are_asked_about(files, home):
    for name in ("a.txt", "b.txt", "c.txt", "d.txt", "e.txt"):
        (home / name).write_text("former")
    (home / "a.txt").chmod(0o640)
    names = [(name, "new") for name in ("a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "f.txt")]
    files.drop(*names)
    files.upload()
    for name, answer in (("a.txt", "Replace"), ("b.txt", "Keep both"), ("c.txt", "Skip")):
        expect(files.dialog).to_contain_text(f"/{name} on the node already")
        assert accessibility_faults(files.page) == []
        files.dialog.get_by_role("button", name=answer).click()
    expect(files.dialog).to_contain_text("/d.txt")
    files.dialog.get_by_role("checkbox", name="The same for all others").check(force=True)
    files.dialog.get_by_role("button", name="Skip").click()
    files.is_done("a.txt", "b (1).txt", "f.txt")
    for name in ("c.txt", "d.txt", "e.txt"):
        expect(files.transfer(name)).to_contain_text("Skipped")
    assert {path.name: path.read_text() for path in left_in(home)} == {
        "a.txt": "new", "b.txt": "former", "b (1).txt": "new", "c.txt": "former", "d.txt": "former", "e.txt": "former", "f.txt": "new",
    }  # fmt: skip
    assert (home / "a.txt").stat().st_mode & 0o777 == 0o640


def test_a_download_is_the_file(files, home, page):
    page.add_init_script(NO_PICKERS)
    page.reload()
    (home / "data.bin").write_bytes(os.urandom(5 * MIB + 1))
    (home / "small.txt").write_text("small")
    files.opened()
    files.select("data.bin")
    with page.expect_download() as download:
        files.panel.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "data.bin"
    assert sha256(download.value.path()) == sha256(home / "data.bin")
    files.is_done("data.bin")
    files.select("small.txt")
    downloads = set()
    page.on("download", lambda download: downloads.add(download.suggested_filename))
    files.panel.get_by_role("button", name="Download").click()
    files.is_done("small.txt")
    eventually(lambda: page.wait_for_timeout(50) or downloads == {"data.bin", "small.txt"}, "both are downloaded")


def test_a_download_streams_to_where_the_user_says(files, home, page):
    page.add_init_script(PICKER)
    page.reload()
    (home / "data.bin").write_bytes(os.urandom(3 * MIB))
    (home / "b.txt").write_text("b")
    files.opened()
    files.select("data.bin")
    files.panel.get_by_role("button", name="Download").click()
    files.is_done("data.bin")
    read = """async (path) => {
      let directory = await navigator.storage.getDirectory();
      const names = path.split('/');
      for (const name of names.slice(0, -1)) directory = await directory.getDirectoryHandle(name);
      const file = await (await directory.getFileHandle(names.at(-1))).getFile();
      return Array.from(new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer())), (b) => b.toString(16).padStart(2, '0')).join('');
    }"""
    assert page.evaluate("window.suggested") == "data.bin"
    assert page.evaluate(read, "saved") == sha256(home / "data.bin")
    files.panel.get_by_role("button", name="Clear finished").click()
    files.select("b.txt")
    files.panel.get_by_role("button", name="Download").click()
    files.is_done("data.bin", "b.txt")
    assert [page.evaluate(read, f"folder/{name}") for name in ("data.bin", "b.txt")] == [sha256(home / "data.bin"), sha256(home / "b.txt")]


def test_hostile_names_are_shown_and_saved_as_what_they_are(files, home, page):
    page.add_init_script(NO_PICKERS)
    page.reload()
    names = ["invoice\u202efdp.exe", "<img src=x onerror=alert(1)>", "two\nlines", "\x1b[31mred", " .hidden . "]
    for name in names:
        (home / name).write_text(name)
    (home / os.fsdecode(b"gr\xfcn")).write_text("latin-1")
    files.opened()
    shown = ["invoice⟨U+202E⟩fdp.exe", "<img src=x onerror=alert(1)>", "two␊lines", "␛[31mred", "gr⟨U+DCFC⟩n"]
    for name in shown:
        expect(files.row(name.replace("⟨", "\u2329").replace("⟩", "\u232a"))).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    saved = {}
    page.on("download", lambda download: saved.setdefault(download.suggested_filename, download.path().read_text()))
    files.panel.get_by_role("checkbox", name="Select all").check(force=True)
    files.panel.get_by_role("button", name="Download").click()
    eventually(lambda: page.wait_for_timeout(50) or len(saved) == 6, "all are downloaded")
    assert saved == {
        "invoicefdp.exe": names[0], "_img src=x onerror=alert(1)_": names[1], "two_lines": names[2],
        "_[31mred": names[3], "hidden": names[4], "gr_n": "latin-1",
    }  # fmt: skip
    # What is not UTF-8 can be named all the same.
    files.panel.get_by_role("checkbox", name="Select all").uncheck(force=True)
    files.select("gr\u2329U+DCFC\u232an")
    files.action("Rename")
    files.dialog.get_by_role("textbox").fill("grün")
    files.dialog.get_by_role("button", name="Rename").click()
    expect(files.row("grün")).to_be_visible()
    assert (home / "grün").read_text() == "latin-1"


def test_directories_are_made_entered_and_deleted(files, home):
    (home / "keep.txt").write_text("keep")
    (home / "link").symlink_to("keep.txt")
    (home / "away").symlink_to("/usr")
    files.opened()
    files.action("New directory")
    files.dialog.get_by_role("textbox").fill("a/b")
    expect(files.dialog).to_contain_text("A name has no slash")
    files.dialog.get_by_role("textbox").fill("made")
    files.dialog.get_by_role("button", name="Create").click()
    files.go("made")
    expect(files.panel).to_contain_text("The directory is empty")
    assert files.page.evaluate("document.activeElement.ariaLabel").endswith("/made"), "the focus is where one is"
    files.panel.locator("input[type=file]").set_input_files({"name": "chosen.txt", "mimeType": "text/plain", "buffer": b"chosen"})
    files.upload()
    files.is_done("chosen.txt")
    assert (home / "made" / "chosen.txt").read_text() == "chosen"
    files.panel.get_by_role("button", name="Home directory").click()
    expect(files.row("keep.txt").nth(0)).to_be_visible()
    files.select("keep.txt", "link")
    files.action("Delete")
    files.dialog.get_by_role("button", name="Delete").click()
    expect(files.dialog).to_have_count(0)
    expect(files.row("keep.txt")).to_have_count(0)
    assert sorted(path.name for path in left_in(home)) == ["away", "made"]
    files.go("away")
    expect(files.panel.get_by_role("navigation", name="Directory /usr")).to_be_visible()
    files.panel.get_by_role("button", name="Root directory").click()
    files.go("etc")
    expect(files.panel.get_by_role("navigation", name="Directory /etc")).to_be_visible()
    files.panel.get_by_role("searchbox").fill("passwd")
    expect(files.row("passwd").first).to_be_visible()


@pytest.fixture
def outside(tmp_path):
    """A directory that links lead to, and that must stay as it is."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "precious.txt").write_text("precious")
    return tmp_path / "outside"


def plant(home, outside) -> dict[str, bytes]:
    """A tree with all that a tree can have; gives its files by their place in an archive."""
    (home / "tree" / "deep" / "deeper").mkdir(parents=True)
    (home / "tree" / "empty").mkdir()
    content = {"tree/.hidden": b"hidden", "tree/deep/big.bin": os.urandom(3 * MIB), "tree/deep/deeper/gr\u00fc\u00dfe.txt": b"gr"}
    content |= {f"tree/deep/{number}.txt": str(number).encode() for number in range(60)}
    for name, given in content.items():
        (home / name).write_bytes(given)
    (home / "tree" / "away").symlink_to(outside)
    (home / "tree" / "file-away").symlink_to(outside / "precious.txt")
    (home / "tree" / "..\\..\\evil\u202e.exe").write_bytes(b"evil")
    os.mkfifo(home / "tree" / "pipe")
    return content | {"tree/._.._evil.exe": b"evil"}


def check_archive(path, expected: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert len(names) == len(set(names))
        assert {name for name in names if name.endswith("/")} == {"tree/", "tree/deep/", "tree/deep/deeper/", "tree/empty/"}
        assert {name: archive.read(name) for name in names if not name.endswith("/")} == expected


def test_a_directory_is_downloaded_as_one_archive(files, home, page, outside, tmp_path):
    page.add_init_script(NO_PICKERS)
    page.reload()
    expected = plant(home, outside)
    files.opened()
    files.select("tree")
    with page.expect_download() as download:
        files.panel.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "tree.zip"
    download.value.save_as(tmp_path / "tree.zip")
    check_archive(tmp_path / "tree.zip", expected)
    files.is_done("tree.zip")
    expect(files.transfer("tree.zip")).to_contain_text("3 entries were left out: links, special files")
    assert accessibility_faults(page) == []


def test_an_archive_streams_to_where_the_user_says(files, home, page, outside, tmp_path):
    page.add_init_script(PICKER)
    page.reload()
    expected = plant(home, outside)
    (home / "beside.txt").write_text("beside")
    files.opened()
    files.select("tree", "beside.txt")
    files.panel.get_by_role("button", name="Download").click()
    files.is_done(f"{os.path.basename(os.path.expanduser('~'))}.zip")
    assert page.evaluate("window.suggested") == f"{os.path.basename(os.path.expanduser('~'))}.zip"
    read = """async () => {
      const file = await (await (await navigator.storage.getDirectory()).getFileHandle('saved')).getFile();
      const text = await new Promise((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.readAsDataURL(file);
      });
      return text.slice(text.indexOf(',') + 1);
    }"""
    (tmp_path / "saved.zip").write_bytes(base64.b64decode(page.evaluate(read)))
    check_archive(tmp_path / "saved.zip", expected | {"beside.txt": b"beside"})


def test_an_archive_is_cancelled(files, home, page):
    page.add_init_script(NO_PICKERS)
    page.reload()
    (home / "tree").mkdir()
    for number in range(4):
        (home / "tree" / f"{number}.bin").write_bytes(os.urandom(20 * MIB))
    files.opened()
    files.select("tree")
    files.panel.get_by_role("button", name="Download").click()
    expect(files.transfer("tree.zip")).to_contain_text(re.compile(r"[1-9][\d.]* MiB of 80.0 MiB"))
    files.panel.get_by_role("button", name="Cancel tree.zip").click()
    expect(files.transfer("tree.zip")).to_contain_text("Cancelled")
    files.go("tree")
    expect(files.row("3.bin")).to_be_visible()


def test_a_directory_is_deleted_with_what_is_in_it(files, home, page, outside):
    plant(home, outside)
    (home / "stays.txt").write_text("stays")
    files.opened()
    files.select("tree")
    files.action("Delete")
    # 4 directories, 64 files, 2 links and a pipe.
    expect(files.dialog).to_contain_text("Delete 71 entries?")
    expect(files.dialog).to_contain_text("4 directories and 67 files and other entries in all, 3.0 MiB")
    assert accessibility_faults(page) == []
    files.dialog.get_by_role("button", name="Cancel").click()
    expect(files.dialog).to_have_count(0)
    assert (home / "tree" / ".hidden").exists()
    expect(files.row("tree")).to_be_visible()
    files.action("Delete")
    expect(files.dialog).to_contain_text("Delete 71 entries?")
    files.dialog.get_by_role("button", name="Delete").click()
    expect(files.dialog).to_have_count(0)
    expect(page.get_by_text("71 entries were deleted.").first).to_be_visible()
    assert [path.name for path in left_in(home)] == ["stays.txt"]
    assert (outside / "precious.txt").read_text() == "precious"


def test_what_comes_after_the_question_is_not_deleted(files, home):
    (home / "tree" / "sub").mkdir(parents=True)
    (home / "tree" / "old.txt").write_text("old")
    files.opened()
    files.select("tree")
    files.action("Delete")
    expect(files.dialog).to_contain_text("Delete 3 entries?")
    (home / "tree" / "new.txt").write_text("new")
    files.dialog.get_by_role("button", name="Delete").click()
    expect(files.dialog).to_contain_text("Directory not empty")
    assert [path.name for path in (home / "tree").iterdir()] == ["new.txt"]


def test_a_server_that_restarts_loses_no_byte_of_an_upload(lab, browser):
    server = lab.server().start()
    node = lab.node(server)
    owner = Person(server, allow("*"))
    give_password(server, owner.name)
    page = browser.signed_in(server, owner.name)
    terminal = ConsoleTerminal(page)
    terminal.start(node.node_id)
    files = ConsoleFiles(page)
    sums = files.drop(("big.bin", 60_000_000))
    files.upload()
    expect(files.transfer("big.bin")).to_contain_text(re.compile(r"[1-9][\d.]* MiB of 57.2 MiB"))
    server.stop()
    expect(files.panel).to_contain_text("The connection is lost")
    server.start()
    files.is_done("big.bin", within_s=120)
    assert sha256(node.directory / "home" / "big.bin") == sums["big.bin"]
    assert len(sessions(server, terminal)) == 1
    # The browser says itself that there was no connection.
    browser.complaints = [text for text in browser.complaints if "ERR_" not in text and "WebSocket" not in text]


def test_an_agent_that_restarts_is_gone_on_with(lab, browser, server, owner):
    node = lab.node(server)
    page = browser.signed_in(server, owner.name)
    ConsoleTerminal(page).start(node.node_id)
    files = ConsoleFiles(page)
    sums = files.drop(("big.bin", 60_000_000))
    files.upload()
    expect(files.transfer("big.bin")).to_contain_text(re.compile(r"[1-9][\d.]* MiB of 57.2 MiB"))
    node.kill()
    [part] = (node.directory / "home").glob(".upload-*.part")
    begun = part.stat().st_ino
    node.start()
    expect(files.transfer("big.bin")).to_contain_text(re.compile("Done, checksum is right|Failed"), timeout=120_000)
    retry = files.panel.get_by_role("button", name="Try big.bin again")
    if retry.count():
        retry.click()
    files.is_done("big.bin", within_s=120)
    done = node.directory / "home" / "big.bin"
    assert (sha256(done), done.stat().st_ino) == (sums["big.bin"], begun), "the file that was begun"
    assert [path.name for path in left_in(node.directory / "home")] == ["big.bin"]


def test_a_cancelled_upload_leaves_nothing(files, home):
    files.drop(("big.bin", 60_000_000))
    files.upload()
    expect(files.transfer("big.bin")).to_contain_text(re.compile(r"[1-9][\d.]* MiB of"))
    files.panel.get_by_role("button", name="Cancel big.bin").click()
    expect(files.transfer("big.bin")).to_contain_text("Cancelled")
    eventually(lambda: left_in(home) == [], "nothing is left")


def test_an_upload_whose_terminal_is_closed_leaves_nothing(files, home):
    files.drop(("big.bin", 60_000_000))
    files.upload()
    expect(files.transfer("big.bin")).to_contain_text(re.compile(r"[1-9][\d.]* MiB of"))
    files.page.get_by_role("button", name="Close the terminal of").click()
    eventually(lambda: left_in(home) == [], "nothing is left")


def test_who_may_not_is_told_why(browser, server, node):
    may_not = deny("ssm:StartSession", "arn:aws:ssm:*:*:document/Postern-StartSFTPSession")
    person = Person(server, allow(["ssm:*", "iam:SimulatePrincipalPolicy"]), may_not)
    give_password(server, person.name)
    page = browser.signed_in(server, person.name)
    ConsoleTerminal(page).start(node.node_id)
    files = ConsoleFiles(page).open()
    expect(files.panel).to_contain_text("is not authorized to perform: ssm:StartSession on resource")
    expect(files.panel).to_contain_text("document/Postern-StartSFTPSession")
    expect(files.panel).to_contain_text("with an explicit deny")
    expect(files.panel).to_contain_text("Decided by")
    expect(files.panel).to_contain_text("Files need ssm:StartSession on the node and on the document")
    assert accessibility_faults(page) == []


def test_a_node_whose_agent_cannot_is_said_to(browser, server, owner):
    node = Node(server).joined().connected()
    about = {"InstanceId": node.id, "AgentName": "amazon-ssm-agent", "AgentVersion": "3.3.987.0", "AgentStatus": "Active"}
    assert node.call("UpdateInstanceInformation", about | {"PlatformType": "Linux"}).status == 200
    page = browser.signed_in(server, owner.name)
    page.goto(f"/console/start-session?target={node.id}")
    page.get_by_role("button", name="Start session").last.click()
    files = ConsoleFiles(page).open()
    expect(files.panel).to_contain_text("Files need postern-agent on the node")


def test_the_session_ends_with_the_terminal(files, terminal, server):
    files.opened()
    [session_id] = sessions(server, terminal)
    expect(files.panel.get_by_role("link", name="Show the session")).to_have_attribute("href", f"/console/sessions/{session_id}")
    files.panel.get_by_role("button", name="Close the files").click()
    assert files.page.evaluate("document.activeElement.className") == "xterm-helper-textarea"
    assert sessions(server, terminal) == [session_id], "the panel may be opened again"
    files.page.get_by_role("button", name="Close the terminal of").click()
    eventually(lambda: is_over(server, session_id), "the session has ended")


def test_the_session_ends_with_the_page(files, terminal, server):
    files.opened()
    [session_id] = sessions(server, terminal)
    files.page.reload()
    eventually(lambda: is_over(server, session_id), "the session has ended")
    terminal.is_connected()


def is_over(server, session_id: str) -> bool:
    described = server.client("ssm").describe_sessions(State="History", Filters=[{"key": "SessionId", "value": session_id}])
    return len(described["Sessions"]) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_accessible_and_fits_a_phone(browser, server, owner, node, home, scheme):
    page = browser.signed_in(server, owner.name, color_scheme=scheme, reduced_motion="reduce")
    ConsoleTerminal(page).start(node.node_id)
    for number in range(12):
        (home / f"file {number}").write_text(str(number))
    (home / "directory").mkdir()
    files = ConsoleFiles(page).opened()
    assert accessibility_faults(page) == []
    files.drop(("dropped.txt", "x"), onto=".files-panel")
    expect(files.dialog.get_by_role("textbox")).not_to_have_value("")
    assert accessibility_faults(page) == []
    files.upload()
    files.is_done("dropped.txt")
    assert accessibility_faults(page) == []
    page.set_viewport_size(PHONE)
    assert overflow_px(page) <= 0
    assert accessibility_faults(page) == []


def test_the_keyboard_alone_reaches_everything(files, home, page):
    (home / "directory").mkdir()
    page.keyboard.press("Control+Shift+F6")
    for _ in range(20):
        if page.evaluate("document.activeElement.textContent") == "Files":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(files.panel).to_be_focused()
    expect(files.row("directory")).to_be_visible()
    for _ in range(40):
        if page.evaluate("document.activeElement.ariaLabel") == "Open directory":
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(files.panel.get_by_role("navigation", name="/directory")).to_be_focused()


def test_files_that_miss_their_place_are_not_opened(files, page):
    url = page.url
    files.drop(("x.html", "<script>alert(1)</script>"), onto="#top")
    page.wait_for_timeout(200)
    assert page.url == url and files.dialog.count() == 0


def test_nothing_of_it_is_loaded_before_it_is_wanted(terminal, page):
    loaded = []
    page.on("response", lambda response: loaded.append(response.text() if response.url.endswith(".js") else ""))
    page.reload()
    terminal.is_connected()
    page.wait_for_load_state("networkidle")
    assert loaded and not any("check-file@postern" in text for text in loaded)
    ConsoleFiles(page).opened()
    assert any("check-file@postern" in text for text in loaded)
