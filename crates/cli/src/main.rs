//! `postern`: sessions on managed nodes, from the command line.

mod amount;
mod arguments;
mod commands;
mod config;
mod failure;
mod parameters;
mod plugin;
mod replay_filter;
mod screen;
mod table;
mod visible;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;
use crate::failure::Failure;

/// Under this name (or as the first argument) the program takes the place of AWS's session-manager-plugin.
const PLUGIN_NAME: &str = "session-manager-plugin";

fn main() -> ExitCode {
    postern_client::restore_terminal_on_panic();
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let named_plugin =
        |argument: &OsString| Path::new(argument).file_stem().is_some_and(|stem| stem == PLUGIN_NAME);
    if arguments.first().is_some_and(named_plugin) {
        return plugin::main(&arguments[1..]);
    }
    if arguments.get(1).is_some_and(|argument| argument == PLUGIN_NAME) {
        return plugin::main(&arguments.split_off(2));
    }
    match run(Arguments::parse_from(arguments)) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => failure.report(),
    }
}

fn run(arguments: Arguments) -> Result<u8, Failure> {
    // One thread: a session has one task, and a thread more costs start-up time.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(commands::run(arguments));
    // A resolver that still waits for an answer must not hold us.
    runtime.shutdown_background();
    result
}
