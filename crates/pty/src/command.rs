//! What to run: program, arguments, environment, directory and user, exactly as given.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::User;

/// A program and all that it starts with. Nothing is inherited from this process but its limits.
#[derive(Debug, Clone)]
pub struct Command {
    /// For people.
    pub(crate) program: String,
    pub(crate) candidates: Vec<CString>,
    pub(crate) arguments: Vec<CString>,
    pub(crate) environment: Vec<CString>,
    pub(crate) directories: Vec<CString>,
    pub(crate) identity: Option<Identity>,
}

/// Whom to become.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) groups: Vec<u32>,
}

/// A program, argument or variable that cannot be passed on.
#[derive(Debug, thiserror::Error)]
pub enum InvalidCommand {
    /// The system's texts end at a NUL byte.
    #[error("{0} contains a NUL byte")]
    Nul(&'static str),
    /// A name without a slash that is in no directory of `PATH`.
    #[error("no program to run")]
    NoProgram,
}

impl Command {
    /// `program` with `arguments`, the first of which is the name the program sees as its own (`-bash` for a login
    /// shell). A program without a slash is looked for in the directories of `PATH` in `environment`.
    ///
    /// # Errors
    /// If a text contains a NUL byte, or `program` is empty.
    pub fn new<A, E>(
        program: &OsStr,
        arguments: A,
        environment: &[(E, OsString)],
    ) -> Result<Self, InvalidCommand>
    where
        A: IntoIterator<Item: AsRef<OsStr>>,
        E: AsRef<OsStr>,
    {
        if program.is_empty() {
            return Err(InvalidCommand::NoProgram);
        }
        let variable = |(name, value): &(E, OsString)| {
            let mut text = name.as_ref().as_bytes().to_vec();
            text.push(b'=');
            text.extend_from_slice(value.as_bytes());
            CString::new(text).map_err(|_| InvalidCommand::Nul("the environment"))
        };
        let path = environment.iter().find(|(name, _)| name.as_ref() == "PATH").map(|(_, value)| value);
        Ok(Self {
            program: program.to_string_lossy().into_owned(),
            candidates: candidates(program, path.map(OsString::as_os_str))?,
            arguments: arguments
                .into_iter()
                .map(|argument| c_string(argument.as_ref(), "an argument"))
                .collect::<Result<_, _>>()?,
            environment: environment.iter().map(variable).collect::<Result<_, _>>()?,
            directories: Vec::new(),
            identity: None,
        })
    }

    /// Starts in the first of `directories` that can be entered, with the rights of the program's user.
    ///
    /// # Errors
    /// If a path contains a NUL byte.
    pub fn directories<'a>(
        mut self,
        directories: impl IntoIterator<Item = &'a Path>,
    ) -> Result<Self, InvalidCommand> {
        self.directories = directories
            .into_iter()
            .map(|path| c_string(path.as_os_str(), "the working directory"))
            .collect::<Result<_, _>>()?;
        Ok(self)
    }

    /// Runs as `user`, with all of the user's groups. This process must then be root.
    #[must_use]
    pub fn user(mut self, user: &User) -> Self {
        self.identity = Some(Identity { uid: user.uid, gid: user.gid, groups: user.groups.clone() });
        self
    }
}

/// The files that `program` may mean, to be tried in turn.
fn candidates(program: &OsStr, path: Option<&OsStr>) -> Result<Vec<CString>, InvalidCommand> {
    if program.as_bytes().contains(&b'/') {
        return Ok(vec![c_string(program, "the program")?]);
    }
    // An empty element of PATH means the working directory (POSIX); nobody wants that here.
    let directories = path.map(OsStr::as_bytes).unwrap_or_default().split(|&byte| byte == b':');
    let found: Vec<CString> = directories
        .filter(|directory| !directory.is_empty())
        .map(|directory| {
            c_string(Path::new(OsStr::from_bytes(directory)).join(program).as_os_str(), "the program")
        })
        .collect::<Result<_, _>>()?;
    if found.is_empty() { Err(InvalidCommand::NoProgram) } else { Ok(found) }
}

fn c_string(text: &OsStr, what: &'static str) -> Result<CString, InvalidCommand> {
    CString::new(text.as_bytes()).map_err(|_| InvalidCommand::Nul(what))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_looked_for_in_the_given_path() {
        let environment = [("PATH", OsString::from("/usr/bin::/bin"))];
        let command = Command::new("ls".as_ref(), ["ls", "-l"], &environment).unwrap();
        assert_eq!(command.candidates, [c"/usr/bin/ls".to_owned(), c"/bin/ls".to_owned()]);
        assert_eq!(command.environment, [c"PATH=/usr/bin::/bin".to_owned()]);
        let nowhere: [(&str, OsString); 0] = [];
        assert!(matches!(Command::new("ls".as_ref(), ["ls"], &nowhere), Err(InvalidCommand::NoProgram)));
    }

    #[test]
    fn nul_bytes_are_refused() {
        let none: [(&str, OsString); 0] = [];
        assert!(Command::new("/bin/a\0b".as_ref(), ["a"], &none).is_err());
        assert!(Command::new("/bin/a".as_ref(), ["a\0"], &none).is_err());
        assert!(Command::new("/bin/a".as_ref(), ["a"], &[("A", OsString::from("\0"))]).is_err());
    }
}
