//! The atlas in a terminal: a matrix for each group, and below it what breaks, if few rows were asked for.

use raceproof_explore::render::{Line, Page, Role, cut, harmless, thousands, width};

use super::cell::{Cell, Trial};
use super::column::Column;
use super::rows::{Group, Row};

/// Of so few rows the broken cells are told one by one.
const FEW: usize = 3;
const INDENT: usize = 2;
const GAP: usize = 2;
/// Less of a title than this says nothing.
const LEAST_TITLE: usize = 20;

/// The page; `terminal`: its columns, if it is one.
pub(crate) fn page(groups: &[Group], columns: &[Column], whole: bool, terminal: Option<usize>) -> Page {
    let mut page = Page::default();
    let rows = || groups.iter().flat_map(|group| &group.rows);
    let titles = rows().map(|row| width(&harmless(&row.title))).max().unwrap_or(0);
    let layout = Layout::new(columns, titles, terminal);
    for group in groups {
        page.gap();
        let title = group.chapter.map_or(group.name.as_str(), |chapter| chapter.title);
        page.push(layout.head(title));
        group.rows.iter().for_each(|row| page.push(layout.row(row)));
    }
    page.gap();
    if layout.codes {
        let meanings = columns.iter().map(|column| format!("{} {column}", column.code())).collect::<Vec<_>>();
        page.push(faint(format!("  {}", meanings.join("  "))));
    }
    page.push(faint(
        "  ✓ holds  ✗ broken  ″ broken already when nothing goes wrong  – nothing to strike  ? not exhausted",
    ));
    if rows().count() <= FEW {
        rows().for_each(|row| told(row, columns, &mut page));
    } else if whole && let Some(file) = rows().find_map(|row| row.files.first()) {
        page.push(faint(format!("  See one: raceproof atlas {}", file.argument)));
    }
    page
}

/// What real servers said to the counterexamples.
pub(crate) fn trials(trials: &[Trial]) -> Page {
    let mut page = Page::default();
    let doubts: Vec<&str> = trials.iter().filter_map(|trial| trial.doubt.as_deref()).collect();
    let count = |count: usize| thousands(u64::try_from(count).unwrap_or(u64::MAX));
    let (confirmed, all) = (count(trials.len() - doubts.len()), count(trials.len()));
    page.gap();
    match trials.first() {
        None => page.push(faint("  no counterexample to confirm")),
        Some(first) => page.push(faint(format!("  confirmed on {}: {confirmed} of {all}", first.server))),
    }
    for doubt in doubts {
        page.push(Line::default().with(Role::Bad, format!("  ! {doubt}")));
    }
    page
}

fn faint(text: impl Into<String>) -> Line {
    Line::default().with(Role::Faint, text.into())
}

struct Layout<'c> {
    columns: &'c [Column],
    title: usize,
    /// Two letters instead of words.
    codes: bool,
}

impl<'c> Layout<'c> {
    fn new(columns: &'c [Column], title: usize, terminal: Option<usize>) -> Self {
        let mut layout = Self { columns, title, codes: false };
        let Some(terminal) = terminal else { return layout };
        layout.codes = layout.total() > terminal;
        let rest = layout.total() - layout.title;
        layout.title = layout.title.min(terminal.saturating_sub(rest)).max(LEAST_TITLE);
        layout
    }

    fn total(&self) -> usize {
        INDENT + self.title + self.columns.iter().map(|column| GAP + self.name(*column).len()).sum::<usize>()
    }

    fn name(&self, column: Column) -> &'static str {
        if self.codes { column.code() } else { column.title() }
    }

    fn head(&self, title: &str) -> Line {
        let mut line = Line::default().with(Role::Strong, format!("  {}", cut(title, self.title)));
        line.pad_to(INDENT + self.title);
        for column in self.columns {
            line.push(Role::Plain, " ".repeat(GAP));
            line.push(Role::Faint, self.name(*column));
        }
        line
    }

    fn row(&self, row: &Row) -> Line {
        let mut line = Line::default().with(Role::Plain, format!("  {}", cut(&harmless(&row.title), self.title)));
        line.pad_to(INDENT + self.title + GAP);
        let mut at = INDENT + self.title + GAP;
        for (column, cell) in self.columns.iter().zip(&row.cells) {
            line.pad_to(at);
            line.push(role(cell), cell.mark());
            at += self.name(*column).len() + GAP;
        }
        line
    }
}

const fn role(cell: &Cell) -> Role {
    match cell {
        Cell::Holds => Role::Good,
        Cell::Broken(_) => Role::Bad,
        Cell::Already | Cell::Untouched => Role::Faint,
        Cell::Open(_) => Role::Plain,
    }
}

/// What breaks a row, and how to see it.
fn told(row: &Row, columns: &[Column], page: &mut Page) {
    for (column, cell) in columns.iter().zip(&row.cells) {
        let line = match cell {
            Cell::Broken(breach) => {
                let what = format!("{column}: {} ({})", harmless(&breach.message), breach.length());
                page.gap();
                page.push(Line::default().with(Role::Bad, "  ✗ ").with(Role::Plain, what));
                faint(format!("    {} --replay {}", breach.command(), breach.token))
            }
            Cell::Open(executions) => {
                page.gap();
                faint(format!("  ? {column}: no violation in {} executions; there are others", thousands(*executions)))
            }
            Cell::Holds | Cell::Already | Cell::Untouched => continue,
        };
        page.push(line);
    }
}
