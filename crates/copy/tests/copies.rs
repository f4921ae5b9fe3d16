//! Copies with the agent's own file server, in memory, and with one that is hostile.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use postern_copy::{Copier, FileError, Options, Progress, Remote};
use postern_sftp::{Attributes, EXTENSIONS, Message, Name, Packets, Reply, Request, StatusCode, VERSION};
use tokio::net::UnixStream;

/// What was told.
#[derive(Default)]
struct Told {
    begun: Vec<(String, u64, u64)>,
    bytes: u64,
    finished: usize,
    failures: Vec<String>,
}

impl Progress for Told {
    fn begin(&mut self, name: &str, size: u64, from: u64) {
        self.begun.push((name.to_owned(), size, from));
    }

    fn advance(&mut self, bytes: u64) {
        self.bytes += bytes;
    }

    fn finish(&mut self) {
        self.finished += 1;
    }

    fn fail(&mut self, error: &FileError) {
        let source = std::error::Error::source(error).map(|source| format!(": {source}"));
        self.failures.push(format!("{error}{}", source.unwrap_or_default()));
    }
}

const NONE: Options = Options { recursive: false, preserve: false, resume: false };
const TREE: Options = Options { recursive: true, ..NONE };
const RESUME: Options = Options { resume: true, ..NONE };

/// A stream to a server that runs in a thread until it ends.
fn stream(serve: impl FnOnce(std::os::unix::net::UnixStream) + Send + 'static) -> UnixStream {
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    std::thread::spawn(move || serve(theirs));
    ours.set_nonblocking(true).unwrap();
    UnixStream::from_std(ours).unwrap()
}

async fn remote() -> Remote<UnixStream> {
    let stream = stream(|theirs| {
        let _ = postern_agent::sftp_server::serve(&theirs, &theirs);
    });
    Remote::begin(stream).await.unwrap()
}

async fn upload(options: Options, sources: &[&Path], target: &Path) -> (Result<(), FileError>, Told) {
    let mut told = Told::default();
    let mut remote = remote().await;
    let mut copier = Copier::new(&mut remote, options, &mut told);
    let outcome = copier.upload(sources, target.as_os_str().as_bytes()).await;
    let failures = copier.failures();
    assert_eq!(failures, told.failures.len());
    (outcome, told)
}

async fn download(options: Options, source: &Path, target: &Path) -> (Result<(), FileError>, Told) {
    let mut told = Told::default();
    let mut remote = remote().await;
    let mut copier = Copier::new(&mut remote, options, &mut told);
    let outcome = copier.download(&[source.as_os_str().as_bytes()], target, true).await;
    (outcome, told)
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// All names below it.
    fn names(&self) -> Vec<String> {
        fn walk(directory: &Path, prefix: &str, names: &mut Vec<String>) {
            for entry in std::fs::read_dir(directory).unwrap() {
                let entry = entry.unwrap();
                let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
                if entry.file_type().unwrap().is_dir() {
                    walk(&entry.path(), &format!("{name}/"), names);
                } else {
                    names.push(name);
                }
            }
        }
        let mut names = Vec::new();
        walk(self.0.path(), "", &mut names);
        names.sort();
        names
    }
}

#[tokio::test]
async fn files_of_any_size_arrive_both_ways() {
    let place = Place::new();
    for size in [0, 1, 65_535, 65_536, 65_537, 5_000_000] {
        let content = noise(size);
        let file = place.file("file", &content);
        let (outcome, told) = upload(NONE, &[&file], &place.path("up")).await;
        outcome.unwrap();
        assert_eq!(told.failures, Vec::<String>::new());
        assert_eq!((told.bytes, told.finished), (size as u64, 1));
        assert!(std::fs::read(place.path("up")).unwrap() == content, "{size} bytes up");
        let (outcome, told) = download(NONE, &file, &place.path("down")).await;
        outcome.unwrap();
        assert_eq!((told.bytes, told.finished), (size as u64, 1));
        assert!(std::fs::read(place.path("down")).unwrap() == content, "{size} bytes down");
        assert_eq!(place.names(), ["down", "file", "up"], "nothing else is left");
    }
}

