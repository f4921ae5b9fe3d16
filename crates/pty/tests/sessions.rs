//! Tiny programs on terminals and pipes: what they see when they start, and that nothing of them is left at the end.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use postern_pty::{
    Child, Command, ExitStatus, Input, OnTerminal, Signal, SpawnError, Step, Streams, User, WindowSize,
    spawn_on_terminal, spawn_with_pipes,
};

const SIZE: WindowSize = WindowSize { rows: 43, columns: 132 };
/// Long enough for any of these programs on a busy machine.
const LIMIT: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_millis(200);

fn environment() -> Vec<(&'static str, OsString)> {
    vec![("PATH", "/usr/bin:/bin".into()), ("GREETING", "hello".into())]
}

fn shell(script: &str) -> Command {
    Command::new("/bin/sh".as_ref(), ["sh", "-c", script], &environment()).unwrap()
}

async fn limited<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, work).await.expect("the program does what it should in time")
}

/// All output up to the end of file.
async fn read_all(terminal: &mut OnTerminal) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 1000];
    loop {
        match limited(terminal.reader.read(&mut buffer)).await.unwrap() {
            0 => return String::from_utf8(all).unwrap(),
            count => all.extend_from_slice(&buffer[..count]),
        }
    }
}

/// Output until it contains `text`.
async fn read_until(terminal: &mut OnTerminal, text: &str) -> String {
    let mut all = String::new();
    let mut buffer = [0; 1000];
    while !all.contains(text) {
        let count = limited(terminal.reader.read(&mut buffer)).await.unwrap();
        assert_ne!(count, 0, "the terminal ended after {all:?}");
        all.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    all
}

async fn write_all(terminal: &mut OnTerminal, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let count = limited(terminal.writer.write(bytes)).await.unwrap();
        bytes = &bytes[count..];
    }
}

async fn end(child: &mut Child) -> ExitStatus {
    limited(child.end(GRACE)).await.unwrap()
}

fn exists(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn a_program_has_its_terminal_and_size_from_the_start() {
    let mut terminal =
        spawn_on_terminal(&shell("stty size; tty; echo $GREETING; ps -o tty= -p $$"), SIZE).unwrap();
    let output = read_all(&mut terminal).await;
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "43 132", "{output}");
    assert!(lines[1].starts_with("/dev/"), "{output}");
    assert_eq!(lines[2], "hello", "{output}");
    assert_eq!(format!("/dev/{}", lines[3].trim()), lines[1], "the controlling terminal: {output}");
    assert_eq!(limited(terminal.child.wait()).await, ExitStatus::Code(0));
}

#[tokio::test]
async fn arguments_and_environment_are_exactly_those_given() {
    let show = Command::new(
        "sh".as_ref(),
        ["other-sh", "-c", "echo $0 \"$1\"; env", "-name", "a  b"],
        &environment(),
    );
    let mut terminal = spawn_on_terminal(&show.unwrap(), SIZE).unwrap();
    let output = read_all(&mut terminal).await;
    let mut lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.remove(0), "-name a  b");
    // What the shell adds by itself.
    lines.retain(|line| !line.starts_with("PWD=") && !line.starts_with("OLDPWD=") && !line.starts_with("_="));
    lines.retain(|line| !line.starts_with("SHLVL="));
    lines.sort_unstable();
    assert_eq!(lines, ["GREETING=hello", "PATH=/usr/bin:/bin"]);
}

#[tokio::test]
async fn typing_resizing_and_signals_reach_the_program() {
    let script = "trap 'stty size' WINCH; trap 'echo got INT; exit 3' INT; echo ready; \
                  read line; echo \"read $line\"; while :; do sleep 0.05; done";
    let mut terminal = spawn_on_terminal(&shell(script), SIZE).unwrap();
    read_until(&mut terminal, "ready").await;
    write_all(&mut terminal, "käse\r".as_bytes()).await;
    read_until(&mut terminal, "read käse").await;
    terminal.resizer.resize(WindowSize { rows: 10, columns: 20 }).unwrap();
    read_until(&mut terminal, "10 20").await;
    write_all(&mut terminal, b"\x03").await;
    read_until(&mut terminal, "got INT").await;
    assert_eq!(limited(terminal.child.wait()).await, ExitStatus::Code(3));
    end(&mut terminal.child).await;
}

