//! Terminal output that somebody else wrote, made harmless for the terminal that it is replayed to.
//!
//! What draws passes: characters, colours, the cursor, erasing, scrolling, the alternate screen. What does anything
//! else is left out: strings for the terminal itself (OSC, DCS, APC, PM, SOS: titles, the clipboard, links, keys,
//! images), questions that the terminal answers as if the user had typed it, printing, sizes and positions of windows,
//! and modes that change what keys and the mouse send. Everything that is not known to draw is left out.
//!
//! Source of the sequences: XTerm Control Sequences, <https://invisible-island.net/xterm/ctlseqs/ctlseqs.html>. The
//! parser is that of Alacritty.

use std::io::Write as _;

use vte::{Params, Parser, Perform};

/// The longest repetition of a character (REP): a screen's row is rarely longer.
const REPETITIONS_MAX: u16 = 1000;

/// See the [module's documentation](self).
pub(crate) struct ReplayFilter {
    parser: Parser,
    drawing: Drawing,
}

/// What may pass, collected.
#[derive(Default)]
struct Drawing {
    bytes: Vec<u8>,
    is_in_alternate_screen: bool,
}

impl ReplayFilter {
    pub(crate) fn new() -> Self {
        Self { parser: Parser::new(), drawing: Drawing::default() }
    }

    /// What of `text`, which goes on where the text before ended, may go to a terminal.
    pub(crate) fn pass(&mut self, text: &str) -> Vec<u8> {
        self.parser.advance(&mut self.drawing, text.as_bytes());
        std::mem::take(&mut self.drawing.bytes)
    }

    /// Whether the text has left the terminal in the alternate screen.
    pub(crate) fn is_in_alternate_screen(&self) -> bool {
        self.drawing.is_in_alternate_screen
    }
}

