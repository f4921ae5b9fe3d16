//! Output of shells and of other programs, as it comes, and what is told of it.

use std::time::Duration;

use postern_timeline::{Command, LINE_CELLS_MAX, TextLine, Transcript};
use proptest::prelude::*;

/// A transcript of pieces of output that come a second apart, the first at 1 s.
fn transcript(cols: u16, pieces: &[&str]) -> (Vec<TextLine>, Vec<Command>) {
    let mut transcript = Transcript::new(cols);
    for (second, piece) in (1..).zip(pieces) {
        transcript.handle_output(Duration::from_secs(second), piece);
    }
    transcript.finish();
    let mut commands: Vec<Command> = Vec::new();
    for command in transcript.take_commands() {
        commands.retain(|known| known.number != command.number);
        commands.push(command);
    }
    commands.sort_by_key(|command| command.number);
    (transcript.take_lines(), commands)
}

fn lines(cols: u16, pieces: &[&str]) -> Vec<String> {
    transcript(cols, pieces).0.into_iter().map(|line| line.text).collect()
}

/// `number text [directory] start-end exit ~`.
fn told(pieces: &[&str]) -> Vec<String> {
    let command = |command: Command| {
        let Command { number, text, directory, started_at, ended_at, exit_code, is_heuristic } = command;
        let directory = directory.map(|directory| format!(" [{directory}]")).unwrap_or_default();
        let end = ended_at.map(|at| at.as_secs().to_string()).unwrap_or_default();
        let exit = exit_code.map(|code| format!(" ={code}")).unwrap_or_default();
        let mark = if is_heuristic { " ~" } else { "" };
        format!("{number} {text:?}{directory} {}-{end}{exit}{mark}", started_at.as_secs())
    };
    transcript(80, pieces).1.into_iter().map(command).collect()
}

const PROMPT: &str =
    "\x1b]7;file://vm/srv/a%20b\x07\x1b]133;A\x07\x1b[?2004hroot@vm:/srv/a b# \x1b]133;B\x07";

#[test]
fn lines_are_what_stood_on_the_screen() {
    let cases: [(&str, &[&str], &[&str]); 19] = [
        ("lines", &["one\r\ntwo\r\n\r\nthree"], &["one", "two", "three"]),
        ("colours, cut anywhere", &["\x1b", "[1;3", "1mred\x1b[0m\r\n"], &["red"]),
        ("a progress", &["10%\r20%\r100%\r\n"], &["100%"]),
        ("a shorter text over a longer", &["longer\rshort\r\n"], &["shortr"]),
        ("erased to the end", &["longer\rab\x1b[K\r\n"], &["ab"]),
        ("erased as a whole", &["secret\x1b[2K\rx\r\n"], &["x"]),
        ("a correction", &["lx\x08\x1b[Ks\r\n"], &["ls"]),
        ("inserted and deleted", &["abef\x08\x08\x1b[2@cd\x1b[4G\x1b[1P\r\n"], &["abcef"]),
        ("wrapped at the end of the row", &["0123456789abcdef \rgh\r\n"], &["0123456789abcdefgh"]),
        (
            "a wide character that does not fit",
            &["0123456789012345678漢字\r\n"],
            &["0123456789012345678 漢字"],
        ),
        ("a mark", &["e\u{301}\u{302}x\r\n"], &["e\u{301}x"]),
        ("elsewhere on the screen", &["\x1b[5;3Hfive\x1b[7;1Hseven\x1b[7;9Hon"], &["  five", "seven   on"]),
        (
            "drawn again",
            &["\x1b[1;1Htop\x1b[2;1Hsame\x1b[1;1Htop\x1b[2;1Hsame\x1b[1;1Hnew"],
            &["top", "same", "new"],
        ),
        (
            "an update of lines above",
            &["a: 1\r\nb: 1\r\n\x1b[2A\ra: 2\x1b[K\r\n\x1b[1B"],
            &["a: 1", "b: 1", "a: 2"],
        ),
        ("cleared", &["before\x1b[H\x1b[2Jafter"], &["before", "after"]),
        (
            "titles, links, the clipboard",
            &["\x1b]0;title\x07a\x1b]52;c;eA==\x1b\\b\x1b]8;;http://x\x07c\r\n"],
            &["abc"],
        ),
        ("what turns text around", &["a\u{202e}b\u{2066}c\u{9b}31md\u{7f}\r\n"], &["abc31md"]),
        ("a gap", &["a\x1b[15Cb\r\n"], &["a        b"]),
        ("repeated", &["-\x1b[4bx\r\n"], &["-----x"]),
    ];
    for (name, pieces, expected) in cases {
        let cols = if name == "wrapped at the end of the row" { 16 } else { 20 };
        assert_eq!(lines(cols, pieces), expected, "{name}");
    }
}

