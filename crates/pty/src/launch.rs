//! From fork to exec: the keeper and the program below it.

use std::ffi::CString;
use std::fmt;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::{io, mem, ptr};

use rustix::process::{Pid, WaitOptions};

use crate::Command;
use crate::command::Identity;

/// What failed between the decision to run a program and its first instruction.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The terminal or the pipes could not be made.
    #[error("cannot {0}")]
    Prepare(&'static str, #[source] io::Error),
    /// There is no such program, or it cannot be run.
    #[error("cannot run {program}")]
    Exec {
        /// As it was named.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// Another step in the new process failed.
    #[error("cannot {step}")]
    Step {
        /// The step.
        step: Step,
        /// Why.
        source: io::Error,
    },
}

/// The steps of a new process, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Step {
    /// Making the process that keeps the session together.
    Keeper = 1,
    /// Making the program's own process.
    Fork,
    /// Becoming a session leader.
    Session,
    /// Taking the terminal as controlling terminal.
    Terminal,
    /// Putting the standard streams in place.
    Streams,
    /// Taking on the user's groups.
    Groups,
    /// Becoming the user.
    User,
    /// Entering the working directory.
    Directory,
    /// Running the program.
    Exec,
}

impl Step {
    const ALL: [Self; 9] = [
        Self::Keeper,
        Self::Fork,
        Self::Session,
        Self::Terminal,
        Self::Streams,
        Self::Groups,
        Self::User,
        Self::Directory,
        Self::Exec,
    ];

    fn from_wire(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|step| *step as u32 == code)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keeper => "make the session's process",
            Self::Fork => "make a process",
            Self::Session => "start a session of processes",
            Self::Terminal => "take the terminal",
            Self::Streams => "connect the standard streams",
            Self::Groups => "take on the user's groups",
            Self::User => "become the user",
            Self::Directory => "enter the working directory",
            Self::Exec => "run the program",
        })
    }
}

/// The signals that sessions use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP: the terminal is gone.
    Hangup,
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGQUIT, Ctrl-\.
    Quit,
    /// SIGTERM.
    Terminate,
    /// SIGCONT, which stopped processes need before they notice others.
    Continue,
    /// SIGKILL.
    Kill,
}

impl Signal {
    pub(crate) fn to_system(self) -> rustix::process::Signal {
        match self {
            Self::Hangup => rustix::process::Signal::HUP,
            Self::Interrupt => rustix::process::Signal::INT,
            Self::Quit => rustix::process::Signal::QUIT,
            Self::Terminate => rustix::process::Signal::TERM,
            Self::Continue => rustix::process::Signal::CONT,
            Self::Kill => rustix::process::Signal::KILL,
        }
    }
}