#[tokio::test]
async fn modes_and_times_are_kept_if_asked_for() {
    let place = Place::new();
    let file = place.file("file", b"x");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o4751)).unwrap();
    let times = std::fs::FileTimes::new();
    let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    std::fs::File::options().write(true).open(&file).unwrap().set_times(times.set_modified(then)).unwrap();
    let preserve = Options { preserve: true, ..NONE };
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for (name, target) in [("up", place.path("up")), ("down", place.path("down"))] {
        let outcome = match name {
            "up" => upload(preserve, &[&file], &target).await.0,
            _ => download(preserve, &file, &target).await.0,
        };
        outcome.unwrap();
        assert_eq!((mode(&target), std::fs::metadata(&target).unwrap().mtime()), (0o4751, 1_000_000_000));
        std::fs::remove_file(&target).unwrap();
        let outcome = match name {
            "up" => upload(NONE, &[&file], &target).await.0,
            _ => download(NONE, &file, &target).await.0,
        };
        outcome.unwrap();
        assert_eq!(mode(&target) & 0o7000, 0, "{name}: no one becomes somebody else by a copy");
        assert_ne!(std::fs::metadata(&target).unwrap().mtime(), 1_000_000_000);
        // What is there keeps its mode.
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o600)).unwrap();
        let outcome = match name {
            "up" => upload(NONE, &[&file], &target).await.0,
            _ => download(NONE, &file, &target).await.0,
        };
        outcome.unwrap();
        assert_eq!(mode(&target), 0o600);
    }
}

#[tokio::test]
async fn trees_arrive_both_ways() {
    let place = Place::new();
    place.file("tree/a", b"a");
    place.file("tree/sub/b c", b"b");
    place.file("tree/sub/\u{1b}[31m", b"c");
    symlink("a", place.path("tree/link")).unwrap();
    std::fs::create_dir(place.path("tree/empty")).unwrap();
    std::fs::create_dir(place.path("there")).unwrap();
    let tree = place.path("tree");
    upload(TREE, &[&tree], &place.path("there")).await.0.unwrap();
    upload(TREE, &[&tree], &place.path("up")).await.0.unwrap();
    download(TREE, &tree, &place.path("there/down")).await.0.unwrap();
    for copy in ["there/tree", "up", "there/down"] {
        for (name, content) in [("a", "a"), ("sub/b c", "b"), ("sub/\u{1b}[31m", "c"), ("link", "a")] {
            let path = place.path(copy).join(name);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content, "{}", path.display());
            assert!(!path.is_symlink(), "links are followed");
        }
        assert!(place.path(copy).join("empty").is_dir());
    }
    let (outcome, told) = upload(NONE, &[&tree], &place.path("no")).await;
    outcome.unwrap();
    assert!(told.failures[0].ends_with("is a directory; -r copies directories"), "{:?}", told.failures);
}

#[tokio::test]
async fn a_link_to_where_it_is_is_no_tree_without_end() {
    let place = Place::new();
    place.file("tree/a", b"a");
    symlink("..", place.path("tree/up")).unwrap();
    symlink(".", place.path("tree/self")).unwrap();
    let tree = place.path("tree");
    let other = Place::new();
    for told in [
        upload(TREE, &[&tree], &other.path("up")).await.1,
        download(TREE, &tree, &other.path("down")).await.1,
    ] {
        assert!(
            told.failures.iter().any(|failure| failure.contains("self leads to a directory")),
            "{:?}",
            told.failures
        );
        assert!(told.failures.len() <= 4, "{:?}", told.failures);
    }
}

#[tokio::test]
async fn what_broke_off_is_gone_on_with_if_it_is_the_same() {
    let place = Place::new();
    let content = noise(1_000_000);
    let file = place.file("file", &content);
    let mut other = content[..400_000].to_vec();
    for is_same in [true, false] {
        if !is_same {
            other[200_000] ^= 1;
        }
        for (name, from) in
            [("up", if is_same { 400_000 } else { 0 }), ("down", if is_same { 400_000 } else { 0 })]
        {
            let partial = place.file(&format!(".{name}.part"), &other);
            let target = place.path(name);
            let (outcome, told) = match name {
                "up" => upload(RESUME, &[&file], &target).await,
                _ => download(RESUME, &file, &target).await,
            };
            outcome.unwrap();
            assert_eq!(told.begun[0].2, from, "{name}, the same: {is_same}");
            assert_eq!(told.bytes, 1_000_000 - from);
            assert!(std::fs::read(&target).unwrap() == content);
            assert!(!partial.exists());
        }
    }
    // Without being asked to, it begins anew.
    place.file(".up.part", &content[..1000]);
    let (outcome, told) = upload(NONE, &[&file], &place.path("up")).await;
    outcome.unwrap();
    assert_eq!(told.begun[0].2, 0);
}

