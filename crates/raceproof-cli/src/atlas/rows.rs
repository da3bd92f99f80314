//! The rows of the atlas: the scenarios by protocol, and what is searched of each.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::cell::{Cell, Task, Trial, cells};
use super::plan::{CHAPTERS, Chapter};
use crate::run::STACK_BYTES;
use crate::select::Selected;

/// The rows of one kind of protocol.
#[derive(Debug)]
pub(crate) struct Group {
    /// The part of the scenarios' names before the slash.
    pub(crate) name: String,
    /// What the atlas says of the group, for a group of the catalogue.
    pub(crate) chapter: Option<&'static Chapter>,
    pub(crate) rows: Vec<Row>,
}

/// A protocol.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) title: String,
    pub(crate) files: Vec<Selected>,
    /// One for each column, when it has been searched.
    pub(crate) cells: Vec<Cell>,
}

/// Sorts scenarios into groups and rows.
pub(crate) fn groups(scenarios: Vec<Selected>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for selected in scenarios {
        let scenario = &selected.scenario;
        let name = scenario.name().split_once('/').map_or("designs", |(group, _)| group).to_owned();
        let title = scenario.row().unwrap_or_else(|| scenario.name()).to_owned();
        let group = match groups.iter_mut().position(|group| group.name == name) {
            Some(at) => &mut groups[at],
            None => {
                let chapter = CHAPTERS.iter().find(|chapter| chapter.name == name);
                groups.push(Group { name, chapter, rows: Vec::new() });
                groups.last_mut().expect("just pushed")
            }
        };
        match group.rows.iter_mut().find(|row| row.title == title) {
            Some(row) => row.files.push(selected),
            None => group.rows.push(Row { title, files: vec![selected], cells: Vec::new() }),
        }
    }
    let place = |group: &Group| CHAPTERS.iter().position(|chapter| chapter.name == group.name);
    groups.sort_by_key(|group| place(group).unwrap_or(usize::MAX));
    for group in &mut groups {
        let Some(chapter) = group.chapter else { continue };
        group.rows.sort_by_key(|row| chapter.rows.iter().position(|name| row.has(name)).unwrap_or(usize::MAX));
    }
    groups
}

impl Row {
    pub(crate) fn has(&self, scenario: &str) -> bool {
        self.files.iter().any(|file| file.scenario.name() == scenario)
    }

    /// The file that the row is named for.
    pub(crate) fn first(&self) -> Option<&Selected> {
        self.files.first()
    }

    /// The files that differ in more than what they expect.
    fn protocols(&self) -> Vec<&Selected> {
        let mut found: Vec<&Selected> = Vec::new();
        for file in &self.files {
            if !found.iter().any(|known| protocol(file.scenario.source()) == protocol(known.scenario.source())) {
                found.push(file);
            }
        }
        found
    }
}

/// What a file runs: all that comes after its header.
fn protocol(source: &str) -> &str {
    source.split_once("\n}\n").map_or(source, |(_, protocol)| protocol)
}

/// What came of one file: its place in the work, its row, its cells.
type Filled = (usize, usize, Result<(Vec<Cell>, Vec<Trial>), String>);

/// Fills the cells, `jobs` files at a time. What cannot be searched is an error; what real servers said, if they were
/// asked, comes back too.
pub(crate) fn search(
    groups: &mut [Group],
    task: Task<'_>,
    jobs: usize,
    tick: &(dyn Fn(usize) + Sync),
) -> (Vec<String>, Vec<Trial>) {
    let rows: Vec<&Row> = groups.iter().flat_map(|group| &group.rows).collect();
    let work: Vec<(usize, &Selected)> = rows
        .iter()
        .enumerate()
        .flat_map(|(row, all)| all.protocols().into_iter().map(move |file| (row, file)))
        .collect();
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<Filled>> = Mutex::default();
    let run = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((row, file)) = work.get(number) else { return };
            let result = catch_unwind(AssertUnwindSafe(|| cells(&file.scenario, &file.argument, task)));
            let result = result.unwrap_or_else(|_| {
                let ask = "this is a defect of raceproof: please report it with the scenario";
                Err(format!("the search for {} panicked\n  └ {ask}", file.scenario.name()))
            });
            let mut found = found.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            found.push((number, *row, result));
            tick(found.len());
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs.min(work.len()) {
            if std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run).is_err() {
                // The system allows no more threads: those that run share the work.
                break;
            }
        }
    });
    let mut found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    found.sort_by_key(|(number, ..)| *number);
    let (mut errors, mut trials) = (Vec::new(), Vec::new());
    let mut of_row: Vec<Vec<Vec<Cell>>> = rows.iter().map(|_| Vec::new()).collect();
    for (_, row, result) in found {
        match result {
            Ok((cells, of_file)) => {
                of_row[row].push(cells);
                trials.extend(of_file);
            }
            Err(error) => errors.push(error),
        }
    }
    let rows = groups.iter_mut().flat_map(|group| &mut group.rows);
    for (row, files) in rows.zip(of_row) {
        let column = |at: usize| Cell::worst(files.iter().map(|cells| cells[at].clone()));
        row.cells = if files.is_empty() { Vec::new() } else { (0..task.columns.len()).map(column).collect() };
    }
    (errors, trials)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::select;

    #[test]
    fn the_plan_names_every_row_of_the_catalogue_and_no_other() {
        let catalogue = select(&[]).expect("the catalogue can be read");
        for group in groups(catalogue.scenarios) {
            let chapter = group.chapter.unwrap_or_else(|| panic!("{} has no chapter", group.name));
            for row in &group.rows {
                let named = chapter.rows.iter().filter(|name| row.has(name)).count();
                assert_eq!(named, 1, "{}: the plan names one scenario of it", row.title);
            }
            assert_eq!(chapter.rows.len(), group.rows.len(), "{}: the plan names what is not there", group.name);
        }
    }
}
