//! `postern cp`.

mod place;
mod progress;
mod session;

use std::path::Path;

use postern_client::Api;
use postern_copy::{Copier, FileError, Options, Remote};
use tokio::io::{AsyncRead, AsyncWrite};

use self::place::Place;
use self::progress::Bar;
use crate::arguments::Global;
use crate::commands::api;
use crate::failure::{FAILED, Failure, SESSION_FAILED};

/// Copy files and directories to or from a node.
///
/// One side is on this machine, the other is NODE:PATH, where a relative path begins in the home directory of the user that
/// sessions run as there. Several sources go into a directory. Links are followed. A file gets its name only when all
/// of it is there and its SHA-256 is that of the original; until then it lies beside its place as `.NAME.part`.
///
/// Exit status: 0 if everything was copied; 1 if something was not; 255 if the session could not be started or was lost;
/// 128 and the number of the signal that ended this program; 2 for wrong usage.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Cp {
    /// Copy directories with all that is in them
    #[arg(short, long)]
    recursive: bool,
    /// Keep times and modes
    #[arg(short, long)]
    preserve: bool,
    /// Go on where an earlier copy of the same file broke off
    #[arg(long)]
    resume: bool,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// What to copy, and where to
    #[arg(required = true, num_args = 2.., value_names = ["SOURCE", "TARGET"])]
    places: Vec<Place>,
}

/// Sources and their target, one of them on a node.
#[derive(Debug, PartialEq, Eq)]
enum Plan<'a> {
    Upload {
        sources: Vec<&'a Path>,
        node: &'a str,
        target: &'a [u8],
    },
    /// From each node in turn.
    Download {
        groups: Vec<(&'a str, Vec<&'a [u8]>)>,
        target: &'a Path,
    },
}

impl Cp {
    pub(crate) async fn run(self, global: &Global) -> Result<u8, Failure> {
        let plan = plan(&self.places)?;
        let api = api(global).await.map_err(|failure| failure.with_status(SESSION_FAILED))?;
        let mut bar = Bar::new(self.quiet);
        let failures = match plan {
            Plan::Upload { sources, node, target } => {
                let work = async |remote: &mut Remote<session::Stream>| {
                    let mut copier = Copier::new(remote, self.options(), &mut bar);
                    let outcome = copier.upload(&sources, target).await;
                    failures(&copier, outcome)
                };
                self.with_files(&api, node, work).await?
            }
            Plan::Download { groups, target } => {
                let is_one = groups.len() == 1;
                let mut all = 0;
                for (node, sources) in groups {
                    let work = async |remote: &mut Remote<session::Stream>| {
                        let mut copier = Copier::new(remote, self.options(), &mut bar);
                        let outcome = copier.download(&sources, target, is_one).await;
                        failures(&copier, outcome)
                    };
                    all += self.with_files(&api, node, work).await?;
                }
                all
            }
        };
        Ok(if failures == 0 { 0 } else { FAILED })
    }

    async fn with_files(
        &self,
        api: &Api,
        node: &str,
        work: impl AsyncFnOnce(&mut Remote<session::Stream>) -> Result<usize, Failure>,
    ) -> Result<usize, Failure> {
        session::with_files(api, node, self.reason.clone(), work).await
    }

    fn options(&self) -> Options {
        Options { recursive: self.recursive, preserve: self.preserve, resume: self.resume }
    }
}

/// What failed alone has been told.
fn failures<S: AsyncRead + AsyncWrite + Unpin>(
    copier: &Copier<'_, S>,
    outcome: Result<(), FileError>,
) -> Result<usize, Failure> {
    match outcome {
        Ok(()) => Ok(copier.failures()),
        Err(error) if error.is_final() => Err(Failure::new(error)
            .with_hint("--resume goes on with what is there already")
            .with_status(SESSION_FAILED)),
        Err(error) => Err(error.into()),
    }
}

fn plan(places: &[Place]) -> Result<Plan<'_>, Failure> {
    let Some((target, sources)) = places.split_last() else { return Err(Failure::new("nothing to copy")) };
    match target {
        Place::Remote { node, path } => {
            let local = sources.iter().map(|source| match source {
                Place::Local(path) => Ok(path.as_path()),
                Place::Remote { .. } => Err(Failure::new("a copy from node to node is not possible")
                    .with_hint("copy to this machine first")),
            });
            Ok(Plan::Upload { sources: local.collect::<Result<_, _>>()?, node, target: path })
        }
        Place::Local(target) => {
            let mut groups: Vec<(&str, Vec<&[u8]>)> = Vec::new();
            for source in sources {
                let Place::Remote { node, path } = source else {
                    return Err(Failure::new("none of both is on a node").with_hint(
                        "a file on a node is NODE:PATH, for example mi-0123456789abcdef0:/etc/hosts",
                    ));
                };
                match groups.last_mut() {
                    Some((last, paths)) if *last == node => paths.push(path),
                    _ => groups.push((node, vec![path])),
                }
            }
            Ok(Plan::Download { groups, target })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(texts: &[&str]) -> Vec<Place> {
        texts.iter().map(|text| Place::parse(text.as_ref())).collect()
    }

    #[test]
    fn one_side_is_a_node() {
        let up = places(&["a", "b", "mi-1:"]);
        let expected = Plan::Upload { sources: vec!["a".as_ref(), "b".as_ref()], node: "mi-1", target: b"" };
        assert_eq!(plan(&up).unwrap(), expected);
        let down = places(&["mi-1:a", "mi-1:b", "mi-2:c", "."]);
        let groups = vec![("mi-1", vec![&b"a"[..], b"b"]), ("mi-2", vec![&b"c"[..]])];
        assert_eq!(plan(&down).unwrap(), Plan::Download { groups, target: ".".as_ref() });
        for wrong in
            [&["a", "b"][..], &["mi-1:a", "mi-2:b"], &["mi-1:a", "b", "c"], &["a", "mi-1:b", "mi-1:c"]]
        {
            assert!(plan(&places(wrong)).is_err(), "{wrong:?}");
        }
    }
}
