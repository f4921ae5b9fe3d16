//! The command line of OpenSSH's `ssh`, as far as it must be understood: what the destination is, where the command
//! begins, and what only an SSH server can do.

/// Options that take a value, from ssh(1).
const WITH_VALUE: &str = "BbcDEeFIiJLlmOoPpQRSWw";
/// Options that ask for what a session without an SSH server cannot give: forwarded connections, subsystems, tunnels,
/// a shared connection, no command at all.
const NEED_SERVER: &str = "DLMNORsWw";

/// A command line of `ssh`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SshWords {
    /// The host in the destination, which is `[user@]host` or `ssh://[user@]host[:port]`.
    pub(super) host: String,
    /// The user in it, or of `-l`.
    pub(super) user: Option<String>,
    /// What follows: the command's words. `ssh` joins them with blanks, and the shell there reads the line.
    pub(super) command: Vec<String>,
    /// `-t`: the command gets a terminal.
    pub(super) wants_terminal: bool,
    /// `-n`: standard input is not the command's.
    pub(super) without_input: bool,
    /// The first option that only an SSH server can serve.
    pub(super) needs_server: Option<char>,
}

/// Why a command line is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum WordsError {
    #[error("no node is named: postern ssh [OPTIONS] [USER@]NODE [COMMAND…]")]
    NoDestination,
    #[error("the option -{0} needs a value")]
    NoValue(char),
    #[error("{0:?} names no node")]
    Destination(String),
}

impl SshWords {
    /// Reads what follows `ssh`.
    pub(super) fn parse(words: &[String]) -> Result<Self, WordsError> {
        let mut read = Self::default();
        let mut words = words.iter();
        let mut options_are_over = false;
        while let Some(word) = words.next() {
            match word.strip_prefix('-') {
                Some("-") if !options_are_over => options_are_over = true,
                Some(letters) if !options_are_over && !letters.is_empty() => {
                    read.take_options(letters, &mut words)?;
                }
                // Options may follow the destination, as long as no command has begun.
                _ if read.host.is_empty() => read.take_destination(word)?,
                _ => {
                    read.command.push(word.clone());
                    read.command.extend(words.cloned());
                    break;
                }
            }
        }
        if read.host.is_empty() { Err(WordsError::NoDestination) } else { Ok(read) }
    }

    /// A word of letters, the last of which may have its value behind it or in the next word.
    fn take_options<'a>(
        &mut self,
        letters: &str,
        words: &mut impl Iterator<Item = &'a String>,
    ) -> Result<(), WordsError> {
        for (at, letter) in letters.char_indices() {
            self.needs_server = self.needs_server.or(NEED_SERVER.contains(letter).then_some(letter));
            match letter {
                't' => self.wants_terminal = true,
                'T' => self.wants_terminal = false,
                'n' => self.without_input = true,
                _ => {}
            }
            if !WITH_VALUE.contains(letter) {
                continue;
            }
            let behind = &letters[at + letter.len_utf8()..];
            let value =
                if behind.is_empty() { words.next().ok_or(WordsError::NoValue(letter))? } else { behind };
            if letter == 'l' {
                self.user.get_or_insert_with(|| value.to_owned());
            }
            break;
        }
        Ok(())
    }

    fn take_destination(&mut self, word: &str) -> Result<(), WordsError> {
        let uri = word.strip_prefix("ssh://");
        let (user, host) = match uri.unwrap_or(word).rsplit_once('@') {
            Some((user, host)) => (Some(user), host),
            None => (None, uri.unwrap_or(word)),
        };
        let host = match uri.and_then(|_| host.rsplit_once(':')) {
            Some((host, _port)) => host,
            None => host,
        };
        if host.is_empty() {
            return Err(WordsError::Destination(word.to_owned()));
        }
        self.host = host.to_owned();
        // As with `ssh`, the first that is named counts.
        self.user = self.user.take().or(user.map(ToOwned::to_owned));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<SshWords, WordsError> {
        let words: Vec<String> = line.split_whitespace().map(ToOwned::to_owned).collect();
        SshWords::parse(&words)
    }

    #[track_caller]
    fn check(line: &str, host: &str, user: Option<&str>, command: &str) {
        let read = parse(line).unwrap();
        let shown = (read.host.as_str(), read.user.as_deref(), read.command.join(" "));
        assert_eq!(shown, (host, user, command.to_owned()), "{line}");
    }

    #[test]
    fn the_destination_and_the_command_are_found() {
        check("mi-1", "mi-1", None, "");
        check("mi-1 ls -l", "mi-1", None, "ls -l");
        check("-p 2222 bob@mi-1 ls", "mi-1", Some("bob"), "ls");
        check("-p2222 -l bob alice@mi-1", "mi-1", Some("bob"), "");
        check("-vAl bob mi-1", "mi-1", Some("bob"), "");
        check("mi-1 -v -i key ls -i", "mi-1", None, "ls -i");
        check("mi-1 -- -x", "mi-1", None, "-x");
        check("ssh://bob@mi-1:2222 ls", "mi-1", Some("bob"), "ls");
        check("-o User=x me@there@mi-1", "mi-1", Some("me@there"), "");
    }

    #[test]
    fn what_needs_a_server_is_seen() {
        for (line, letter) in
            [("-L 1:h:2 n", 'L'), ("-fND1080 n", 'N'), ("n -W h:1", 'W'), ("-s n sftp", 's')]
        {
            assert_eq!(parse(line).unwrap().needs_server, Some(letter), "{line}");
        }
        // The value of an option is none.
        assert_eq!(parse("-i NLD n -v ls -L").unwrap().needs_server, None);
    }

    #[test]
    fn a_terminal_is_asked_for() {
        assert!(parse("-tt n top").unwrap().wants_terminal);
        assert!(!parse("-T n top").unwrap().wants_terminal);
        assert!(!parse("n top -t").unwrap().wants_terminal);
    }

    #[test]
    fn what_is_no_command_line_is_refused() {
        assert_eq!(parse(""), Err(WordsError::NoDestination));
        assert_eq!(parse("-v"), Err(WordsError::NoDestination));
        assert_eq!(parse("n -p"), Err(WordsError::NoValue('p')));
        assert_eq!(parse("bob@"), Err(WordsError::Destination("bob@".to_owned())));
    }
}
