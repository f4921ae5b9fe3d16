//! Output of a node, whatever it is: what is told of it is text within bounds, and where it is cut changes no line.

use std::time::Duration;

use postern_timeline::{COMMAND_CHARS_MAX, DIRECTORY_CHARS_MAX, LINE_CELLS_MAX, TextLine, Transcript};

/// A first mark, so that nothing is guessed from pauses.
const MARK: &str = "\x1b]133;A\x07";

pub(crate) fn run(output: &[u8]) {
    // The first byte says how wide the terminal is, the second where the output is cut.
    let [cols, cut, output @ ..] = output else { return };
    let output = String::from_utf8_lossy(output);
    let cut = output.char_indices().map(|(at, _)| at).nth(usize::from(*cut)).unwrap_or(output.len());
    let (first, rest) = output.split_at(cut);
    let whole = lines(*cols, &[&output]);
    assert_eq!(whole, lines(*cols, &[first, rest]));
    assert!(whole.len() <= output.len());
}

fn lines(cols: u8, pieces: &[&str]) -> Vec<TextLine> {
    let mut transcript = Transcript::new(u16::from(cols));
    for piece in [MARK].iter().chain(pieces) {
        transcript.handle_output(Duration::ZERO, piece);
    }
    transcript.finish();
    for command in transcript.take_commands() {
        assert!(command.text.chars().count() <= COMMAND_CHARS_MAX && is_text(&command.text));
        assert!(
            command
                .directory
                .is_none_or(|path| path.chars().count() <= DIRECTORY_CHARS_MAX && is_text(&path))
        );
    }
    let lines = transcript.take_lines();
    for line in &lines {
        assert!(line.text.chars().count() <= 2 * LINE_CELLS_MAX && is_text(&line.text), "{:?}", line.text);
    }
    lines
}

fn is_text(text: &str) -> bool {
    !text.contains(|character: char| character.is_control() && character != '\n')
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    crate::seeds_of(&[
        "P\x08\x1b]7;file://h/srv\x07\x1b]133;A\x07$ \x1b]133;B\x07ls -l\r\n\x1b]133;C\x07a\r\n\x1b]133;D;0\x07",
        "(\x03\x1b[?1049h\x1b[2J\x1b[5;3Htop\x1b[K\x1b[3P\x1b[2@x\x1b[?1049l\x1b7\x1b[A\x1b8\x1b[4b",
        "\x14\x02progress 10%\rprogress 20%\x08\x08\x1b[1K\u{6f22}e\u{301}\t\u{202e}\u{9b}1m\r\n",
        "\x50\x05\x1b]633;E;a\\x3bb\x07\x1b]633;C\x07\x1b]633;D;1\x07\x1b]1337;CurrentDir=/x\x07\x1bPq#\x1b\\",
    ])
}