#[test]
fn a_line_has_the_time_of_its_last_character() {
    let (lines, _) = transcript(80, &["$ cat", " x", "\r\n", "y\r\n"]);
    let times: Vec<_> = lines.iter().map(|line| line.at.as_secs()).collect();
    assert_eq!(times, [2, 4]);
}

#[test]
fn commands_of_bash_with_marks() {
    let told = told(&[
        PROMPT,
        "echo lx\x08\x1b[Ks\r\n\x1b[?2004l\r",
        "\x1b]133;C\x07ls\r\n",
        "\x1b]133;D;0\x07",
        PROMPT,
        // An empty line, one that is given up, one that is longer than the row.
        "\r\n\x1b[?2004l\r",
        PROMPT,
        "sleep 9^C\x1b[?2004l\r\x1b[?2004h\x1b[?2004l\r\r\n",
        PROMPT,
        &format!("echo {} \rxxx\r\n\x1b]133;C\x07", "x".repeat(57)),
        "x\r\n\x1b]133;D;1\x07",
        PROMPT,
        "for i in 1 2\r\n\x1b[?2004l\r\x1b[?2004h> do echo $i\r\n> done\r\n\x1b]133;C\x07",
        "1\r\n2\r\n\x1b]133;D;0\x07",
        PROMPT,
        "exit 3\r\n\x1b]133;C\x07exit\r\n",
    ]);
    let x60 = "x".repeat(60);
    assert_eq!(
        told,
        [
            "1 \"echo ls\" [/srv/a b] 3-4 =0".to_owned(),
            format!("2 \"echo {x60}\" [/srv/a b] 10-11 =1"),
            "3 \"for i in 1 2\\n> do echo $i\\n> done\" [/srv/a b] 13-14 =0".to_owned(),
            "4 \"exit 3\" [/srv/a b] 16-".to_owned(),
        ]
    );
}

#[test]
fn lines_know_their_command() {
    let (lines, _) = transcript(
        80,
        &["hello\r\n", PROMPT, "ls\r\n\x1b]133;C\x07", "a\r\n\x1b]133;D;0\x07", PROMPT, "\r\n", PROMPT],
    );
    let known: Vec<_> = lines.iter().map(|line| (line.text.as_str(), line.command)).collect();
    let prompt = "root@vm:/srv/a b#";
    let typed = format!("{prompt} ls");
    assert_eq!(known, [("hello", None), (&*typed, Some(1)), ("a", Some(1)), (prompt, None), (prompt, None)]);
}

#[test]
fn the_text_that_a_shell_tells_counts_more_than_the_screen() {
    let told = told(&[
        "\x1b]133;A\x07~> \x1b]133;B\x07ls   gray\r\n\x1b]133;C;cmdline_url=ls%20-l\x07\x1b]133;D;0\x07",
        "\x1b]633;A\x07$ \x1b]633;B\x07id\r\n\x1b]633;E;id\\x3b who\\x0aami;nonce\x07\x1b]633;C\x07\x1b]633;D;1\x07",
    ]);
    assert_eq!(told, ["1 \"ls -l\" 1-1 =0", "2 \"id; who\\nami\" 2-2 =1"]);
}

#[test]
fn shells_that_send_some_marks_only() {
    // No `C`: it begins when its line is entered.
    let no_start = told(&[
        "\x1b]133;A\x07$ \x1b]133;B\x07",
        "make\r\n",
        "…",
        "\x1b]133;D;2\x07\x1b]133;A\x07$ \x1b]133;B\x07",
    ]);
    assert_eq!(no_start, ["1 \"make\" 2-4 =2"]);
    // No `D`: it ends with the next prompt.
    let no_end =
        told(&["\x1b]133;A\x07$ \x1b]133;B\x07", "make\r\n\x1b]133;C\x07", "…\r\n", "\x1b]133;A\x07$ "]);
    assert_eq!(no_end, ["1 \"make\" 2-4"]);
    // No `B`.
    let no_input = told(&["\x1b]133;A\x07u@h:~$ make\r\n\x1b]133;C\x07", "\x1b]133;D;0\x07"]);
    assert_eq!(no_input, ["1 \"make\" 1-2 =0"]);
}

#[test]
fn a_shell_within_a_command_has_commands_of_its_own() {
    let a = "\x1b]133;A\x07$ \x1b]133;B\x07";
    let told = told(&[
        &format!("{a}true\r\n\x1b]133;C\x07\x1b]133;D;0\x07"),
        &format!("{a}ssh web\r\n\x1b]133;C\x07"),
        &format!("{a}ls\r\n\x1b]133;C\x07"),
        &format!("\x1b]133;D;1\x07{a}"),
        "exit\r\n\x1b]133;C\x07logout\r\n",
        &format!("\x1b]133;D;0\x07{a}"),
    ]);
    assert_eq!(told, ["1 \"true\" 1-1 =0", "2 \"ssh web\" 2-", "3 \"ls\" 3-4 =1", "4 \"exit\" 5-6 =0"]);
}

