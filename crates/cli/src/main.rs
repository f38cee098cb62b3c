//! The command line of Manyview: arguments to pipeline and labelling, results to a terminal.
#![forbid(unsafe_code)]
#![allow(clippy::print_stderr)] // errors go there; what is asked for goes through `print_line`

mod args;
mod calibrate;
mod commands;
mod convert;
mod environment;
mod infer;
mod instruct;
mod label;
mod limits;
mod prepare;
mod print;
mod progress;
mod runs;
mod score;
mod share;
mod stdout;
mod store;
mod track;

use args::{Cli, Log, LogFormat};
use clap::Parser;
use manyview_core::Kind;
use progress::Bars;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match Bars::new(cli.log.quiet).and_then(|bars| run(cli, bars)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("manyview: {error}");
            ExitCode::from(kind(&error).exit_code())
        }
    }
}

fn run(cli: Cli, bars: Bars) -> anyhow::Result<()> {
    limits::handle_file_size_signal()?;
    start_log(&cli.log, bars.clone());
    commands::run(cli.command, &bars)
}

/// What sort of failure an error is: that of the library error in its chain.
fn kind(error: &anyhow::Error) -> Kind {
    for cause in error.chain() {
        if let Some(e) = cause.downcast_ref::<manyview_pipeline::Error>() {
            return e.kind();
        }
        if let Some(e) = cause.downcast_ref::<manyview_artifact::Error>() {
            return e.kind();
        }
        if let Some(e) = cause.downcast_ref::<manyview_labelling::Error>() {
            return e.kind();
        }
        if let Some(e) = cause.downcast_ref::<manyview_core::Error>() {
            return e.kind();
        }
    }
    Kind::Internal
}

fn start_log(log: &Log, bars: Bars) {
    let level = match log.verbose {
        0 => tracing::Level::WARN,
        1 => tracing::Level::INFO,
        _ => tracing::Level::DEBUG,
    };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(bars);
    match log.log_format {
        LogFormat::Text => {
            let colour = colour(std::io::stderr().is_terminal(), std::env::var_os("NO_COLOR"));
            builder.without_time().with_target(log.verbose > 1).with_ansi(colour).init();
        }
        LogFormat::Json => builder.json().init(),
    }
}

/// Whether log lines are coloured: on a terminal, unless `NO_COLOR` is set to something (<https://no-color.org>).
fn colour(terminal: bool, no_color: Option<OsString>) -> bool {
    terminal && no_color.is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_are_coloured_on_a_terminal_that_does_not_say_otherwise() {
        let set = |value: &str| Some(OsString::from(value));
        assert!(colour(true, None) && colour(true, set("")));
        assert!(!colour(true, set("1")) && !colour(false, None));
    }
}