#[tokio::test]
async fn nobody_is_led_elsewhere_by_what_lies_in_the_way() {
    let place = Place::new();
    let file = place.file("file", &noise(1000));
    let victim = place.file("victim", b"mine");
    for options in [NONE, RESUME] {
        for name in ["up", "down"] {
            let partial = place.path(&format!(".{name}.part"));
            symlink(&victim, &partial).unwrap();
            let outcome = match name {
                "up" => upload(options, &[&file], &place.path(name)).await.0,
                _ => download(options, &file, &place.path(name)).await.0,
            };
            outcome.unwrap();
            assert_eq!(std::fs::read(&victim).unwrap(), b"mine");
            assert!(!place.path(name).is_symlink() && !partial.is_symlink());
        }
    }
    // The place itself may be a link, as for scp: what it leads to is replaced.
    symlink("victim", place.path("link")).unwrap();
    upload(NONE, &[&file], &place.path("link")).await.0.unwrap();
    assert!(place.path("link").is_symlink());
    assert_eq!(std::fs::read(&victim).unwrap().len(), 1000);
}

#[tokio::test]
async fn what_cannot_be_copied_is_told_and_the_rest_goes_on() {
    let place = Place::new();
    let (one, two) = (place.file("one", b"1"), place.file("two", b"2"));
    std::fs::create_dir(place.path("there")).unwrap();
    let missing = place.path("missing");
    let (outcome, told) = upload(NONE, &[&one, &missing, &two], &place.path("there")).await;
    outcome.unwrap();
    assert_eq!((told.finished, told.failures.len()), (2, 1));
    assert!(told.failures[0].contains("missing"), "{:?}", told.failures);
    let (outcome, _) = upload(NONE, &[&one, &two], &place.path("new")).await;
    assert!(matches!(outcome, Err(FileError::TargetNotDirectory(_))));
    let (outcome, told) = download(NONE, &missing, &place.path("x")).await;
    outcome.unwrap();
    assert!(told.failures[0].ends_with("no such file or directory"), "{:?}", told.failures);
    let (outcome, told) = download(NONE, Path::new("/dev/zero"), &place.path("x")).await;
    outcome.unwrap();
    assert!(told.failures[0].ends_with("is not a regular file"), "{:?}", told.failures);
}

#[tokio::test]
async fn files_that_do_not_say_how_long_they_are_are_read_to_their_end() {
    let place = Place::new();
    let (outcome, told) = download(NONE, Path::new("/proc/self/status"), &place.path("status")).await;
    outcome.unwrap();
    assert_eq!(told.failures, Vec::<String>::new());
    assert!(std::fs::read_to_string(place.path("status")).unwrap().starts_with("Name:"));
}

/// A name that a hostile directory has again and again.
const ENDLESS: &[u8] = &[b'x'; 200_000];

