//! Escapes typed at the beginning of a line, as in SSH and in plugin 1.2.835.0: `~.` leaves, `~?` explains,
//! `~-` switches escapes off, `~~` is one tilde.

/// What came out of some typed bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Typed {
    /// All of it was for the session (perhaps less, perhaps more than was typed).
    Input(Vec<u8>),
    /// The user wants to know the escapes; the bytes around it are for the session.
    Help(Vec<u8>),
    /// The user wants to leave; the bytes before are not worth sending.
    Leave,
}

/// The text of `~?`.
pub(crate) const HELP: &str = "Supported escape sequences (at the beginning of a line):\r\n\
     ~.  terminate the session\r\n\
     ~-  switch these escapes off\r\n\
     ~?  this text\r\n\
     ~~  send one ~\r\n";

/// Remembers where in a line the user is.
#[derive(Debug)]
pub(crate) struct Escapes {
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    LineStart,
    InLine,
    Tilde,
    Off,
}

impl Escapes {
    /// Escapes are on, and a line begins.
    pub(crate) fn new() -> Self {
        Self { state: State::LineStart }
    }

    /// Escapes are off: what comes from a file or a program is no typing.
    pub(crate) fn off() -> Self {
        Self { state: State::Off }
    }

    /// Takes typed bytes, in pieces of any size.
    pub(crate) fn handle(&mut self, typed: &[u8]) -> Typed {
        let mut input = Vec::with_capacity(typed.len() + 1);
        let mut help = false;
        for &byte in typed {
            self.state = match (self.state, byte) {
                (State::LineStart, b'~') => State::Tilde,
                (State::Tilde, b'.') => return Typed::Leave,
                (State::Tilde, b'?') => {
                    help = true;
                    State::LineStart
                }
                (State::Tilde, b'-') => State::Off,
                (state, byte) => {
                    if state == State::Tilde && byte != b'~' {
                        input.push(b'~');
                    }
                    input.push(byte);
                    match (state, byte) {
                        (State::Off, _) => State::Off,
                        (_, b'\r' | b'\n') => State::LineStart,
                        _ => State::InLine,
                    }
                }
            };
        }
        if help { Typed::Help(input) } else { Typed::Input(input) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(typed: &str, expected: Typed) {
        assert_eq!(Escapes::new().handle(typed.as_bytes()), expected, "{typed:?}");
    }

    fn input(text: &str) -> Typed {
        Typed::Input(text.as_bytes().to_vec())
    }

    #[test]
    fn escapes_work_at_the_beginning_of_a_line_only() {
        check("~.", Typed::Leave);
        check("ls\r~.", Typed::Leave);
        check("ls\n~.", Typed::Leave);
        check("a~.", input("a~."));
        check("~~.", input("~."));
        check("~x", input("~x"));
        check("~\r~.", Typed::Leave);
        check("~?", Typed::Help(vec![]));
        check("~?~.", Typed::Leave);
        check("~-~.\r~.", input("~.\r~."));
        check("cd ~\r", input("cd ~\r"));
    }

    #[test]
    fn what_is_not_typed_has_no_escapes() {
        assert_eq!(Escapes::off().handle(b"~.\r~.~?"), input("~.\r~.~?"));
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(typed in "[~.?a\r-]{0,20}", at in 0usize..20) {
            let whole = Escapes::new().handle(typed.as_bytes());
            let at = at.min(typed.len());
            let mut escapes = Escapes::new();
            let mut joined = Vec::new();
            let mut help = false;
            let mut left = false;
            for piece in [&typed.as_bytes()[..at], &typed.as_bytes()[at..]] {
                if left { break }
                match escapes.handle(piece) {
                    Typed::Input(bytes) => joined.extend(bytes),
                    Typed::Help(bytes) => { help = true; joined.extend(bytes) }
                    Typed::Leave => left = true,
                }
            }
            let pieces = match (left, help) {
                (true, _) => Typed::Leave,
                (_, true) => Typed::Help(joined),
                _ => Typed::Input(joined),
            };
            prop_assert_eq!(pieces, whole);
        }
    }
}
