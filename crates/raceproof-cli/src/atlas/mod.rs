//! `raceproof atlas`: every protocol of the catalogue under every fault, as a matrix.
//!
//! A cell is one search: the protocol with one thing going wrong once, and nothing else. So the columns of a row can be
//! compared, whatever the file of the scenario has in its own budget.

mod cell;
mod column;
mod markdown;
mod plan;
mod rows;
mod text;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Mutex;

use clap::Args;

use self::cell::Task;
use self::column::Column;
use self::rows::{groups, search};
use crate::output::{Output, complain};
use crate::progress::Progress;
use crate::select::select;

/// How many executions a cell may cost.
const MOST_EXECUTIONS: u64 = 20_000;

#[derive(Clone, Debug, Args)]
pub(crate) struct AtlasArgs {
    /// Which scenarios: names in the catalogue (* and ? match any), .lua files, folders; nothing: the whole catalogue
    #[arg(value_name = "NAME|FILE|DIR")]
    scenarios: Vec<String>,

    /// Which columns, with commas: none, pause, and the names of faults [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    faults: Vec<Column>,

    /// Writes the atlas as a Markdown page
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,

    /// Plays each counterexample on a real redis-server of its own and compares
    #[arg(long)]
    confirm: bool,

    /// Ends the search of a cell after N executions; it is then open
    #[arg(long, value_name = "N", default_value_t = MOST_EXECUTIONS, value_parser = clap::value_parser!(u64).range(1..))]
    executions: u64,

    /// How many protocols are searched at once [default: one per core]
    #[arg(short, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

/// Runs the command; the result is the exit status: 0, 1 if a real server did something else, or 2 if something could
/// not be read, searched or written.
pub(crate) fn atlas(args: &AtlasArgs) -> u8 {
    match drawn(args) {
        Ok((errors, confirmed)) => {
            errors.iter().for_each(|error| complain(error));
            if !errors.is_empty() { 2 } else { u8::from(!confirmed) }
        }
        Err(error) => {
            complain(&error);
            2
        }
    }
}

/// Draws the atlas; what could not be searched comes back, and whether real servers agreed.
fn drawn(args: &AtlasArgs) -> Result<(Vec<String>, bool), String> {
    if args.confirm {
        raceproof_lab::installed_version().map_err(|error| format!("--confirm: {error}"))?;
    }
    let columns = if args.faults.is_empty() { Column::ALL.to_vec() } else { args.faults.clone() };
    let whole = args.scenarios.is_empty();
    let selection = select(&args.scenarios)?;
    let mut errors: Vec<String> = selection.broken.iter().map(ToString::to_string).collect();
    let progress = Mutex::new(Progress::new(selection.scenarios.len()));
    let mut groups = groups(selection.scenarios);
    let jobs = args.jobs.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let tick = |done: usize| {
        if let Ok(mut progress) = progress.lock() {
            progress.show(done, &[]);
        }
    };
    let task = Task { columns: &columns, most: args.executions, confirm: args.confirm };
    let (failed, trials) = search(&mut groups, task, jobs, &tick);
    errors.extend(failed);
    if let Ok(mut progress) = progress.lock() {
        progress.clear();
    }
    let mut output = Output::stdout();
    let page = text::page(&groups, &columns, whole, output.terminal_columns());
    output.page(&page);
    if args.confirm {
        output.page(&text::trials(&trials));
    }
    if let Some(path) = &args.write {
        let text = markdown::page(&groups, &columns, args.executions);
        std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    match output.into_error() {
        None => Ok((errors, trials.iter().all(|trial| trial.doubt.is_none()))),
        Some(error) => Err(format!("cannot write to standard output: {error}")),
    }
}
