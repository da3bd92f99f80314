//! One protocol with one thing going wrong: the search, and what the atlas says of it.

use raceproof_explore::scenario::Scenario;
use raceproof_explore::{Bounds, Error, Fault, Report, Verdict};

use super::column::Column;
use crate::{judge, real};

/// What became of a protocol in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Every trace was run, and none breaks a check.
    Holds,
    /// A check is broken.
    Broken(Breach),
    /// It is broken already when nothing goes wrong.
    Already,
    /// There is nothing here that this could strike.
    Untouched,
    /// No violation in so many executions, and there are others.
    Open(u64),
}

/// How a protocol was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    /// What is lost.
    pub(crate) message: String,
    /// The steps of the shortest counterexample.
    pub(crate) steps: usize,
    /// What to write on the command line to get the file.
    pub(crate) argument: String,
    /// The options of `raceproof check` that find it again; none if the file says all.
    pub(crate) options: String,
    pub(crate) token: String,
}

impl Breach {
    /// `1 step`, `4 steps`.
    pub(crate) fn length(&self) -> String {
        format!("{} {}", self.steps, if self.steps == 1 { "step" } else { "steps" })
    }

    /// The command that finds it again.
    pub(crate) fn command(&self) -> String {
        format!("raceproof check {} {}", self.argument, self.options).trim_end().to_owned()
    }
}

impl Cell {
    pub(crate) const fn mark(&self) -> &'static str {
        match self {
            Self::Holds => "✓",
            Self::Broken(_) => "✗",
            Self::Already => "″",
            Self::Untouched => "–",
            Self::Open(_) => "?",
        }
    }

    /// The cell of a row whose files have these: the worst of them.
    pub(crate) fn worst(cells: impl IntoIterator<Item = Self>) -> Self {
        cells.into_iter().max_by_key(Self::gravity).unwrap_or(Self::Untouched)
    }

    /// Of files that are equally bad the first one tells.
    const fn gravity(&self) -> (u8, std::cmp::Reverse<usize>) {
        let (gravity, steps) = match self {
            Self::Untouched => (0, 0),
            Self::Holds => (1, 0),
            Self::Already => (2, 0),
            Self::Open(_) => (3, 0),
            Self::Broken(breach) => (4, breach.steps),
        };
        (gravity, std::cmp::Reverse(steps))
    }
}

/// What is asked of every file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<'a> {
    pub(crate) columns: &'a [Column],
    /// How many executions a cell may cost.
    pub(crate) most: u64,
    /// Each counterexample is played on a real server.
    pub(crate) confirm: bool,
}

/// A counterexample on a real server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trial {
    pub(crate) server: String,
    /// Which file in which column, and what the server did instead, if it did.
    pub(crate) doubt: Option<String>,
}

/// All columns of one file, and what real servers said. `argument` is what to write on the command line to get it.
///
/// # Errors
/// When a search cannot be carried out.
pub(crate) fn cells(scenario: &Scenario, argument: &str, task: Task<'_>) -> Result<(Vec<Cell>, Vec<Trial>), String> {
    let Task { columns, most, confirm } = task;
    let mut trials = Vec::new();
    let mut search = |column: Column| {
        let bounds = column.bounds(scenario.bounds());
        let check = scenario.check().bounds(bounds);
        let words = |error| in_words(scenario, column, error);
        let report = scenario.run(&check.clone().max_executions(most)).map_err(words)?;
        if let Some(found) = report.violation.as_ref().filter(|_| confirm && columns.contains(&column)) {
            let played = real::confirm(scenario, &check, &found.token).map_err(words)?;
            let doubt = || format!("{}, {column}: {}", scenario.name(), judge::not_confirmed(&played));
            trials.push(Trial { doubt: (!played.same_outcome).then(doubt), server: played.server });
        }
        Ok::<_, String>((bounds, report))
    };
    let (bounds, calm) = search(Column::Calm)?;
    let cells: Result<Vec<Cell>, String> = columns
        .iter()
        .map(|column| match column {
            Column::Calm => Ok(cell(scenario, argument, bounds, &calm)),
            _ if calm.verdict == Verdict::Violated => Ok(Cell::Already),
            // EVAL sends its script, whatever the server has forgotten.
            Column::Fault(Fault::ScriptFlush) if !scenario.source().contains("EVALSHA") => Ok(Cell::Untouched),
            Column::Fault(Fault::Lag) if !scenario.source().contains("replica(") => Ok(Cell::Untouched),
            other => {
                let (bounds, report) = search(*other)?;
                let nothing_new = report.executions <= calm.executions * other.idle();
                let untouched = report.verdict == Verdict::Verified && nothing_new;
                Ok(if untouched { Cell::Untouched } else { cell(scenario, argument, bounds, &report) })
            }
        })
        .collect();
    Ok((cells?, trials))
}

