//! Lines for records: complete ones, without what only a terminal understands.

use crate::Following;
use crate::strip::Stripper;

/// The most bytes of lines in one record, with one for the end of each. AWS's agent splits at
/// about as many. Source: aws/amazon-ssm-agent, agent/agentlogstocloudwatch/cloudwatchlogspublisher.
pub const DATA_BYTES_MAX: usize = 33_000;
/// So much of a line without its end is not waited for, however little of it is text: a program may draw without ever
/// ending a line.
const UNFINISHED_BYTES_MAX: usize = 256 * 1024;

/// Lines of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// The lines. A line that is too long for a record is in several, a piece of it in each.
    pub lines: Vec<String>,
    /// Where in the output they end, in bytes.
    pub end: usize,
}

/// The lines in `output`, which begins where a line or a piece of one does. A line that is not complete waits, if more may
/// follow and it is not too long.
#[must_use]
pub fn lines(output: &str, following: Following) -> Vec<Lines> {
    let mut collector = Collector::default();
    let mut stripper = Stripper::new();
    let (mut line, mut line_start) = (String::new(), 0);
    for (at, character) in output.char_indices() {
        let end = at + character.len_utf8();
        if character == '\n' {
            collector.take(std::mem::take(&mut line), line_start, end);
            // Each line is read by itself, so that an unfinished sequence hides no more than the rest of its own.
            stripper = Stripper::new();
            line_start = end;
            continue;
        }
        if let Some(text) = stripper.text(character) {
            if line.len() + text.len_utf8() >= DATA_BYTES_MAX {
                collector.take(std::mem::take(&mut line), line_start, at);
                line_start = at;
            }
            line.push(text);
        }
        if end - line_start > UNFINISHED_BYTES_MAX {
            collector.take(std::mem::take(&mut line), line_start, end);
            line_start = end;
        }
    }
    if following == Following::Nothing && line_start < output.len() {
        if line.is_empty() {
            collector.skip(output.len());
        } else {
            collector.take(line, line_start, output.len());
        }
    }
    collector.finish()
}

/// Puts lines into records.
#[derive(Default)]
struct Collector {
    records: Vec<Lines>,
    lines: Vec<String>,
    bytes: usize,
    end: usize,
}

impl Collector {
    /// A line that lies between `start` and `end`.
    fn take(&mut self, line: String, start: usize, end: usize) {
        let bytes = line.len() + 1;
        if self.bytes + bytes > DATA_BYTES_MAX {
            self.end = start;
            self.close();
        }
        self.lines.push(line);
        self.bytes += bytes;
        self.end = end;
    }

    /// What is before `end` has no more text.
    fn skip(&mut self, end: usize) {
        self.end = end;
    }

    fn close(&mut self) {
        if !self.lines.is_empty() {
            self.records.push(Lines { lines: std::mem::take(&mut self.lines), end: self.end });
            self.bytes = 0;
        }
    }

    fn finish(mut self) -> Vec<Lines> {
        let end = self.end;
        self.close();
        if let Some(last) = self.records.last_mut() {
            last.end = last.end.max(end);
        }
        self.records
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(output: &str, following: Following) -> Vec<String> {
        lines(output, following).into_iter().flat_map(|record| record.lines).collect()
    }

    #[test]
    fn lines_are_text_for_people() {
        for (output, expected) in [
            ("$ ls\r\nfile\r\n", vec!["$ ls", "file"]),
            ("\u{1b}[1;31mred\u{1b}[0m\r\n", vec!["red"]),
            ("\u{1b}]0;title\u{7}$ \u{1b}[?2004hid\r\n\u{1b}[?2004l\r", vec!["$ id"]),
            ("a\tb\r\n\r\n", vec!["a b", ""]),
            ("über €😀\u{8}\u{7}\n", vec!["über €😀"]),
            ("10%\r20%\r\n", vec!["10%20%"]),
            ("\u{1b}]0;never ended\nnext\n", vec!["", "next"]),
        ] {
            assert_eq!(all(output, Following::Nothing), expected, "{output:?}");
        }
    }

    #[test]
    fn what_is_not_complete_waits_until_nothing_follows() {
        let output = "one\ntwo";
        let [record] = &lines(output, Following::More)[..] else { panic!("one record") };
        assert_eq!((&record.lines[..], record.end), (&["one".to_owned()][..], 4));
        assert_eq!(lines("$ ", Following::More), []);
        let [record] = &lines(output, Following::Nothing)[..] else { panic!("one record") };
        assert_eq!((record.lines.len(), record.end), (2, output.len()));
        // What remains shows nothing; nothing of it is left either.
        let [record] = &lines("one\n\u{1b}[0m", Following::Nothing)[..] else { panic!("one record") };
        assert_eq!((record.lines.len(), record.end), (1, 8));
    }

    #[test]
    fn a_line_of_ten_megabytes_is_in_many_records() {
        let output = format!("{}€\n", "0123456789".repeat(1 << 20));
        let records = lines(&output, Following::More);
        assert!(records.iter().all(|record| record.lines.len() == 1));
        assert!(records.iter().all(|record| record.lines[0].len() < DATA_BYTES_MAX));
        assert_eq!(records.iter().map(|record| &*record.lines[0]).collect::<String>(), output.trim_end());
        assert_eq!(records.last().unwrap().end, output.len());
    }

    #[test]
    fn a_program_that_draws_for_ever_is_not_waited_for() {
        let output = "\u{1b}[1m\u{1b}[0m".repeat(50_000);
        let records = lines(&output, Following::More);
        assert!(records.last().is_some_and(|record| record.end > UNFINISHED_BYTES_MAX), "{records:?}");
    }

    #[test]
    fn many_short_lines_share_records() {
        let output = "\n".repeat(DATA_BYTES_MAX + 1);
        let records = lines(&output, Following::More);
        assert_eq!(records.iter().map(|record| record.lines.len()).collect::<Vec<_>>(), [DATA_BYTES_MAX, 1]);
    }

    proptest! {
        #[test]
        // Read on from where any record ends, the lines are the same.
        fn a_reader_goes_on_anywhere(
            pieces in proptest::collection::vec("(\\PC{0,9}|\u{1b}\\[[0-9;]{0,3}m|\r\n|\n|\t|é{20000})", 0..20),
            keep: prop::sample::Index,
        ) {
            let output = pieces.concat();
            let records = lines(&output, Following::Nothing);
            let kept = keep.index(records.len() + 1);
            let from = kept.checked_sub(1).map_or(0, |last| records[last].end);
            let rest = lines(&output[from..], Following::Nothing);
            let joined: Vec<String> = records[..kept].iter().chain(&rest).flat_map(|record| record.lines.clone()).collect();
            let whole: Vec<String> = records.iter().flat_map(|record| record.lines.clone()).collect();
            prop_assert_eq!(joined, whole);
            if let Some(last) = records.last() {
                prop_assert_eq!(last.end, output.len());
            }
        }
    }
}
