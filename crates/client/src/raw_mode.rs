//! Raw mode of the user's terminal, undone on every way out.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use rustix::io;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// The terminal that is in raw mode and what it was like before. One process has one terminal; a panic hook
/// reaches it only through a static.
static BEFORE: Mutex<Option<Before>> = Mutex::new(None);

struct Before {
    terminal: OwnedFd,
    settings: Termios,
}

/// The terminal is in raw mode as long as this lives.
#[derive(Debug)]
pub(crate) struct RawMode(());

impl RawMode {
    /// Puts `terminal` into raw mode: every key is a byte for the session, Ctrl-C and Ctrl-Z too. What was typed
    /// before stays to be read.
    pub(crate) fn enter(terminal: impl AsFd) -> io::Result<Self> {
        let settings = tcgetattr(&terminal)?;
        let mut raw = settings.clone();
        raw.make_raw();
        let owned = rustix::io::fcntl_dupfd_cloexec(&terminal, 0)?;
        let mut before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner);
        tcsetattr(&terminal, OptionalActions::Now, &raw)?;
        // Entering twice must not remember raw mode as what was before.
        before.get_or_insert(Before { terminal: owned, settings });
        Ok(Self(()))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // A terminal that is gone needs no restoring.
        let _ = tcsetattr(&before.terminal, OptionalActions::Now, &before.settings);
    }
}

/// Makes a panic restore the terminal before its message is printed, so that the message can be read.
pub fn restore_terminal_on_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        print(panic);
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::termios::LocalModes;

    /// A terminal to try on.
    fn terminal() -> (OwnedFd, OwnedFd) {
        let flags = rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY;
        let master = rustix::pty::openpt(flags).unwrap();
        rustix::pty::grantpt(&master).unwrap();
        rustix::pty::unlockpt(&master).unwrap();
        let name = rustix::pty::ptsname(&master, Vec::new()).unwrap();
        let flags = rustix::fs::OFlags::RDWR | rustix::fs::OFlags::NOCTTY;
        let slave = rustix::fs::open(name.as_c_str(), flags, rustix::fs::Mode::empty()).unwrap();
        (master, slave)
    }

    fn local_modes(terminal: &OwnedFd) -> LocalModes {
        tcgetattr(terminal).unwrap().local_modes
    }

    // One test, because there is one terminal in a process.
    #[test]
    fn the_terminal_is_restored_after_success_and_after_a_panic() {
        let (_master, slave) = terminal();
        let before = local_modes(&slave);
        assert!(before.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));

        let raw = RawMode::enter(&slave).unwrap();
        let again = RawMode::enter(&slave).unwrap();
        assert!(!local_modes(&slave).intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG));
        drop(again);
        drop(raw);
        assert_eq!(local_modes(&slave), before);

        restore_terminal_on_panic();
        let result = std::panic::catch_unwind(|| {
            let _raw = RawMode::enter(&slave).unwrap();
            panic!("as in a defect");
        });
        assert!(result.is_err());
        assert_eq!(local_modes(&slave), before);
    }

    #[test]
    fn what_is_no_terminal_cannot_be_raw() {
        assert!(RawMode::enter(std::fs::File::open("/dev/null").unwrap()).is_err());
    }
}
