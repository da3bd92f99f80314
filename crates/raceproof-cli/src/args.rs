//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use raceproof_explore::{Bounds, Fault, Faults, Persistence, Strategy, UnknownFault};

use crate::atlas::AtlasArgs;
use crate::serve::ServeArgs;

/// Random executions when neither `--executions` nor `--seconds` bounds the search.
const RANDOM_EXECUTIONS: u64 = 10_000;

/// The depth of what pct looks for: most races need two or three steps in a certain order.
const USUAL_DEPTH: u32 = 3;

/// Finds the races of state that is kept in Redis beside a database.
#[derive(Debug, Parser)]
#[command(name = "raceproof", version, arg_required_else_help = true, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs scenarios through every interleaving and shows a counterexample of each that breaks
    #[command(after_help = "\
Exit status: 0 if every verdict is the expected one (and every counterexample was confirmed, with --confirm), \
1 if some is not (for a file without `expect`: if it is violated), 2 for bad usage or input, \
130 if it was interrupted (Ctrl-C once: what is known so far is printed; twice: at once).

Examples:
  raceproof check                            the built-in catalogue
  raceproof check memory/serialized-value    one scenario, with its counterexample
  raceproof check 'cache/*' my-design.lua    a group of the catalogue, and a file of your own")]
    Check(CheckArgs),
    /// Runs every protocol under every fault and shows which survives what
    #[command(after_help = "\
A cell is one search: the protocol, and one thing that goes wrong once. Exit status: 0, or 2 for bad usage or input.

Examples:
  raceproof atlas                        the catalogue
  raceproof atlas 'lock/*'               a group of it
  raceproof atlas my-design.lua          what your own design survives, and what it loses where it does not")]
    Atlas(AtlasArgs),
    /// Serves a Redis whose time, crashes and faults the test holds, to clients in any language
    #[command(after_help = "\
Prints one line with its addresses when it is ready, and ends on Ctrl-C or SIGTERM. Exit status: 0, or 2 if it cannot start.

Control it through any connection: RACEPROOF HELP lists the commands. A client that authenticates with a user's name, as in \
redis://test-42:x@127.0.0.1:6399, gets a server of its own.

Examples:
  raceproof serve                                a Redis on 127.0.0.1:6399 that keeps real time
  raceproof serve --port 0 --ready-file ready    on any free port; the file has the address
  raceproof serve --clock frozen --appendfsync everysec    time stands still, and a power loss costs two seconds")]
    Serve(ServeArgs),
}

#[derive(Clone, Debug, Args)]
pub(crate) struct CheckArgs {
    /// What to check: names in the catalogue (* and ? match any), .lua files, folders; nothing: the whole catalogue
    #[arg(value_name = "NAME|FILE|DIR")]
    pub(crate) scenarios: Vec<String>,

    /// Lists the scenarios instead of running them
    #[arg(long)]
    pub(crate) list: bool,

    /// What may go wrong, and how often, instead of what the files say: crash=1,restart=1 (`none`: nothing)
    #[arg(long, value_name = "FAULT=N,…", value_parser = faults)]
    faults: Option<Faults>,

    /// What the server keeps: always, everysec, no, rdb or none, instead of what the files say
    #[arg(long, value_name = "POLICY")]
    persistence: Option<Persistence>,

    /// How often time may pass although some client could go on, instead of what the files say
    #[arg(long, value_name = "N")]
    pauses: Option<u32>,

    /// How schedules are chosen: every trace once, every state once, at random, by random priorities that change at few steps, or by random
    /// walks over traces
    #[arg(long, value_enum, default_value_t = StrategyName::Exhaustive, hide_possible_values = true, value_name = "exhaustive|states|random|pct|uniform")]
    strategy: StrategyName,

    /// Ends each search after N executions [default: as many as there are; 10000 for sampling without --seconds]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) executions: Option<u64>,

    /// Runs only schedules with at most N context switches away from a client that could have gone on
    #[arg(long, value_name = "N")]
    pub(crate) preemptions: Option<u32>,

    /// Cuts executions off after N steps; if one is, nothing is verified
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) depth: Option<u32>,

    /// Ends each search after S seconds; one that is to be exhaustive and is not done after two thirds of them samples for
    /// the rest, by pct
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub(crate) seconds: Option<Duration>,

    /// The seed of what is chosen at random [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// How many steps must come in a certain order for what pct looks for [default: 3]
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u32).range(1..=100))]
    pct_depth: Option<u32>,

    /// Ends each search at the first violation instead of counting every trace
    #[arg(long)]
    first: bool,

    /// Runs the one execution that a counterexample's token describes; needs exactly one scenario
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["strategy", "seed", "pct_depth", "first", "list"])]
    pub(crate) replay: Option<String>,

    /// Plays each counterexample on a real redis-server of its own and compares
    #[arg(long)]
    pub(crate) confirm: bool,

    /// What goes to stdout; github: annotations for GitHub Actions
    #[arg(long, value_enum, default_value_t = Format::Text, hide_possible_values = true, value_name = "text|json|github")]
    pub(crate) format: Format,

    /// Writes a JUnit report as well
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    pub(crate) junit: Option<PathBuf>,

    /// Writes one page with the matrix of protocols and faults, and each counterexample as a diagram to step through
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    pub(crate) html: Option<PathBuf>,

    /// Writes a picture of each counterexample into a folder
    #[arg(long, value_name = "DIR", conflicts_with = "list")]
    pub(crate) svg: Option<PathBuf>,

    /// How many threads search: several scenarios at once, or one together; the result is the same [default: one per core]
    #[arg(short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StrategyName {
    Exhaustive,
    States,
    Random,
    Pct,
    Uniform,
}

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    /// Workflow commands of GitHub Actions.
    Github,
}

