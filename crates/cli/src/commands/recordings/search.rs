//! `postern recordings search`.

use jiff::Timestamp;
use postern_api::postern::{
    RecordingFilter, RecordingFilterKey, RecordingMatch, SearchSessionRecordingsInput,
    SearchSessionRecordingsOutput,
};
use postern_ids::SessionId;

use super::moment;
use super::source::Source;
use crate::arguments::Global;
use crate::commands::{cell, print};
use crate::failure::Failure;

/// The most that one call gives.
const PAGE: i32 = 200;
const HEADER: [&str; 6] = ["SESSION", "AT", "NODE", "OWNER", "LINE", "COMMAND"];
/// Of a line, what is shown around its first match.
const EXCERPT_CHARS: usize = 100;
const BEFORE_CHARS: usize = 30;

#[derive(Debug, clap::Args)]
pub(crate) struct Search {
    /// What to find: all words, each from its beginning, in one line; "in quotation marks" as they stand
    #[arg(required = true, value_name = "WORD")]
    words: Vec<String>,
    /// Only on this node
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// Only of sessions of this user or role: an ARN
    #[arg(long, value_name = "ARN")]
    owner: Option<String>,
    /// Only in this session
    #[arg(long, value_name = "SESSION")]
    session: Option<SessionId>,
    /// Only in sessions started since: a time, or 90m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = moment::since)]
    since: Option<Timestamp>,
    /// Only in sessions started before: a time, or 90m, 24h, 7d
    #[arg(long, value_name = "TIME", value_parser = moment::since)]
    until: Option<Timestamp>,
    /// At most so many lines
    #[arg(long, value_name = "COUNT", default_value_t = 200)]
    max: usize,
}

impl Search {
    pub(super) async fn run(self, source: &Source, global: &Global) -> Result<(), Failure> {
        let Source::Server(api) = source else {
            return Err(Failure::new("the server searches, which has an index of its recordings").with_hint(
                "leave --dir out, or search what `postern recordings export --format text` writes",
            ));
        };
        let mut request = SearchSessionRecordingsInput {
            query: self.query(),
            filters: Some(self.filters()).filter(|filters| !filters.is_empty()),
            max_results: Some(i32::try_from(self.max).unwrap_or(PAGE).clamp(1, PAGE)),
            next_token: None,
        };
        let (mut matches, mut is_incomplete): (Vec<RecordingMatch>, bool) = (Vec::new(), false);
        loop {
            let page = api.call(&request).await?;
            matches.extend(page.matches.unwrap_or_default());
            is_incomplete |= page.incomplete.unwrap_or(false);
            request.next_token = page.next_token.filter(|token| !token.is_empty());
            if request.next_token.is_none() || matches.len() >= self.max {
                break;
            }
        }
        let has_more = request.next_token.is_some() || matches.len() > self.max;
        matches.truncate(self.max);
        let rows: Vec<_> = matches.iter().map(row).collect();
        let all = SearchSessionRecordingsOutput {
            matches: Some(matches),
            incomplete: Some(is_incomplete),
            next_token: None,
        };
        print(global.output, &all, HEADER, &rows)?;
        if has_more {
            eprintln!("There are more; --max shows them.");
        }
        if is_incomplete {
            eprintln!("Not all recordings are in the index, or not wholly: new ones are there soon.");
        }
        Ok(())
    }

    /// An argument with spaces was in the shell's quotation marks: it is meant as it stands.
    fn query(&self) -> String {
        let word = |word: &String| {
            if word.contains(char::is_whitespace) && !word.contains('"') && self.words.len() > 1 {
                format!("\"{word}\"")
            } else {
                word.clone()
            }
        };
        self.words.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn filters(&self) -> Vec<RecordingFilter> {
        let asked = [
            (RecordingFilterKey::Node, self.node.clone()),
            (RecordingFilterKey::Owner, self.owner.clone()),
            (RecordingFilterKey::SessionId, self.session.as_ref().map(ToString::to_string)),
            (RecordingFilterKey::StartedAfter, self.since.map(|time| time.to_string())),
            (RecordingFilterKey::StartedBefore, self.until.map(|time| time.to_string())),
        ];
        asked.into_iter().filter_map(|(key, value)| Some(RecordingFilter { key, value: value? })).collect()
    }
}

fn row(found: &RecordingMatch) -> [String; 6] {
    [
        cell(found.session_id.as_ref()),
        moment::shown(found.at_ms),
        cell(found.node_name.as_ref().or(found.node.as_ref())),
        cell(found.owner.as_ref()).rsplit('/').next().unwrap_or_default().to_owned(),
        excerpt(found),
        found.command.as_ref().map(|command| cut(&cell(command.text.as_ref()), 0)).unwrap_or_default(),
    ]
}

/// The line around its first match.
fn excerpt(found: &RecordingMatch) -> String {
    let first = found.marks.iter().flatten().next().and_then(|mark| usize::try_from(mark.start?).ok());
    cut(&cell(found.line.as_ref()), first.unwrap_or(0).saturating_sub(BEFORE_CHARS))
}

fn cut(line: &str, from: usize) -> String {
    let mut characters = line.chars().skip(from);
    let mut shown: String = characters.by_ref().take(EXCERPT_CHARS).collect();
    if from > 0 {
        shown.insert(0, '…');
    }
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use postern_api::postern::MatchMark;

    use super::*;

    #[test]
    fn a_line_is_shown_around_its_match() {
        let line = |text: &str, start| RecordingMatch {
            line: Some(text.to_owned()),
            marks: Some(vec![MatchMark { start: Some(start), end: None }]),
            ..RecordingMatch::default()
        };
        assert_eq!(excerpt(&line("é needle", 2)), "é needle");
        let long = format!("{}needle{}", "é".repeat(50), "x".repeat(200));
        let shown = excerpt(&line(&long, 50));
        assert!(shown.starts_with(&format!("…{}needle", "é".repeat(30))) && shown.ends_with("x…"), "{shown}");
    }
}
