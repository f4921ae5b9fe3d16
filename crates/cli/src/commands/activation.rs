//! `postern activation`.

use clap::Subcommand;
use postern_api::Timestamp;
use postern_api::ssm::{CreateActivationInput, Tag};

use crate::arguments::Global;
use crate::commands::{api, print};
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Activation {
    /// Create an activation; its code is shown only now
    Create(Create),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// The role that the nodes take
    #[arg(long, value_name = "NAME", default_value = "PosternNode")]
    iam_role: String,
    /// What the activation is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The name of each node that registers with it
    #[arg(long, value_name = "NAME")]
    default_instance_name: Option<String>,
    /// How many nodes may register, 1 by default
    #[arg(long, value_name = "NUMBER")]
    registration_limit: Option<i32>,
    /// When it expires, such as 2026-12-31T12:00:00Z; a day from now by default
    #[arg(long, value_name = "TIME")]
    expiration_date: Option<Timestamp>,
    /// A tag of each node that registers with it
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = parse_tag)]
    tags: Vec<Tag>,
}

fn parse_tag(text: &str) -> Result<Tag, &'static str> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE is needed")?;
    Ok(Tag { key: key.to_owned(), value: value.to_owned() })
}

impl Activation {
    pub(crate) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::Create(command) = self;
        let request = CreateActivationInput {
            description: command.description,
            default_instance_name: command.default_instance_name,
            iam_role: command.iam_role,
            registration_limit: command.registration_limit,
            expiration_date: command.expiration_date,
            tags: (!command.tags.is_empty()).then_some(command.tags),
            registration_metadata: None,
        };
        let created = api(global).await?.call(&request).await?;
        let code = created.activation_code.as_ref().map(|code| code.expose_secret().to_owned());
        let row = [created.activation_id.clone().unwrap_or_default(), code.unwrap_or_default()];
        print(global.output, &created, ["ACTIVATION ID", "ACTIVATION CODE"], &[row])?;
        Ok(())
    }
}