/// The standard streams of the program.
pub(crate) enum Stdio<'a> {
    /// All three are this terminal, which becomes the controlling one.
    Terminal(&'a OwnedFd),
    /// Input, output and errors.
    Separate([&'a OwnedFd; 3]),
}

/// A program that runs.
pub(crate) struct Launched {
    pub(crate) keeper: Pid,
    pub(crate) leader: Pid,
    /// From the keeper: how the leader ended, then end of file when nothing is left.
    pub(crate) reports: OwnedFd,
}

/// One report on a pipe: two numbers in the machine's own byte order. Shorter than `PIPE_BUF`, hence never split.
pub(crate) const REPORT_BYTES: usize = 8;

fn report(first: u32, second: i32) -> [u8; REPORT_BYTES] {
    let mut bytes = [0; REPORT_BYTES];
    bytes[..4].copy_from_slice(&first.to_ne_bytes());
    bytes[4..].copy_from_slice(&second.to_ne_bytes());
    bytes
}

pub(crate) fn parse_report(bytes: [u8; REPORT_BYTES]) -> (u32, i32) {
    let [a, b, c, d, e, f, g, h] = bytes;
    (u32::from_ne_bytes([a, b, c, d]), i32::from_ne_bytes([e, f, g, h]))
}

/// First number of the keeper's reports.
pub(crate) const REPORT_STARTED: u32 = 100;
pub(crate) const REPORT_ENDED: u32 = 101;

/// Everything the new processes need, laid out before the fork: after it nothing may be allocated.
struct Plan<'a> {
    candidates: Vec<*const libc::c_char>,
    arguments: Vec<*const libc::c_char>,
    environment: Vec<*const libc::c_char>,
    directories: Vec<*const libc::c_char>,
    identity: Option<&'a Identity>,
    streams: [RawFd; 3],
    has_terminal: bool,
    keeper_reports: RawFd,
    exec_report: RawFd,
}

/// Starts `command`. Blocks until the program runs or is known not to, a millisecond or so.
pub(crate) fn launch(command: &Command, stdio: &Stdio<'_>) -> Result<Launched, SpawnError> {
    let pipe = || {
        rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
            .map_err(|error| SpawnError::Prepare("make a pipe", error.into()))
    };
    let (reports, keeper_reports) = pipe()?;
    let (exec_reports, exec_report) = pipe()?;
    let plan = Plan {
        candidates: pointers(&command.candidates),
        arguments: pointers(&command.arguments),
        environment: pointers(&command.environment),
        directories: pointers(&command.directories),
        // A process that is this user already, and may not set groups, has nothing to do.
        identity: command.identity.as_ref().filter(|identity| {
            rustix::process::geteuid().is_root() || identity.uid != rustix::process::geteuid().as_raw()
        }),
        streams: match stdio {
            Stdio::Terminal(terminal) => [terminal.as_raw_fd(); 3],
            Stdio::Separate(streams) => streams.map(AsRawFd::as_raw_fd),
        },
        has_terminal: matches!(stdio, Stdio::Terminal(_)),
        keeper_reports: keeper_reports.as_raw_fd(),
        exec_report: exec_report.as_raw_fd(),
    };
    let keeper = fork_keeper(&plan).map_err(|source| SpawnError::Step { step: Step::Keeper, source })?;
    drop((keeper_reports, exec_report));

    // End of file without a report: the program was run and its copy of the pipe closed by that.
    let failed = read_report(&exec_reports);
    let started = read_report(&reports);
    match (failed, started) {
        (None, Some((REPORT_STARTED, leader))) => {
            let leader = Pid::from_raw(leader).expect("fork gave the keeper a process ID");
            Ok(Launched { keeper, leader, reports })
        }
        (failed, _) => {
            // The keeper has nothing left to keep, so it exits at once.
            let _ = rustix::process::waitpid(Some(keeper), WaitOptions::empty());
            let (step, errno) = failed.unwrap_or((Step::Keeper as u32, libc::ECHILD));
            let source = io::Error::from_raw_os_error(errno);
            Err(match Step::from_wire(step).unwrap_or(Step::Keeper) {
                Step::Exec => SpawnError::Exec { program: command.program.clone(), source },
                step => SpawnError::Step { step, source },
            })
        }
    }
}

/// Pointers to `texts` and the null that ends such lists. They are valid as long as `texts` are.
fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect()
}

/// One report, or `None` at the end of file. Only used where one of both comes at once.
fn read_report(pipe: &OwnedFd) -> Option<(u32, i32)> {
    let mut bytes = [0; REPORT_BYTES];
    loop {
        match rustix::io::read(pipe, &mut bytes) {
            Ok(REPORT_BYTES) => return Some(parse_report(bytes)),
            Err(rustix::io::Errno::INTR) => {}
            _ => return None,
        }
    }
}

fn fork_keeper(plan: &Plan<'_>) -> io::Result<Pid> {
    let mut all = mem::MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: both sets are valid for writes, and `sigfillset` fills in the one that is read.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        // So that no handler of this program runs in the new processes.
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
    }
    // SAFETY: this process may have threads, so that the child may call only async-signal-safe functions: `keeper` and
    // all it calls keep to that, and never return into code of this program.
    let forked = match unsafe { libc::fork() } {
        0 => keeper(plan),
        -1 => Err(io::Error::last_os_error()),
        pid => Ok(Pid::from_raw(pid).expect("fork returns a process ID to the parent")),
    };
    // SAFETY: `before` was filled in by `pthread_sigmask` above.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
    forked
}

/// The process above the session's program. All signals are blocked, so that only SIGKILL can end it before its time.
fn keeper(plan: &Plan<'_>) -> ! {
    // SAFETY: only async-signal-safe functions are called; the addresses passed are of locals or string literals.
    unsafe {
        // Out of the terminal and process group of the agent, and not in the way of unmounting anything.
        libc::setsid();
        libc::chdir(c"/".as_ptr());
        #[cfg(target_os = "linux")]
        {
            libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
            libc::prctl(libc::PR_SET_NAME, c"postern-session".as_ptr());
        }
        let leader = match libc::fork() {
            0 => program(plan),
            -1 => {
                fail(plan, Step::Fork);
                libc::_exit(1)
            }
            pid => pid,
        };
        // The agent's connections, other sessions' terminals and the agent's standard streams must not stay open here.
        libc::dup2(plan.keeper_reports, 0);
        close_from(1);
        write_report(0, report(REPORT_STARTED, leader));
        keep(leader)
    }
}