#[test]
fn commands_without_marks_are_guessed() {
    let prompt = "\x1b[?2004hroot@vm:/srv# ";
    let told = told(&[
        prompt,
        "l",
        "s\r\n\x1b[?2004l\r",
        "a  b\r\n",
        &format!("50% \r100%\r\n{prompt}"),
        "\r\n",
        prompt,
        "rm x^C\r\n",
        prompt,
        "python3\r\n",
        ">>> ",
        "print(1)\r\n1\r\n>>> ",
        "exit()\r\n",
        prompt,
        "echo $ ",
        "x\r\n$ x\r\n",
        prompt,
    ]);
    assert_eq!(told, ["1 \"ls\" 3-5 ~", "2 \"python3\" 10-14 ~", "3 \"echo $ x\" 16-17 ~"]);
}

#[test]
fn marks_end_the_guessing() {
    let told = told(&[
        "$ ",
        "bash\r\n",
        "\x1b]133;A\x07# \x1b]133;B\x07",
        "id\r\n\x1b]133;C\x07",
        "\x1b]133;D;0\x07$ ",
        "ls\r\n",
    ]);
    assert_eq!(told, ["1 \"bash\" 2-3 ~", "2 \"id\" 4-5 =0"]);
}

#[test]
fn nothing_is_guessed_from_what_fills_the_screen() {
    let told = told(&["\x1b[?1049h\x1b[2J\x1b[1;1H$ ", "ls\r\n", "\x1b[?1049l"]);
    assert_eq!(told, Vec::<String>::new());
}

#[test]
fn long_lines_and_sequences_are_bounded() {
    let long = "x".repeat(3 * LINE_CELLS_MAX);
    let pieces = lines(80, &[&long]);
    assert!(pieces.iter().all(|line| line.len() <= LINE_CELLS_MAX));
    assert_eq!(pieces.iter().map(String::len).sum::<usize>(), long.len());
    let (title, rest) = (format!("\x1b]0;{}", "t".repeat(1 << 20)), "\x07after\r\n");
    assert_eq!(lines(80, &[&title, rest]), ["after"]);
    let unbalanced = "\x1b]133;A\x07$ \x1b]133;B\x07x\r\n\x1b]133;C\x07".repeat(1000);
    assert_eq!(told(&["\x1b]133;D\x07", &unbalanced]).len(), 1000);
}

/// Text with the sequences that mean something.
fn output() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,12}",
        "\\PC{0,6}",
        Just("\r\n".to_owned()),
        Just("漢".to_owned()),
        Just("\u{301}".to_owned()),
        "[\r\n\t\u{8}\u{b}]",
        "\x1b\\[[0-9]{0,4}(;[0-9]{0,4})?[@A-HJKLMPXSTbdefrsu`]",
        "\x1b\\[\\?(1049|47|2004)[hl]",
        "\x1b[78DEMc]",
        "\x1b\\](133|633);[A-EP](;[ -:]{0,8})?(\x07|\x1b\\\\)",
        "\x1b\\]7;file://h/[ -~]{0,8}\x07",
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_comes_is_told_within_bounds(cols: u16, text in output()) {
        let (lines, commands) = transcript(cols, &[&text]);
        let is_hidden = |character: char| character.is_control() || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        for line in &lines {
            prop_assert!(!line.text.trim().is_empty());
            prop_assert!(!line.text.contains(is_hidden), "{:?}", line.text);
            prop_assert!(line.text.chars().count() <= 2 * LINE_CELLS_MAX);
        }
        prop_assert!(lines.len() <= text.len());
        for (number, command) in (1..).zip(&commands) {
            prop_assert_eq!(command.number, number);
            prop_assert!(!command.text.contains(|character| is_hidden(character) && character != '\n'));
            prop_assert!(command.ended_at.is_none_or(|end| end >= command.started_at));
        }
    }

    #[test]
    fn where_output_is_cut_does_not_matter(text in output(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8)) {
        let characters: Vec<char> = text.chars().collect();
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(characters.len() + 1)).collect();
        places.extend([0, characters.len()]);
        places.sort_unstable();
        // A mark at the beginning: nothing is guessed, so that pauses do not matter.
        let mut whole = Transcript::new(40);
        whole.handle_output(Duration::ZERO, "\x1b]133;A\x07");
        let mut cut = Transcript::new(40);
        cut.handle_output(Duration::ZERO, "\x1b]133;A\x07");
        whole.handle_output(Duration::ZERO, &text);
        for pair in places.windows(2) {
            let piece: String = characters[pair[0]..pair[1]].iter().collect();
            cut.handle_output(Duration::ZERO, &piece);
        }
        whole.finish();
        cut.finish();
        prop_assert_eq!(whole.take_lines(), cut.take_lines());
        prop_assert_eq!(whole.take_commands(), cut.take_commands());
    }
}