/// A server whose only directory has these names, in which everything is a file of two bytes, and whose digest is wrong
/// if told so.
fn hostile(stream: std::os::unix::net::UnixStream, names: Vec<&'static [u8]>, digest: [u8; 32]) {
    use std::io::{Read as _, Write as _};
    let (mut packets, mut buffer, mut listed) = (Packets::default(), vec![0; 65_536], false);
    loop {
        let Ok(count @ 1..) = (&stream).read(&mut buffer) else { return };
        packets.push(&buffer[..count]);
        let mut out = Vec::new();
        while let Some(packet) = packets.next_packet().unwrap() {
            let message = Message::parse(packet).unwrap();
            let Message::Request { id, request } = message else {
                let extensions = EXTENSIONS.map(|(name, data)| (name.as_bytes(), data.as_bytes())).to_vec();
                Reply::Version { version: VERSION, extensions }.put(0, &mut out);
                continue;
            };
            let file = Attributes { size: Some(2), mode: Some(0o100_644), ..Attributes::default() };
            let directory = Attributes { mode: Some(0o040_755), ..Attributes::default() };
            let reply = match request {
                Request::Stat { path: b"/tree" } | Request::Lstat { path: b"/tree" } => {
                    Reply::Attributes(directory)
                }
                Request::Stat { .. } | Request::Lstat { .. } | Request::Fstat { .. } => {
                    Reply::Attributes(file)
                }
                Request::Open { .. } | Request::Opendir { .. } => Reply::Handle(b"h"),
                Request::Read { .. } => Reply::Data(b"hi"),
                Request::Readdir { .. } if listed && names != [ENDLESS] => Reply::status(StatusCode::Eof),
                Request::Readdir { .. } => {
                    listed = true;
                    let name = |name: &&'static [u8]| Name { name, long_name: b"", attributes: file };
                    Reply::Names(names.iter().map(name).collect())
                }
                Request::Extended(_) => Reply::Extended(postern_sftp::Extended::Digest(digest)),
                _ => Reply::status(StatusCode::Ok),
            };
            reply.put(id, &mut out);
        }
        (&stream).write_all(&out).unwrap();
    }
}

async fn from_hostile(names: Vec<&'static [u8]>, digest: [u8; 32]) -> (Place, Told) {
    let place = Place::new();
    std::fs::create_dir(place.path("in")).unwrap();
    let mut remote = Remote::begin(stream(move |stream| hostile(stream, names, digest))).await.unwrap();
    let mut told = Told::default();
    let mut copier = Copier::new(&mut remote, TREE, &mut told);
    copier.download(&[b"/tree"], &place.path("in"), true).await.unwrap();
    (place, told)
}

/// Of `hi`.
fn right_digest() -> [u8; 32] {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"hi").as_ref().try_into().unwrap()
}

#[tokio::test]
async fn names_of_a_hostile_node_lead_nowhere() {
    let names: Vec<&[u8]> = vec![
        b"../escaped",
        b"/tmp/postern-escaped",
        b"..",
        b"a/b",
        b"",
        b"nul\0",
        b"fine",
        b"\x1b]0;title\x07",
        b"\xff",
    ];
    let (place, told) = from_hostile(names, right_digest()).await;
    let tree: Vec<_> =
        std::fs::read_dir(place.path("in/tree")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(tree.len(), 3, "{tree:?}");
    assert!(!place.path("in/escaped").exists() && !Path::new("/tmp/postern-escaped").exists());
    // `..` is left out as every directory has it.
    assert_eq!(told.failures.len(), 5, "{:?}", told.failures);
    let shown =
        [told.failures.concat(), told.begun.iter().map(|(name, ..)| name.as_str()).collect()].concat();
    assert!(!shown.chars().any(char::is_control), "{shown:?}");
}

#[tokio::test]
async fn a_directory_that_never_ends_takes_no_more_than_its_share_of_memory() {
    let (place, told) = from_hostile(vec![ENDLESS], right_digest()).await;
    assert!(told.failures[0].contains("does not fit the request"), "{:?}", told.failures);
    assert_eq!(place.names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_copy_that_is_not_the_same_is_removed() {
    let (place, told) = from_hostile(vec![b"file"], [0; 32]).await;
    assert!(told.failures[0].contains("does not have the SHA-256"), "{:?}", told.failures);
    assert_eq!(place.names(), Vec::<String>::new());
}

#[tokio::test]
async fn a_tree_is_not_copied_through_links_of_this_machine() {
    let place = Place::new();
    place.file("tree/sub/authorized_keys", b"evil");
    place.file("tree/plain", b"evil");
    place.file("home/plain", b"mine");
    std::fs::create_dir_all(place.path("to/tree")).unwrap();
    symlink(place.path("home"), place.path("to/tree/sub")).unwrap();
    symlink(place.path("home/plain"), place.path("to/tree/plain")).unwrap();
    let (outcome, told) = download(TREE, &place.path("tree"), &place.path("to")).await;
    outcome.unwrap();
    assert!(told.failures[0].contains("is a link"), "{:?}", told.failures);
    assert!(!place.path("home/authorized_keys").exists());
    assert_eq!(std::fs::read(place.path("home/plain")).unwrap(), b"mine");
    assert_eq!(std::fs::read(place.path("to/tree/plain")).unwrap(), b"evil", "the link was replaced");
}