/// Reaps whatever ends below the keeper and tells the agent of the leader, until nothing is left. When the agent is gone,
/// however it ended, everything below is killed: nothing may run on that nobody can see.
///
/// # Safety
/// Only in the keeper: descriptor 0 is the pipe to the agent, and all signals are blocked.
unsafe fn keep(leader: libc::pid_t) -> ! {
    // SAFETY: only async-signal-safe functions are called, with addresses of locals that are filled in first.
    unsafe {
        let mut waiting = mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&raw mut waiting);
        libc::sigdelset(&raw mut waiting, libc::SIGCHLD);
        // Without a handler the signal would be discarded instead of ending the wait.
        let handler: extern "C" fn(libc::c_int) = notice;
        libc::signal(libc::SIGCHLD, handler as libc::sighandler_t);
        let mut agent_is_gone = false;
        loop {
            let mut status = 0;
            match libc::waitpid(-1, &raw mut status, libc::WNOHANG) {
                0 => {}
                pid if pid == leader => {
                    write_report(0, report(REPORT_ENDED, status));
                    continue;
                }
                pid if pid > 0 => continue,
                _ => libc::_exit(0), // ECHILD: nothing is left
            }
            if agent_is_gone {
                kill_children(leader);
            }
            // SIGCHLD is let in only here, so that none is missed between the check above and the wait.
            let mut pipe = libc::pollfd { fd: 0, events: 0, revents: 0 };
            let again = libc::timespec { tv_sec: 0, tv_nsec: 20_000_000 };
            let limit = if agent_is_gone { &raw const again } else { ptr::null() };
            let pipes = if agent_is_gone { 0 } else { 1 };
            // Its other end is closed: the agent has exited or was killed.
            agent_is_gone |= libc::ppoll(&raw mut pipe, pipes, limit, &raw const waiting) > 0;
        }
    }
}

extern "C" fn notice(_signal: libc::c_int) {}

/// Kills the keeper's children. Theirs become its own by that, and are found the next time.
fn kill_children(leader: libc::pid_t) {
    // SAFETY: async-signal-safe: system calls with a string literal, numbers, and a buffer of the given length.
    unsafe {
        // The leader's session: all there is where the list of children is missing.
        libc::kill(-leader, libc::SIGKILL);
        // Source: proc(5), "/proc/pid/task/tid/children": process IDs, each followed by a space.
        let list = libc::open(c"/proc/thread-self/children".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
        if list < 0 {
            return;
        }
        let mut buffer = [0_u8; 4096];
        let mut pid: libc::pid_t = 0;
        loop {
            let count = libc::read(list, buffer.as_mut_ptr().cast(), buffer.len());
            let Some(read) = usize::try_from(count).ok().filter(|&read| read > 0) else { break };
            for byte in buffer.iter().take(read) {
                if byte.is_ascii_digit() {
                    pid = pid.wrapping_mul(10).wrapping_add(libc::pid_t::from(byte - b'0'));
                } else {
                    if pid > 1 {
                        libc::kill(pid, libc::SIGKILL);
                    }
                    pid = 0;
                }
            }
        }
        libc::close(list);
    }
}

/// Closes every file descriptor from `first` on.
fn close_from(first: libc::c_int) {
    #[cfg(target_os = "linux")]
    // SAFETY: a system call with three numbers (Linux 5.9); what it closes is not used in this process any more.
    let done = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0) } == 0;
    #[cfg(not(target_os = "linux"))]
    let done = false;
    if !done {
        // SAFETY: `sysconf` and `close` take numbers only and are async-signal-safe.
        unsafe {
            let end = libc::c_int::try_from(libc::sysconf(libc::_SC_OPEN_MAX)).unwrap_or(1024);
            for fd in first..end {
                libc::close(fd);
            }
        }
    }
}

/// The process that becomes the session's program.
fn program(plan: &Plan<'_>) -> ! {
    let failed = become_program(plan);
    fail(plan, failed);
    // SAFETY: async-signal-safe, and does not return.
    unsafe { libc::_exit(127) }
}

