//! Users of this machine, as the user database (files, LDAP, ...) knows them.

use std::ffi::{CStr, CString, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::{io, mem, ptr};

/// A user with everything that a login needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name.
    pub name: String,
    /// The user ID.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// All groups, the primary one included.
    pub groups: Vec<u32>,
    /// The home directory, which may not exist.
    pub home: PathBuf,
    /// The login shell; `/bin/sh` if the database has none.
    pub shell: PathBuf,
}

/// The user database could not answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot look up user {user}")]
pub struct LookupError {
    user: String,
    source: io::Error,
}

impl User {
    /// The user called `name`, or `None` if there is none. May block while the database is asked.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn by_name(name: &str) -> Result<Option<Self>, LookupError> {
        let Ok(c_name) = CString::new(name) else { return Ok(None) };
        // SAFETY: `c_name` is NUL-terminated and lives during the call; `entry`, `buffer` and `result` are valid for
        // writes, and the length passed is that of the buffer (see `lookup`).
        lookup(|entry, buffer, length, result| unsafe {
            libc::getpwnam_r(c_name.as_ptr(), entry, buffer, length, result)
        })
        .map_err(|source| LookupError { user: name.to_owned(), source })
    }

    /// The user that this process runs as.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub fn current() -> Result<Option<Self>, LookupError> {
        let uid = rustix::process::geteuid().as_raw();
        // SAFETY: `entry`, `buffer` and `result` are valid for writes, and the length passed is that of the buffer
        // (see `lookup`).
        lookup(|entry, buffer, length, result| unsafe {
            libc::getpwuid_r(uid, entry, buffer, length, result)
        })
        .map_err(|source| LookupError { user: uid.to_string(), source })
    }
}

/// Longest entry that is accepted; real ones have some hundred bytes.
const ENTRY_BYTES_MAX: usize = 1 << 20;

/// Calls `ask` (one of `getpw*_r`) with a buffer that grows until the entry fits.
fn lookup(
    ask: impl Fn(*mut libc::passwd, *mut libc::c_char, usize, *mut *mut libc::passwd) -> libc::c_int,
) -> io::Result<Option<User>> {
    let mut buffer: Vec<libc::c_char> = vec![0; 1024];
    loop {
        let mut entry = mem::MaybeUninit::<libc::passwd>::uninit();
        let mut result = ptr::null_mut();
        match ask(entry.as_mut_ptr(), buffer.as_mut_ptr(), buffer.len(), &raw mut result) {
            0 if result.is_null() => return Ok(None),
            0 => {}
            libc::ERANGE if buffer.len() < ENTRY_BYTES_MAX => {
                buffer.resize(buffer.len() * 2, 0);
                continue;
            }
            libc::EINTR => continue,
            // What some systems say instead of "there is none" (getpwnam(3), "ERRORS").
            libc::ENOENT | libc::ESRCH | libc::EBADF | libc::EPERM => return Ok(None),
            errno => return Err(io::Error::from_raw_os_error(errno)),
        }
        // SAFETY: the call returned 0 and a result that is not null, so it filled in `entry`.
        let entry = unsafe { entry.assume_init() };
        // SAFETY: the texts of a filled entry are NUL-terminated and lie in `buffer`, which is still alive.
        let (name, home, shell) = unsafe {
            (CStr::from_ptr(entry.pw_name), CStr::from_ptr(entry.pw_dir), CStr::from_ptr(entry.pw_shell))
        };
        let groups = groups(name, entry.pw_gid);
        let path = |text: &CStr| PathBuf::from(OsString::from_vec(text.to_bytes().to_vec()));
        return Ok(Some(User {
            name: name.to_string_lossy().into_owned(),
            uid: entry.pw_uid,
            gid: entry.pw_gid,
            groups,
            home: path(home),
            shell: if shell.is_empty() { PathBuf::from("/bin/sh") } else { path(shell) },
        }));
    }
}

/// All groups of user `name`, whose primary group is `gid`.
fn groups(name: &CStr, gid: u32) -> Vec<u32> {
    /// The kernel's own limit (NGROUPS_MAX on Linux).
    const GROUPS_MAX: usize = 65_536;
    let mut groups: Vec<u32> = vec![0; 32];
    loop {
        let mut count = libc::c_int::try_from(groups.len()).expect("at most GROUPS_MAX, which fits");
        #[cfg(target_vendor = "apple")]
        let (base, list) = (gid.cast_signed(), groups.as_mut_ptr().cast::<libc::c_int>());
        #[cfg(not(target_vendor = "apple"))]
        let (base, list) = (gid, groups.as_mut_ptr());
        // SAFETY: `name` is NUL-terminated; `list` has room for `count` group IDs, which are 32 bits wide in both
        // of the types used; `count` is valid for writes.
        let found = unsafe { libc::getgrouplist(name.as_ptr(), base, list, &raw mut count) };
        let count = usize::try_from(count).unwrap_or(0);
        if found >= 0 {
            groups.truncate(count);
            return groups;
        }
        if groups.len() >= GROUPS_MAX {
            return vec![gid];
        }
        let longer = count.max(groups.len() * 2).min(GROUPS_MAX);
        groups.resize(longer, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known() {
        let root = User::by_name("root").unwrap().expect("every machine has it");
        assert_eq!((root.uid, root.gid), (0, 0));
        assert!(root.groups.contains(&0), "{root:?}");
        assert!(root.shell.is_absolute(), "{root:?}");
    }

    #[test]
    fn an_unknown_user_is_none() {
        for name in ["no-such-user-here", "", "a\0b", &"x".repeat(5000)] {
            assert_eq!(User::by_name(name).unwrap(), None, "{name:?}");
        }
    }

    #[test]
    fn this_process_runs_as_someone() {
        let user = User::current().unwrap().expect("tests run as a user of this machine");
        assert_eq!(user.uid, rustix::process::geteuid().as_raw());
    }
}
