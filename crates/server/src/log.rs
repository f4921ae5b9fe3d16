//! Where log lines go: to stderr, so that stdout stays for what was asked for.

use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// Starts logging for the whole process.
pub fn start(config: &Log) {
    // It takes a key that is not there for an error of its own; refusals are in the audit trail.
    let filter = EnvFilter::new(format!("s3s=off,{}", config.filter));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => {
            let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            builder.with_ansi(is_terminal).init();
        }
        LogFormat::Json => builder.json().init(),
    }
}