fn fail(plan: &Plan<'_>, step: Step) {
    let errno = io::Error::last_os_error().raw_os_error().unwrap_or(0);
    write_report(plan.exec_report, report(step as u32, errno));
}

fn write_report(pipe: RawFd, bytes: [u8; REPORT_BYTES]) {
    // SAFETY: `bytes` is valid for reads of its length. SIGPIPE is blocked in the keeper; elsewhere the reader waits.
    unsafe { libc::write(pipe, bytes.as_ptr().cast(), bytes.len()) };
}

/// Returns only if a step fails, with that step; the reason is in `errno`.
fn become_program(plan: &Plan<'_>) -> Step {
    // SAFETY: only async-signal-safe functions are called. The pointers of the plan point to NUL-terminated texts, and
    // its lists end with null, all made before the fork by the process whose copy this is (see `pointers`). Each list
    // has at least the null, so that the first element may be read. The standard library keeps descriptors 0 to 2 open, so
    // that none of the streams is one of them and `dup2` clears its close-on-exec flag.
    unsafe {
        if libc::setsid() < 0 {
            return Step::Session;
        }
        if plan.has_terminal && libc::ioctl(plan.streams[0], libc::TIOCSCTTY as _, 0) < 0 {
            return Step::Terminal;
        }
        for (target, source) in (0..).zip(plan.streams) {
            if libc::dup2(source, target) < 0 {
                return Step::Streams;
            }
        }
        if let Some(identity) = plan.identity {
            if libc::setgroups(identity.groups.len() as _, identity.groups.as_ptr()) < 0
                || libc::setgid(identity.gid) < 0
            {
                return Step::Groups;
            }
            if libc::setuid(identity.uid) < 0 {
                return Step::User;
            }
        }
        let mut directory = plan.directories.as_ptr();
        while !(*directory).is_null() && libc::chdir(*directory) < 0 {
            directory = directory.add(1);
            if (*directory).is_null() {
                return Step::Directory;
            }
        }
        libc::umask(0o022);
        reset_signals();
        // All that this program opens is close-on-exec already; this also covers what it inherited by mistake. Where
        // the system call is missing (before Linux 5.11) there is only the rule.
        #[cfg(target_os = "linux")]
        libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC);
        let mut candidate = plan.candidates.as_ptr();
        while !(*candidate).is_null() {
            libc::execve(*candidate, plan.arguments.as_ptr(), plan.environment.as_ptr());
            let next = candidate.add(1);
            let errno = io::Error::last_os_error().raw_os_error();
            let go_on = matches!(errno, Some(libc::ENOENT | libc::ENOTDIR | libc::EACCES));
            if !go_on || (*next).is_null() {
                break;
            }
            candidate = next;
        }
        Step::Exec
    }
}

/// Every signal has its default effect and none is blocked, whatever the agent was started with.
fn reset_signals() {
    // SAFETY: async-signal-safe; numbers that are no signal, or cannot be changed, are refused without effect. `none`
    // is filled in before it is read.
    unsafe {
        for number in 1..=64 {
            libc::signal(number, libc::SIG_DFL);
        }
        let mut none = mem::MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), ptr::null_mut());
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::ffi::OsString;
    use std::fs::OpenOptions;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::descendants::descendants;

    #[test]
    fn nothing_survives_an_agent_that_was_killed() {
        let null = || OwnedFd::from(OpenOptions::new().read(true).write(true).open("/dev/null").unwrap());
        let (stdin, stdout, stderr) = (null(), null(), null());
        let environment = [("PATH", OsString::from("/usr/bin:/bin"))];
        // One in the session, one that left it, one that is deaf.
        let script = "sleep 1000 & setsid sleep 1000 & trap '' HUP TERM; sleep 1000; sleep 1000";
        let command = Command::new("/bin/sh".as_ref(), ["sh", "-c", script], &environment).unwrap();
        let Launched { keeper, reports, .. } =
            launch(&command, &Stdio::Separate([&stdin, &stdout, &stderr])).unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while descendants(keeper).len() < 4 {
            assert!(Instant::now() < deadline, "the programs do not start");
            std::thread::yield_now();
        }
        let below = descendants(keeper);
        // All that the keeper sees of the end of its agent.
        drop(reports);
        rustix::process::waitpid(Some(keeper), WaitOptions::empty()).unwrap();
        for pid in below {
            assert!(rustix::process::test_kill_process(pid).is_err(), "{pid:?} still runs");
        }
    }
}
