//! `postern recordings delete`.

use postern_api::postern::DeleteSessionRecordingInput;
use postern_ids::SessionId;

use super::source::Source;
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// The sessions
    #[arg(required = true, value_name = "SESSION")]
    sessions: Vec<SessionId>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Delete {
    pub(super) async fn run(self, source: &Source) -> Result<(), Failure> {
        let Source::Server(api) = source else {
            return Err(Failure::new("recordings are removed by the server, which keeps record of it")
                .with_hint("leave --dir out"));
        };
        for session in self.sessions {
            let request =
                DeleteSessionRecordingInput { session_id: session.to_string(), reason: self.reason.clone() };
            api.call(&request).await?;
            eprintln!("Deleted the recording of {session}");
        }
        Ok(())
    }
}
