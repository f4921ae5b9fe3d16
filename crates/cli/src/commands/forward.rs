//! `postern forward`.

mod control;
mod node;
mod plan;
mod program;
mod show;
mod words;

use std::path::PathBuf;

use self::control::Do;
use self::plan::{Plan, absolute, read};
use self::program::Program;
use self::words::{Kind, Wanted};
use crate::arguments::Global;
use crate::commands::api;
use crate::failure::{Failure, SESSION_FAILED};

/// Exit status for wrong usage, as of every command.
const USAGE: u8 = 2;

/// Forward connections through nodes, in the words of ssh.
///
/// Each node gets one session, which carries any number of connections of any kind until Ctrl-C ends it. A forward goes to the
/// first NODE, or to the one that stands before it: -L NODE/8080:db.internal:80. BIND is 127.0.0.1 if it is not given, and * is every
/// address; port 0 is any that is free; IPv6 addresses stand in brackets. Socket files that are made here belong
/// to their owner alone, and are removed at the end.
///
/// With --control PATH a socket is made there, over which a running command takes orders:
/// `postern forward -S PATH -O forward -L …` and `-O cancel -L …` add and remove forwards, `-O check` says what it does, `-O exit` ends it.
///
/// Exit status: 0 after -O exit; 255 if a session could not be started or was lost; 128 and the number of the signal that ended this
/// program; 1 if something could not be listened on; 2 for wrong usage.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Forward {
    /// A port or a socket file of this machine leads to a port that the node reaches, or to a socket file of the node:
    /// [BIND:]PORT:HOST:PORT, [BIND:]PORT:/NODE.SOCK, /LOCAL.SOCK:HOST:PORT, /LOCAL.SOCK:/NODE.SOCK
    #[arg(short = 'L', value_name = "[NODE/]LOCAL:REMOTE", allow_hyphen_values = true)]
    local: Vec<String>,
    /// A port of the node leads to a port that this machine reaches, or to a socket file of it: [BIND:]PORT:HOST:PORT,
    /// [BIND:]PORT:/LOCAL.SOCK
    #[arg(short = 'R', value_name = "[NODE/]REMOTE:LOCAL", allow_hyphen_values = true)]
    remote: Vec<String>,
    /// A port of this machine is a SOCKS proxy (5, 4a and 4), whose names the node looks up: [BIND:]PORT
    #[arg(short = 'D', value_name = "[NODE/][BIND:]PORT", allow_hyphen_values = true)]
    dynamic: Vec<String>,
    /// As -L, for UDP: [BIND:]PORT:HOST:PORT
    #[arg(short = 'U', value_name = "[NODE/]LOCAL:REMOTE", allow_hyphen_values = true)]
    udp: Vec<String>,
    /// Start a new session when one ends or its node is away, and go on
    #[arg(long, conflicts_with = "order")]
    reconnect: bool,
    /// Print what happens on standard output, an object of JSON a line
    #[arg(long)]
    json: bool,
    /// With --json: also how much was carried, every second
    #[arg(long, requires = "json", conflicts_with = "order")]
    status: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT", conflicts_with = "order")]
    reason: Option<String>,
    /// The socket over which a running command takes orders
    #[arg(short = 'S', long, value_name = "PATH")]
    control: Option<PathBuf>,
    /// What the command that runs there shall do
    #[arg(short = 'O', value_name = "ORDER", requires = "control", conflicts_with = "nodes")]
    order: Option<Do>,
    /// The nodes: IDs, or the names that they were given by their administrators
    #[arg(value_name = "NODE")]
    nodes: Vec<String>,
}

impl Forward {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let wanted = self.wanted()?;
        if let (Some(order), Some(path)) = (self.order, &self.control) {
            return control::ask(path, order, &wanted, self.json).await;
        }
        let plan = Plan::of(&self.nodes, wanted, self.control.is_some()).map_err(usage)?;
        let api = api(global).await.map_err(|failure| failure.with_status(SESSION_FAILED))?;
        let plan = plan.found(&api).await.map_err(|failure| failure.with_status(SESSION_FAILED))?;
        Program::listening(&api, plan, &self)?.run().await
    }

    /// All that was asked for, or all that is wrong with it.
    fn wanted(&self) -> Result<Vec<Wanted>, Failure> {
        let words = [
            (Kind::Local, &self.local),
            (Kind::Remote, &self.remote),
            (Kind::Dynamic, &self.dynamic),
            (Kind::Udp, &self.udp),
        ];
        let words =
            words.into_iter().flat_map(|(kind, texts)| texts.iter().map(move |text| (kind, text.as_str())));
        Ok(read(words).map_err(usage)?.into_iter().map(absolute).collect())
    }
}

fn usage(error: plan::PlanError) -> Failure {
    Failure::new(error).with_status(USAGE)
}
