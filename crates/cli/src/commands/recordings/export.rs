//! `postern recordings export`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use postern_ids::SessionId;
use postern_recording::{Escapes, Exporter, Form};

use super::source::{Cast, Source};
use crate::failure::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The session
    session: SessionId,
    /// What to write
    #[arg(long, default_value = "asciicast-v3")]
    format: Format,
    /// Where to; standard output by default
    #[arg(long, short = 'o', value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// For asciinema and its players, from version 3
    AsciicastV3,
    /// For older players
    AsciicastV2,
    /// Only the characters, without escape sequences
    Text,
    /// What the terminal got, with all escape sequences
    Raw,
}

impl Export {
    pub(super) async fn run(self, source: &Source) -> Result<(), Failure> {
        let cast = source.open(&self.session).await?;
        match &self.file {
            None => self.write(cast, &mut io::stdout().lock()).await,
            Some(path) => {
                let create =
                    |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
                self.write(cast, &mut BufWriter::new(File::create_new(path).map_err(create)?)).await
            }
        }
    }

    async fn write(&self, mut cast: Cast<'_>, out: &mut dyn Write) -> Result<(), Failure> {
        let form = match self.format {
            Format::AsciicastV3 => None,
            Format::AsciicastV2 => Some(Form::AsciicastV2),
            Format::Text => Some(Form::Text(Escapes::Strip)),
            Format::Raw => Some(Form::Text(Escapes::Keep)),
        };
        let mut exporter = form.map(|form| Exporter::new(form, cast.name()));
        while let Some(bytes) = cast.next().await? {
            match &mut exporter {
                None => out.write_all(&bytes)?,
                Some(exporter) => exporter.push(&bytes, out)?,
            }
        }
        out.flush()?;
        Ok(())
    }
}