#[tokio::test]
async fn all_output_comes_before_the_end_of_file() {
    let mut terminal =
        spawn_on_terminal(&shell("stty raw; head -c 1000000 /dev/zero | tr '\\0' x; exit 7"), SIZE).unwrap();
    let output = read_all(&mut terminal).await;
    assert_eq!(output.len(), 1_000_000);
    assert_eq!(limited(terminal.child.wait()).await, ExitStatus::Code(7));
}

#[tokio::test]
async fn a_signal_is_told_from_a_code() {
    let mut piped = spawn_with_pipes(&shell("kill -TERM $$"), Input::Nothing, Streams::Merged).unwrap();
    let status = limited(piped.child.wait()).await;
    assert_eq!(status, ExitStatus::Signal(15));
    assert_eq!(status.shell_code(), 143);
}

#[tokio::test]
async fn output_and_errors_are_apart_or_together_as_asked() {
    let script = "echo out; echo err >&2; echo out; cat; exit 4";
    let mut buffer = [0; 1000];
    let mut piped = spawn_with_pipes(&shell(script), Input::Nothing, Streams::Merged).unwrap();
    assert!(piped.stderr.is_none());
    assert_eq!(limited(piped.child.wait()).await, ExitStatus::Code(4));
    let count = limited(piped.stdout.read(&mut buffer)).await.unwrap();
    assert_eq!(&buffer[..count], b"out\nerr\nout\n");
    assert_eq!(limited(piped.stdout.read(&mut buffer)).await.unwrap(), 0);

    let mut piped = spawn_with_pipes(&shell(script), Input::Nothing, Streams::Separate).unwrap();
    assert_eq!(limited(piped.child.wait()).await, ExitStatus::Code(4));
    let count = limited(piped.stdout.read(&mut buffer)).await.unwrap();
    assert_eq!(&buffer[..count], b"out\nout\n");
    let count = limited(piped.stderr.as_mut().unwrap().read(&mut buffer)).await.unwrap();
    assert_eq!(&buffer[..count], b"err\n");
}

