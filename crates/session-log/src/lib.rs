//! The logs of sessions in the layout of AWS's agent: what a terminal showed, as an object in a bucket, as events of text,
//! or, while the session runs, as records of lines.
//!
//! Nothing here keeps anything between calls: each takes the output from where the last piece ended, and says where its own
//! pieces end. Whoever delivers them remembers such a place, and goes on there after a failure or in another process.
//!
//! Source: aws/amazon-ssm-agent, agent/agentlogstocloudwatch/cloudwatchlogspublisher and agent/session/plugins/sessionplugin.

mod key;
mod lines;
mod record;
mod strip;
mod text;

pub use key::{CONTENT_TYPE, object_key};
pub use lines::{DATA_BYTES_MAX, Lines, lines};
pub use record::RecordContext;
pub use text::{EVENT_TEXT_BYTES_MAX, texts};

/// Whether more output may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Following {
    /// It may: what is not complete waits.
    More,
    /// It does not.
    Nothing,
}