impl Perform for Drawing {
    fn print(&mut self, character: char) {
        // C1 controls may stand as characters; to some terminals they are what they were in 8-bit text.
        if !character.is_control() {
            self.bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }

    /// BEL, BS, HT, LF, VT, FF, CR, and the shifts between character sets. ENQ, for one, would be answered.
    fn execute(&mut self, byte: u8) {
        if matches!(byte, 0x07..=0x0f) {
            self.bytes.push(byte);
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], is_truncated: bool, action: char) {
        if is_truncated {
            return;
        }
        let passes = match (intermediates, action) {
            // Cursor, erasing, inserting and deleting, scrolling, tabulators, margins, colours.
            (
                b"",
                '@'
                | 'A'..='M'
                | 'P'
                | 'S'
                | 'X'
                | 'Z'
                | '`'
                | 'a'
                | 'd'
                | 'e'
                | 'f'
                | 'g'
                | 'm'
                | 'r'
                | 's'
                | 'u',
            ) => true,
            // With more parameters it is about the mouse.
            (b"", 'T') => params.len() <= 1,
            (b"", 'b') => params.iter().flatten().all(|count| *count <= REPETITIONS_MAX),
            // Inserting instead of overwriting; a line feed that returns too.
            (b"", 'h' | 'l') => params.iter().flatten().all(|mode| matches!(mode, 4 | 20)),
            (b"?", 'h' | 'l') => params.iter().flatten().all(|mode| draws(*mode)),
            // Selective erasing, the cursor's shape, a soft reset.
            (b"?", 'J' | 'K') | (b" ", 'q') | (b"!", 'p') => true,
            _ => false,
        };
        if passes {
            if intermediates == b"?" && matches!(action, 'h' | 'l') {
                let switches = params.iter().flatten().any(|mode| matches!(mode, 47 | 1047 | 1049));
                self.is_in_alternate_screen =
                    if switches { action == 'h' } else { self.is_in_alternate_screen };
            }
            let (prefix, suffix) = match intermediates {
                b"?" => (intermediates, &b""[..]),
                _ => (&b""[..], intermediates),
            };
            self.bytes.extend_from_slice(b"\x1b[");
            self.bytes.extend_from_slice(prefix);
            self.push_params(params);
            self.bytes.extend_from_slice(suffix);
            self.print(action);
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], is_truncated: bool, byte: u8) {
        let passes = match intermediates {
            // Saving and restoring the cursor, index, next line, a tabulator, reverse index, full reset.
            b"" => matches!(byte, b'7' | b'8' | b'D' | b'E' | b'H' | b'M' | b'c'),
            // ASCII, British and the line drawing characters.
            b"(" | b")" => matches!(byte, b'0' | b'A' | b'B'),
            // The test picture.
            b"#" => byte == b'8',
            _ => false,
        };
        if passes && !is_truncated {
            self.bytes.push(0x1b);
            self.bytes.extend_from_slice(intermediates);
            self.bytes.push(byte);
        }
    }
}

impl Drawing {
    fn push_params(&mut self, params: &Params) {
        // None at all is the same everywhere.
        if params.iter().flatten().eq([&0]) {
            return;
        }
        for (index, param) in params.iter().enumerate() {
            for (part, number) in param.iter().enumerate() {
                let separator = match (index, part) {
                    (0, 0) => "",
                    (_, 0) => ";",
                    _ => ":",
                };
                write!(self.bytes, "{separator}{number}").expect("a Vec takes all");
            }
        }
    }
}

/// Private modes that change only what is seen: reverse video, origin, wrapping, blinking and hiding of the cursor,
/// reverse wrapping, the alternate screen in its four forms.
fn draws(mode: u16) -> bool {
    matches!(mode, 5 | 6 | 7 | 12 | 25 | 45 | 47 | 1047 | 1048 | 1049)
}

/// Brings a terminal back to what a shell expects, wherever a replay ended: out of an unfinished sequence and of the
/// alternate screen, modes, colours, character sets, margins and the cursor as at first, and no reports of the mouse, of
/// pasting and of the focus, which only a replay without the filter can have switched on.
pub(crate) fn terminal_reset(was_in_alternate_screen: bool) -> Vec<u8> {
    // CAN ends a sequence, ST a string.
    let mut reset = b"\x18\x1b\\".to_vec();
    if was_in_alternate_screen {
        reset.extend_from_slice(b"\x1b[?1049l");
    }
    reset.extend_from_slice(b"\x1b[!p\x0f\x1b(B\x1b)B\x1b[4l\x1b[20l\x1b[0m");
    for mode in [1, 5, 6, 9, 45, 66, 69, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2026] {
        reset.extend_from_slice(format!("\x1b[?{mode}l").as_bytes());
    }
    // Autowrap and the cursor are on; resetting the margins moves the cursor, so it is saved around that.
    reset.extend_from_slice(b"\x1b>\x1b[>4;0m\x1b[<99u\x1b[?7h\x1b7\x1b[r\x1b8\x1b[0 q\x1b[?25h");
    reset
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(text: &str) -> String {
        String::from_utf8(ReplayFilter::new().pass(text)).unwrap()
    }

    #[test]
    fn what_draws_passes() {
        for text in [
            "plain, wide 漢字 and é\r\n\ttab\x08\x07",
            "\x1b[0;1;38;5;208mcolour\x1b[38:2:0:1:2:3mtrue colour\x1b[m",
            "\x1b[2J\x1b[1;1H\x1b[10;20f\x1b[3A\x1b[K\x1b[2L\x1b[5P\x1b[4X\x1b[9@",
            "\x1b[?1049h\x1b[?25l\x1b[1;24r\x1b[?7h\x1b7\x1b8\x1bM\x1bD\x1b[?1049l",
            "\x1b(0lqk\x1b(B\x0e\x0f\x1b[2 q\x1b[!p\x1bc\x1b#8\x1b[4h\x1b[4l\x1b[7b",
        ] {
            assert_eq!(passed(text), text, "{text:?}");
        }
    }

    #[test]
    fn attacks_do_not_pass() {
        for attack in [
            // Strings: title, icon, clipboard (writing and reading), links, notifications, colours asked for, shell marks,
            // iTerm2's files, keys of tmux and screen, Sixel, DECRQSS, termcap, DECUDK, PM, APC (kitty), SOS.
            "\x1b]0;rm -rf /\x07",
            "\x1b]2;title\x1b\\",
            "\x1b]52;c;ZXZpbA==\x07",
            "\x1b]52;c;?\x1b\\",
            "\x1b]8;;file:///etc/passwd\x1b\\\x1b]8;;\x1b\\",
            "\x1b]9;4;1\x07\x1b]777;notify;a;b\x07\x1b]99;;x\x1b\\",
            "\x1b]4;1;?\x07\x1b]10;?\x07\x1b]11;?\x1b\\",
            "\x1b]133;C\x07\x1b]1337;File=name=eA==;inline=0:eA==\x07\x1b]50;?\x07",
            "\x1bP1$r0m\x1b\\",
            "\x1bP$qm\x1b\\\x1bP+q544e\x1b\\",
            "\x1bP0;1|17/6c73\x1b\\",
            "\x1bPq#0;2;0;0;0~\x1b\\",
            "\x1bPtmux;\x1b\x1b]52;c;ZXZpbA==\x07\x1b\\",
            "\x1b_Gf=100,t=f;L2V0Yy9wYXNzd2Q=\x1b\\",
            "\x1b^private\x1b\\\x1bXstring\x1b\\",
            // Questions: device attributes, status, cursor, modes, checksums, terminal parameters, version, answerback.
            "\x1b[c\x1b[0c\x1b[>c\x1b[=c\x1bZ\x05",
            "\x1b[5n\x1b[6n\x1b[?6n\x1b[?15n\x1b[?996n",
            "\x1b[?1$p\x1b[4$p\x1b[1$w\x1b[1;1;1;1;1;1*y\x1b[x\x1b[>q\x1b[?u\x1b[?1;1;0S",
            "\x1b[1\"q\x1b[62;1\"p",
            // Windows: titles reported, moved, resized, iconified; printing; LEDs.
            "\x1b[21t\x1b[20t\x1b[18t\x1b[14t\x1b[2t\x1b[8;500;500t\x1b[3;0;0t\x1b[22;0t",
            "\x1b[5i\x1b[?5i\x1b[4i\x1b[1q",
            // Modes of keys, mouse, focus, pasting; columns; saving and restoring modes.
            "\x1b[?1h\x1b=\x1b[?66h\x1b[?9h\x1b[?1000h\x1b[?1002h\x1b[?1003h\x1b[?1006h\x1b[?1004h\x1b[?2004h",
            "\x1b[?3h\x1b[?40h\x1b[?2026h\x1b[?1s\x1b[?1r\x1b[>4;2m\x1b[>1u\x1b[=1u\x1b[2h\x1b[12h",
            // One bad mode among good ones, and one among too many.
            "\x1b[?25;1000h",
            "\x1b[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18;19;20;21;22;23;24;25;26;27;28;29;30;31;32;33;34;35m",
            "\x1b[65535b",
            // C1 as characters, NUL, XON and XOFF, DEL.
            "\u{9b}6n\u{9d}52;c;x\u{9c}\u{90}$qm\u{9c}\u{9f}x\u{9c}",
            "\0\x11\x13\x7f",
        ] {
            let mut filter = ReplayFilter::new();
            let got = filter.pass(attack);
            // Of C1 controls that are no controls to the parser, the text after them is only text.
            let got = String::from_utf8(got).unwrap();
            assert!(!got.contains(|c: char| c.is_control()), "{attack:?} gave {got:?}");
            if !attack.contains('\u{9b}') {
                assert_eq!(got, "", "{attack:?}");
            }
            assert_eq!(String::from_utf8(filter.pass("after")).unwrap(), "after", "{attack:?}");
        }
    }

    #[test]
    fn sequences_cut_anywhere_are_the_same() {
        let text = "a\x1b]52;c;ZXZpbA==\x07b\x1b[6nc\x1b[31md\x1b[38:5:1me漢\x1bP$qm\x1b\\f";
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let mut filter = ReplayFilter::new();
            let mut got = filter.pass(&text[..at]);
            got.extend(filter.pass(&text[at..]));
            assert_eq!(String::from_utf8(got).unwrap(), "abc\x1b[31md\x1b[38:5:1me漢f", "cut at {at}");
        }
    }

