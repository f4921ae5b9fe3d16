//! Events of text: the output as it came, when the session is over.

use crate::Following;

/// The most bytes of one event. Source: `MessageLengthThresholdInBytes` in aws/amazon-ssm-agent,
/// agent/agentlogstocloudwatch/cloudwatchlogspublisher.
pub const EVENT_TEXT_BYTES_MAX: usize = 200 * 1000;

/// Where in `output` events end: behind lines where that is possible, never within a character. What is too little for an
/// event waits, if more may follow.
#[must_use]
pub fn texts(output: &str, following: Following) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut start = 0;
    while output.len() - start > EVENT_TEXT_BYTES_MAX {
        let most = output.floor_char_boundary(start + EVENT_TEXT_BYTES_MAX);
        start = output[start..most].rfind('\n').map_or(most, |line_end| start + line_end + 1);
        ends.push(start);
    }
    if following == Following::Nothing && start < output.len() {
        ends.push(output.len());
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_end_with_lines_or_at_least_with_characters() {
        assert!(texts("", Following::Nothing).is_empty());
        assert!(texts("short", Following::More).is_empty());
        assert_eq!(texts("short", Following::Nothing), [5]);
        let lines = "0123456789\n".repeat(40_000);
        let ends = texts(&lines, Following::Nothing);
        assert_eq!(ends, [199_991, 399_982, 440_000]);
        let one = "€".repeat(100_000);
        assert_eq!(texts(&one, Following::More), [199_998]);
        assert_eq!(texts(&one, Following::Nothing), [199_998, 300_000]);
    }
}
