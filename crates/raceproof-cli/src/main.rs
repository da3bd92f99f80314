//! The `raceproof` command.
#![forbid(unsafe_code)]

mod args;
mod catalogue;
mod check;
mod interrupt;
mod json;
mod judge;
mod junit;
mod list;
mod output;
mod progress;
mod run;
mod select;
mod table;
mod text;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args::Command::Check(args) = args::Cli::parse().command;
    check::check(&args).into()
}
