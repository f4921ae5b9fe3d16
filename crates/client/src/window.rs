//! The size of the user's terminal.

use postern_protocol::payload::Size;
use rustix::termios::tcgetwinsize;

/// What AWS's plugin says when there is no terminal. Wide, so that the output of programs is not wrapped.
const WITHOUT_TERMINAL: Size = Size { cols: 300, rows: 100 };

/// The size of the terminal on standard output, input or error, whichever is one.
pub(crate) fn size() -> Size {
    let sizes = [
        tcgetwinsize(rustix::stdio::stdout()),
        tcgetwinsize(rustix::stdio::stdin()),
        tcgetwinsize(rustix::stdio::stderr()),
    ];
    let known = sizes.into_iter().flatten().find(|size| size.ws_col > 0 && size.ws_row > 0);
    known.map_or(WITHOUT_TERMINAL, |size| Size { cols: size.ws_col, rows: size.ws_row })
}