/// How each scenario is searched.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) strategy: Strategy,
    /// What an exhaustive search that takes too long goes over to.
    pub(crate) then: Option<Strategy>,
    pub(crate) first: bool,
    pub(crate) executions: Option<u64>,
    pub(crate) preemptions: Option<u32>,
    pub(crate) depth: Option<u32>,
    pub(crate) time: Option<Duration>,
    pub(crate) confirm: bool,
    pub(crate) jobs: usize,
}

impl CheckArgs {
    /// The bounds of a scenario, where the command line has others than its file.
    pub(crate) fn bounds(&self, bounds: Bounds) -> Bounds {
        Bounds {
            pauses: self.pauses.unwrap_or(bounds.pauses),
            faults: self.faults.unwrap_or(bounds.faults),
            persistence: self.persistence.unwrap_or(bounds.persistence),
            ..bounds
        }
    }

    /// The plan, or what is wrong with the combination of options.
    pub(crate) fn plan(&self) -> Result<Plan, String> {
        let seed = self.seed.unwrap_or(0);
        let pct = Strategy::Pct { seed, depth: self.pct_depth.unwrap_or(USUAL_DEPTH) };
        let strategy = match (&self.replay, self.strategy) {
            (Some(token), _) => Strategy::Replay { token: token.clone() },
            (None, StrategyName::Random) => Strategy::Random { seed },
            (None, StrategyName::Uniform) => Strategy::Uniform { seed },
            (None, StrategyName::Pct) => pct.clone(),
            (None, StrategyName::Exhaustive) => Strategy::Exhaustive,
            (None, StrategyName::States) => Strategy::States,
        };
        let exhaustive = matches!(strategy, Strategy::Exhaustive | Strategy::States);
        self.without_meaning(&strategy)?;
        let unbounded = self.executions.is_none() && self.seconds.is_none();
        let sampled = !exhaustive && self.replay.is_none();
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Ok(Plan {
            then: (strategy == Strategy::Exhaustive && self.seconds.is_some()).then_some(pct),
            first: self.first,
            executions: if sampled && unbounded { Some(RANDOM_EXECUTIONS) } else { self.executions },
            preemptions: self.preemptions,
            depth: self.depth,
            time: self.seconds,
            confirm: self.confirm,
            jobs: self.jobs.map_or_else(cores, NonZeroUsize::get),
            strategy,
        })
    }
}

impl CheckArgs {
    /// Whether an option stands beside a strategy that does not know it.
    fn without_meaning(&self, strategy: &Strategy) -> Result<(), String> {
        // With a limit of time an exhaustive search may go over to pct.
        let pct =
            matches!(strategy, Strategy::Pct { .. }) || (*strategy == Strategy::Exhaustive && self.seconds.is_some());
        match (self.seed, self.pct_depth, strategy) {
            (Some(seed), _, Strategy::Exhaustive | Strategy::States) if !pct => {
                let way_out = "leave it out, or sample with --strategy random";
                Err(format!("--seed {seed} has no meaning in an exhaustive search\n  └ {way_out}"))
            }
            (_, Some(depth), _) if !pct => {
                let way_out = "leave it out, or choose --strategy pct";
                Err(format!("--pct-depth {depth} has a meaning for pct only\n  └ {way_out}"))
            }
            _ => Ok(()),
        }
    }
}

/// `crash=1,lost-reply=2`; a fault without a number may happen once.
fn faults(text: &str) -> Result<Faults, String> {
    if text == "none" {
        return Ok(Faults::NONE);
    }
    let mut faults = Faults::NONE;
    for part in text.split(',') {
        let (name, times) = part.split_once('=').unwrap_or((part, "1"));
        let fault: Fault = name.parse().map_err(|unknown: UnknownFault| unknown.to_string())?;
        match times.parse() {
            Ok(times @ 0..=100) => faults = faults.with(fault, times),
            _ => return Err(format!("{name}={times}: a number of times is from 0 to 100, as in {name}=1")),
        }
    }
    Ok(faults)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    match Duration::try_from_secs_f64(number) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err("a search needs more than 0 seconds".to_owned()),
    }
}
