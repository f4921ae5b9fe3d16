//! Who descends from a process, as `/proc` tells.

use rustix::process::Pid;

/// All descendants of `ancestor`, itself not included. Processes that start meanwhile may be missed: ask again.
///
/// A number may be re-used between this answer and a signal sent to it. The kernel hands out numbers in a circle,
/// so that in the microseconds between the two millions of processes would have to start.
#[cfg(target_os = "linux")]
pub(crate) fn descendants(ancestor: Pid) -> Vec<Pid> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let parents: Vec<(i32, i32)> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|pid| Some((pid, parent(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)?)))
        .collect();
    let mut found = vec![ancestor.as_raw_nonzero().get()];
    let mut next = 0;
    while let Some(&above) = found.get(next) {
        found.extend(parents.iter().filter(|(_, parent)| *parent == above).map(|(pid, _)| *pid));
        next += 1;
    }
    found.into_iter().skip(1).filter_map(Pid::from_raw).collect()
}

/// The parent in the text of `/proc/<pid>/stat`: the second field after the name, which stands in parentheses
/// and may contain anything. Source: proc_pid_stat(5).
#[cfg(target_os = "linux")]
fn parent(stat: &[u8]) -> Option<i32> {
    let after_name = stat.iter().rposition(|&byte| byte == b')')? + 1;
    let text = std::str::from_utf8(&stat[after_name..]).ok()?;
    text.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Without `/proc` nobody is found; the process group of the leader is all that can be reached.
#[cfg(not(target_os = "linux"))]
pub(crate) fn descendants(_ancestor: Pid) -> Vec<Pid> {
    Vec::new()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_parent_follows_the_name_whatever_it_contains() {
        assert_eq!(parent(b"12 (sh) S 7 12 12 0"), Some(7));
        assert_eq!(parent(b"12 (a) S 1 (b)) R 9 12"), Some(9));
        assert_eq!(parent(b"12 (\xff) R 9 12"), Some(9));
        assert_eq!(parent(b""), None);
        assert_eq!(parent(b"12 (sh)"), None);
    }

    #[test]
    fn this_process_descends_from_its_parent() {
        let parent = rustix::process::getppid().expect("tests are started by a process of this namespace");
        assert!(descendants(parent).contains(&rustix::process::getpid()));
    }
}
