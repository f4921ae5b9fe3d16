//! `postern revoke-sessions`.

use std::io::{self, Write as _};

use postern_api::postern::{RevokeSessionsInput, RevokeSessionsOutput};
use postern_client::Api;

use crate::arguments::{Global, OutputFormat};
use crate::commands::{api, cell};
use crate::failure::Failure;
use crate::visible;

/// End whatever rests on temporary credentials of a user or role
///
/// Temporary credentials that were issued until now are refused from now on, and live sessions that were started with them end.
/// Access keys stay: a user's key is switched off with `aws iam update-access-key`.
#[derive(Debug, clap::Args)]
pub(crate) struct RevokeSessions {
    #[command(flatten)]
    principal: Principal,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Principal {
    /// A user, by name; one with a path by its ARN
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// A role, by name; one with a path by its ARN
    #[arg(long, value_name = "NAME")]
    role: Option<String>,
    /// A user or role, by ARN
    #[arg(long, value_name = "ARN")]
    principal: Option<String>,
}

impl RevokeSessions {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let api = api(global).await?;
        let principal_arn = self.principal.arn(&api).await?;
        let revoked = api.call(&RevokeSessionsInput { principal_arn }).await?;
        print(global.output, &revoked)?;
        Ok(())
    }
}

impl Principal {
    /// A name is one of the caller's own account.
    async fn arn(self, api: &Api) -> Result<String, Failure> {
        let (kind, name) = match self {
            Self { principal: Some(arn), .. } => return Ok(arn),
            Self { user: Some(name), .. } => ("user", name),
            Self { role, .. } => ("role", role.unwrap_or_default()),
        };
        Ok(format!("arn:aws:iam::{}:{kind}/{name}", api.caller_account().await?))
    }
}

fn print(format: OutputFormat, revoked: &RevokeSessionsOutput) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        OutputFormat::Json => {
            writeln!(out, "{}", visible::json(&serde_json::to_string_pretty(revoked)?))?;
        }
        OutputFormat::Table => {
            let (principal, before) =
                (cell(revoked.principal_arn.as_ref()), cell(revoked.revoked_before.as_ref()));
            let text = format!("Temporary credentials of {principal} from before {before} are refused.");
            writeln!(out, "{}", visible::text(&text))?;
        }
    }
    out.flush()
}
