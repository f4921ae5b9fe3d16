//! The record that a log stream gets of a session that runs.

use serde::Serialize;

/// Source: `eventVersion` in aws/amazon-ssm-agent, agent/agentlogstocloudwatch/cloudwatchlogspublisher.
const EVENT_VERSION: &str = "1.0";

/// What stands in every record of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordContext<'a> {
    /// The region of the node.
    pub region: &'a str,
    /// The node.
    pub target: &'a str,
    /// The ARN of who started the session.
    pub user_arn: &'a str,
    /// The user on the node.
    pub run_as_user: &'a str,
    /// The session.
    pub session: &'a str,
}

/// Names, spelling and order are those of AWS's agent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    event_version: &'static str,
    event_time: &'a str,
    aws_region: &'a str,
    target: Target<'a>,
    user_identity: UserIdentity<'a>,
    run_as_user: &'a str,
    session_id: &'a str,
    session_data: &'a [String],
}

#[derive(Serialize)]
struct Target<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct UserIdentity<'a> {
    arn: &'a str,
}

impl RecordContext<'_> {
    /// The record of some lines. `time`: when the last of them was shown, as `2026-11-24T22:33:00Z`.
    #[must_use]
    pub fn record(&self, time: &str, lines: &[String]) -> String {
        let record = Record {
            event_version: EVENT_VERSION,
            event_time: time,
            aws_region: self.region,
            target: Target { id: self.target },
            user_identity: UserIdentity { arn: self.user_arn },
            run_as_user: self.run_as_user,
            session_id: self.session,
            session_data: lines,
        };
        serde_json::to_string(&record).expect("texts are always JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_as_awss() {
        let context = RecordContext {
            region: "us-east-1",
            target: "mi-0123456789abcdef0",
            user_arn: "arn:aws:iam::123456789012:user/alice",
            run_as_user: "ssm-user",
            session: "alice-0a1b2c3d4e5f60718",
        };
        let record = context.record("2026-11-24T22:33:00Z", &["$ ls".to_owned(), "\"file\"".to_owned()]);
        assert_eq!(
            record,
            concat!(
                r#"{"eventVersion":"1.0","eventTime":"2026-11-24T22:33:00Z","awsRegion":"us-east-1","#,
                r#""target":{"id":"mi-0123456789abcdef0"},"#,
                r#""userIdentity":{"arn":"arn:aws:iam::123456789012:user/alice"},"runAsUser":"ssm-user","#,
                r#""sessionId":"alice-0a1b2c3d4e5f60718","sessionData":["$ ls","\"file\""]}"#
            )
        );
    }
}
