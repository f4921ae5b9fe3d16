//! `postern verify`: whether an audit trail is as it was written, without a server.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use postern_audit_format::verify::{Last, Report, TrustedKey};

use crate::arguments::{Global, OutputFormat};
use crate::failure::{FAILED, Failure};

/// Check an audit trail, offline
///
/// Every record, its place in the chain, the signed heads, the log and digest files, and the recordings if their
/// directory is given or in the server's data directory. The exit status is 0 if all of it is as it was written, and 1 if
/// something is not.
#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// The directory of the trail, or the server's data directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// A public key of the trail that was kept elsewhere: PEM, DER, or as ListPublicKeys shows it. Without one, the trail's
    /// own keys are believed
    #[arg(long = "public-key", value_name = "FILE")]
    public_keys: Vec<PathBuf>,
    /// The directory of recordings
    #[arg(long, value_name = "DIR")]
    recordings: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Verify {
    /// The result is the exit status.
    pub(crate) fn run(&self, global: &Global) -> Result<u8, Failure> {
        let keys = self.public_keys.iter().map(|path| TrustedKey::read(path));
        let keys = keys.collect::<Result<Vec<_>, _>>()?;
        let directory = trail_in(&self.directory);
        let recordings = self.recordings.clone().or_else(|| recordings_in(&self.directory));
        let report = postern_audit_format::verify(&directory, &keys, recordings.as_deref())
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", directory.display())))?;
        let mut out = io::stdout().lock();
        if self.json || global.output == OutputFormat::Json {
            serde_json::to_writer_pretty(&mut out, &report)?;
            writeln!(out)?;
        } else {
            print(&mut out, &report)?;
        }
        out.flush()?;
        Ok(if report.is_sound() { 0 } else { FAILED })
    }
}

/// The trail's directory is `audit` in the server's.
fn trail_in(directory: &Path) -> PathBuf {
    let inner = directory.join("audit");
    if !directory.join("chain").exists() && inner.join("chain").exists() {
        inner
    } else {
        directory.to_owned()
    }
}

/// Those of the server whose data directory it is. Elsewhere, they are not looked for.
fn recordings_in(directory: &Path) -> Option<PathBuf> {
    let recordings = directory.join("recordings");
    (trail_in(directory) != directory && recordings.is_dir()).then_some(recordings)
}

fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    for finding in &report.findings {
        writeln!(out, "{finding}")?;
    }
    if report.findings_omitted > 0 {
        writeln!(out, "and {} more", report.findings_omitted)?;
    }
    for note in &report.notes {
        writeln!(out, "note: {note}")?;
    }
    let checked = &report.checked;
    writeln!(
        out,
        "checked {} lines in {} segments ({} records, {} removed), {} heads, {} log files, {} digests, {} recordings ({} removed)",
        checked.lines,
        checked.segments,
        checked.records,
        checked.removed_records,
        checked.heads,
        checked.log_files,
        checked.digests,
        checked.recordings,
        checked.removed_recordings,
    )?;
    for (name, last) in [("last line", &report.last_line), ("last signed", &report.last_signed)] {
        if let Some(Last { sequence, hash, time }) = last {
            writeln!(out, "{name}: {sequence} {hash} {time}")?;
        }
    }
    let verdict = if report.is_sound() { "the trail is as it was written" } else { "THE TRAIL WAS CHANGED" };
    writeln!(out, "{verdict}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_directory_is_no_trail() {
        let directory = std::env::temp_dir().join("postern-no-such-trail");
        let report = postern_audit_format::verify(&directory, &[], None).unwrap();
        let mut out = Vec::new();
        print(&mut out, &report).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("chain: there is no chain"), "{text}");
        assert!(text.ends_with("THE TRAIL WAS CHANGED\n"), "{text}");
    }
}
