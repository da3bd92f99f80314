//! The `raceproof` command.
#![forbid(unsafe_code)]

mod args;
mod atlas;
mod catalogue;
mod check;
mod file;
mod github;
mod interrupt;
mod json;
mod judge;
mod junit;
mod list;
mod output;
mod pages;
mod progress;
mod run;
mod select;
mod serve;
mod table;
mod text;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match args::Cli::parse().command {
        args::Command::Check(args) => check::check(&args),
        args::Command::Atlas(args) => atlas::atlas(&args),
        args::Command::Serve(args) => serve::serve(args),
    }
    .into()
}