    #[test]
    fn nothing_within_a_sequence_passes_unseen() {
        // A control within CSI is carried out, another introducer begins anew.
        assert_eq!(passed("\x1b[3\r1m"), "\r\x1b[31m");
        assert_eq!(passed("\x1b[6\x1b[31mn"), "\x1b[31mn");
        assert_eq!(passed("\x1b]0;x\x18y"), "y");
        // The title of tmux and screen is no string to others.
        assert_eq!(passed("\x1bktext\x1b\\"), "text");
    }

    #[test]
    fn the_alternate_screen_is_known() {
        let mut filter = ReplayFilter::new();
        filter.pass("\x1b[?1049h\x1b[?25l");
        assert!(filter.is_in_alternate_screen());
        filter.pass("\x1b[?1049l");
        assert!(!filter.is_in_alternate_screen());
    }

    #[test]
    fn the_reset_leaves_nothing_on() {
        let reset = String::from_utf8(terminal_reset(true)).unwrap();
        for part in ["\x1b[?1049l", "\x1b[?2004l", "\x1b[?1003l", "\x1b[?25h", "\x1b[0m", "\x1b[r", "\x1b(B"]
        {
            assert!(reset.contains(part), "{part:?}");
        }
        // Leaving a screen that was never entered would move the cursor.
        assert!(!String::from_utf8(terminal_reset(false)).unwrap().contains("1049"));
    }
}