#[tokio::test]
async fn a_failed_start_names_its_step_and_reason() {
    let missing = Command::new("/no/such/program".as_ref(), ["x"], &environment()).unwrap();
    match spawn_on_terminal(&missing, SIZE) {
        Err(SpawnError::Exec { program, source }) => {
            assert_eq!((program.as_str(), source.kind()), ("/no/such/program", std::io::ErrorKind::NotFound));
        }
        other => panic!("{other:?}"),
    }
    let not_a_directory = shell("true").directories([Path::new("/dev/null")]).unwrap();
    match spawn_on_terminal(&not_a_directory, SIZE) {
        Err(SpawnError::Step { step, source }) => {
            assert_eq!((step, source.kind()), (Step::Directory, std::io::ErrorKind::NotADirectory));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_first_directory_that_can_be_entered_is_taken() {
    let command = shell("pwd").directories([Path::new("/no/such/home"), Path::new("/usr")]).unwrap();
    let mut terminal = spawn_on_terminal(&command, SIZE).unwrap();
    assert_eq!(read_all(&mut terminal).await, "/usr\r\n");
}

#[tokio::test]
async fn nothing_is_blocked_ignored_or_left_open() {
    let script = "grep -E '^Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd | wc -l";
    let mut terminal = spawn_on_terminal(&shell(script), SIZE).unwrap();
    let output = read_all(&mut terminal).await;
    let lines: Vec<&str> = output.lines().collect();
    for line in &lines[..2] {
        let (_, mask) = line.split_once('\t').unwrap();
        // The first 31 signals; the C library keeps 32 and 33 to itself.
        assert_eq!(u64::from_str_radix(mask, 16).unwrap() & 0x7fff_ffff, 0, "{output}");
    }
    // Standard input, output and errors, and the directory that ls itself reads.
    assert_eq!(lines[2].trim(), "4", "{output}");
}

#[tokio::test]
async fn the_end_takes_daemons_and_the_deaf_with_it() {
    let script = "trap '' HUP; sleep 1000 & echo $!; \
                  nohup sleep 1001 >/dev/null 2>&1 & echo $!; \
                  setsid sh -c 'trap \"\" HUP; sleep 1002 & echo $!; wait' </dev/null & \
                  sh -c '(setsid sleep 1003 </dev/null >/dev/null 2>&1 & echo $!)'; \
                  echo all; exec sleep 1004";
    let mut terminal = spawn_on_terminal(&shell(script), SIZE).unwrap();
    let mut output = String::new();
    while output.lines().filter(|line| line.parse::<i32>().is_ok()).count() < 4 || !output.contains("all") {
        output.push_str(&read_until(&mut terminal, "\n").await);
    }
    let mut pids: Vec<i32> = output.lines().filter_map(|line| line.parse().ok()).collect();
    pids.push(terminal.child.id());
    assert!(pids.iter().all(|&pid| exists(pid)), "{pids:?}");
    end(&mut terminal.child).await;
    assert!(!pids.iter().any(|&pid| exists(pid)), "{pids:?} are left");
}

#[tokio::test]
async fn a_background_job_ends_with_its_shell() {
    let mut terminal = spawn_on_terminal(&shell("sleep 1000 & echo $!; exit 5"), SIZE).unwrap();
    let pid: i32 = read_until(&mut terminal, "\n").await.trim().parse().unwrap();
    assert_eq!(limited(terminal.child.wait()).await, ExitStatus::Code(5));
    assert_eq!(end(&mut terminal.child).await, ExitStatus::Code(5));
    assert!(!exists(pid));
    assert_eq!(read_all(&mut terminal).await, "");
}

#[tokio::test]
async fn dropping_the_child_kills_everything() {
    let mut terminal =
        spawn_on_terminal(&shell("setsid sleep 1000 </dev/null & echo $!; wait"), SIZE).unwrap();
    let pid: i32 = read_until(&mut terminal, "\n").await.trim().parse().unwrap();
    let leader = terminal.child.id();
    drop(terminal);
    // Whoever adopts them has to reap them, so they may be zombies for a moment.
    let is_running = |pid: i32| {
        std::fs::read_to_string(format!("/proc/{pid}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z") && !stat.contains(") X"))
    };
    limited(async {
        while is_running(pid) || is_running(leader) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_signal_to_the_program_ends_it() {
    let mut piped =
        spawn_with_pipes(&shell("echo x; exec sleep 1000"), Input::Nothing, Streams::Merged).unwrap();
    let mut buffer = [0; 10];
    limited(piped.stdout.read(&mut buffer)).await.unwrap();
    piped.child.killer().signal(Signal::Interrupt);
    assert_eq!(limited(piped.child.wait()).await, ExitStatus::Signal(2));
}

#[tokio::test]
async fn root_can_become_another_user() {
    let root = User::current().unwrap().unwrap();
    let Some(nobody) = User::by_name("nobody").unwrap() else { return };
    if root.uid != 0 {
        return; // not allowed to
    }
    let command = shell("id -u; id -g; id -G; stat -c %u \"$(tty)\"; echo x > \"$(tty)\"").user(&nobody);
    let mut terminal = spawn_on_terminal(&command, SIZE).unwrap();
    let output = read_all(&mut terminal).await;
    let groups: Vec<String> = nobody.groups.iter().map(u32::to_string).collect();
    let expected = [
        nobody.uid.to_string(),
        nobody.gid.to_string(),
        groups.join(" "),
        nobody.uid.to_string(),
        "x".into(),
    ];
    assert_eq!(output.lines().collect::<Vec<_>>(), expected);
}