fn cell(scenario: &Scenario, argument: &str, bounds: Bounds, report: &Report) -> Cell {
    match (&report.violation, report.verdict) {
        (Some(found), _) => Cell::Broken(Breach {
            message: found.message.lines().next().unwrap_or_default().to_owned(),
            steps: found.steps.len(),
            argument: argument.to_owned(),
            options: options(scenario, bounds),
            token: found.token.clone(),
        }),
        (None, Verdict::Verified) => Cell::Holds,
        (None, _) => Cell::Open(report.executions),
    }
}

/// The options that search the scenario within these bounds; what its file says need not be said again.
fn options(scenario: &Scenario, bounds: Bounds) -> String {
    let own = scenario.bounds();
    let mut options = Vec::new();
    if bounds.pauses != own.pauses {
        options.push(format!("--pauses {}", bounds.pauses));
    }
    if bounds.faults != own.faults {
        options.push(format!("--faults {}", bounds.faults));
    }
    options.join(" ")
}

fn in_words(scenario: &Scenario, column: Column, error: Error) -> String {
    match error {
        // It names its file.
        Error::Scenario(text) => text,
        error => format!("{error}\n  └ {}, {column}", scenario.file()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breach(steps: usize) -> Cell {
        let (message, argument, options, token) = Default::default();
        Cell::Broken(Breach { message, steps, argument, options, token })
    }

    #[test]
    fn a_row_is_as_good_as_the_worst_of_its_files() {
        assert_eq!(Cell::worst([Cell::Holds, Cell::Untouched]), Cell::Holds);
        assert_eq!(Cell::worst([Cell::Holds, Cell::Already]), Cell::Already);
        assert_eq!(Cell::worst([Cell::Already, breach(4), Cell::Open(9)]), breach(4));
        assert_eq!(Cell::worst([breach(4), breach(2), Cell::Holds]), breach(2), "the shorter one tells");
        assert_eq!(Cell::worst([Cell::Holds, Cell::Open(9)]), Cell::Open(9));
    }

    #[test]
    fn each_column_is_told_from_the_others() {
        let text = r#"
            scenario { name = "t", pauses = 1 }
            client("a", function() redis("SET", "k", 1, "EX", 5) redis("SET", "done", 1) end)
            finally(function() expect(not returned("a") or redis("GET", "k"), "k is gone") end)
        "#;
        let scenario = Scenario::parse("t.lua", text).expect("a scenario");
        let task = Task { columns: &Column::ALL, most: 1000, confirm: false };
        let (cells, _) = cells(&scenario, "t.lua", task).expect("cells");
        let of = |name: &str| {
            let at = Column::ALL.iter().position(|column| column.name() == name).expect("a column");
            cells[at].clone()
        };
        let broken = |name: &str| match of(name) {
            Cell::Broken(breach) => (breach.message, breach.options),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(of("none"), Cell::Holds);
        assert_eq!(of("crash"), Cell::Holds);
        assert_eq!(of("sql-abort"), Cell::Untouched, "there is no database in it");
        assert_eq!(of("script-flush"), Cell::Untouched, "there is no script in it");
        assert_eq!(broken("pause"), ("k is gone".to_owned(), String::new()));
        assert_eq!(broken("flush").1, "--pauses 0 --faults flush=1");
    }
}
