//! The arrangement of the steps: lanes with values, lanes, or a list.

use super::page::{Line, Page, Role};
use super::steps::{Row, Sheet};
use super::text::{shorten, width, wrap};
use crate::report::Counterexample;

/// A lane that is narrower cannot be read.
const LEAST_LANE: usize = 22;
const LEAST_STATE: usize = 10;
const IDLE: &str = "·";

/// A column of the arrangement.
struct Column {
    title: Line,
    /// The columns it takes when nothing is wrapped or shortened.
    natural: usize,
    /// The fewest columns in which it can be read.
    least: usize,
}

/// What stands in a column beside one step.
enum Cell {
    Empty,
    Idle,
    /// A step: what was done, and what came of it.
    Step,
    /// The client's name, in a list.
    Name,
    /// The value of the key with this number.
    State(usize),
}

/// A way to arrange a sheet.
struct Arrangement<'s> {
    sheet: &'s Sheet,
    columns: Vec<Column>,
    /// Whether each client has its lane.
    lanes: bool,
    /// Whether the values have columns of their own.
    state: bool,
}

/// Draws the steps into `page`, in the best arrangement that fits `columns`.
pub(super) fn draw(found: &Counterexample, columns: usize, page: &mut Page) {
    // Torn lines cost attention: past these limits the rows, then the values beside the lanes, and then the lanes, are
    // not worth it.
    let (all, sheet) = (Sheet::of(found, true), Sheet::of(found, false));
    let steps = sheet.rows.len();
    for (sheet, state, most) in [(&all, true, 0), (&sheet, true, steps / 2), (&sheet, false, steps)] {
        let lanes = Arrangement::new(sheet, true, state);
        if let Some((widths, gap)) = lanes.fit(columns).filter(|(widths, _)| lanes.torn(widths) <= most) {
            lanes.lines(&widths, gap).into_iter().for_each(|line| page.push(line));
            return;
        }
    }
    let list = [true, false].map(|state| Arrangement::new(&sheet, false, state));
    let (list, (widths, gap)) = match &list {
        [with_state, _] if with_state.fits_unwrapped(columns) => (with_state, with_state.natural(2)),
        [_, alone] => (alone, alone.fit(columns).unwrap_or_else(|| alone.narrowest())),
    };
    list.lines(&widths, gap).into_iter().for_each(|line| page.push(line));
}

impl<'s> Arrangement<'s> {
    fn new(sheet: &'s Sheet, lanes: bool, state: bool) -> Self {
        let mut columns = if lanes { lane_columns(sheet) } else { list_columns(sheet) };
        if state {
            columns.extend((0..sheet.items.len()).map(|key| state_column(sheet, key)));
        }
        Self { sheet, columns, lanes, state }
    }

    /// The columns before the first lane: two blanks, the number, three blanks.
    fn margin(&self) -> usize {
        2 + self.number_width() + 3
    }

    fn number_width(&self) -> usize {
        self.sheet.rows.iter().map(|row| width(&row.number)).max().unwrap_or(1)
    }

    fn natural(&self, gap: usize) -> (Vec<usize>, usize) {
        (self.columns.iter().map(|column| column.natural).collect(), gap)
    }

    fn narrowest(&self) -> (Vec<usize>, usize) {
        (self.columns.iter().map(|column| column.least).collect(), 2)
    }

    fn total(&self, widths: &[usize], gap: usize) -> usize {
        self.margin() + widths.iter().sum::<usize>() + gap * widths.len().saturating_sub(1)
    }

    fn fits_unwrapped(&self, columns: usize) -> bool {
        let (widths, gap) = self.natural(2);
        self.total(&widths, gap) <= columns
    }

    /// The widths of the columns and the gap between them; `None` if some would be too narrow.
    fn fit(&self, columns: usize) -> Option<(Vec<usize>, usize)> {
        let (widths, _) = self.natural(0);
        for gap in [3, 2] {
            if self.total(&widths, gap) <= columns {
                return Some((widths, gap));
            }
        }
        let mut widths = widths;
        while self.total(&widths, 2) > columns {
            let can_give = |at: &usize| widths[*at] > self.columns[*at].least;
            let widest = (0..widths.len()).filter(can_give).max_by_key(|at| widths[*at])?;
            widths[widest] -= 1;
        }
        Some((widths, 2))
    }

    /// How much is torn at these widths of the lanes: a command counts two for every further line that it takes, a
    /// reply that stands on its own counts one.
    fn torn(&self, widths: &[usize]) -> usize {
        let torn = |row: &Row| {
            let (columns, command) = (widths[row.lane], row.did.width());
            let apart = row.reply.as_ref().is_some_and(|reply| command + 1 + reply.width() > columns);
            2 * (command.max(1).div_ceil(columns.max(1)) - 1) + usize::from(apart)
        };
        self.sheet.rows.iter().map(torn).sum()
    }

    fn lines(&self, widths: &[usize], gap: usize) -> Vec<Line> {
        let mut lines = Vec::new();
        let titles = self.columns.iter().zip(widths).map(|(column, width)| vec![shortened(&column.title, *width)]);
        self.set(&mut lines, "", &titles.collect::<Vec<_>>(), widths, gap);
        if self.columns.iter().all(|column| column.title.spans.is_empty()) {
            lines.clear();
        }
        for row in &self.sheet.rows {
            let cells: Vec<_> = (0..widths.len()).map(|at| self.cell(row, at, widths[at])).collect();
            self.set(&mut lines, &row.number, &cells, widths, gap);
        }
        lines
    }

    /// Sets the cells of one row side by side.
    fn set(&self, lines: &mut Vec<Line>, number: &str, cells: &[Vec<Line>], widths: &[usize], gap: usize) {
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for at in 0..height {
            let mut line = Line::default();
            if at == 0 {
                line.push(Role::Faint, format!("  {number:>0$}", self.number_width()));
            }
            let mut left = self.margin();
            for (cell, width) in cells.iter().zip(widths) {
                if let Some(part) = cell.get(at) {
                    line.pad_to(left);
                    line = line.joined(part.clone());
                }
                left += width + gap;
            }
            line.trim_end();
            lines.push(line);
        }
    }

    fn cell(&self, row: &Row, at: usize, columns: usize) -> Vec<Line> {
        match self.what(row, at) {
            Cell::Empty => Vec::new(),
            Cell::Idle => vec![Line::default().with(Role::Faint, IDLE)],
            Cell::Name => vec![Line::default().with(Role::Strong, shorten(&self.sheet.lanes[row.lane], columns))],
            Cell::Step => self.step(row, columns),
            Cell::State(key) => row.state[key].iter().map(|value| shortened(value, columns)).collect(),
        }
    }

    fn what(&self, row: &Row, at: usize) -> Cell {
        let before_state = if self.lanes { self.sheet.lanes.len() } else { 2 };
        match at {
            _ if at >= before_state => Cell::State(at - before_state),
            0 if !self.lanes => Cell::Name,
            _ if !self.lanes || at == row.lane => Cell::Step,
            _ if row.idle[at] => Cell::Idle,
            _ => Cell::Empty,
        }
    }

    fn step(&self, row: &Row, columns: usize) -> Vec<Line> {
        let mut lines = command_and_reply(row, columns);
        for remark in &row.remarks {
            lines.extend(wrap(remark, columns, 2));
        }
        if !self.lanes && !self.state {
            for (key, value) in self.sheet.items.iter().zip(&row.state) {
                if let Some(value) = value {
                    let line = Line::default().with(Role::Faint, format!("{key} = ")).joined(value.clone());
                    lines.extend(wrap(&line, columns, 2));
                }
            }
        }
        lines
    }
}

/// On one line where it fits; else the reply has a line of its own, so that it is found at a glance.
fn command_and_reply(row: &Row, columns: usize) -> Vec<Line> {
    let Some(reply) = &row.reply else { return wrap(&row.did, columns, 2) };
    let whole = row.did.clone().with(Role::Plain, " ").joined(reply.clone());
    if whole.width() <= columns {
        return vec![whole];
    }
    let mut lines = wrap(&row.did, columns, 2);
    lines.extend(wrap(reply, columns, 2));
    lines
}

/// A line that carries one value, shortened to its column.
fn shortened(line: &Line, columns: usize) -> Line {
    if line.width() <= columns {
        return line.clone();
    }
    let role = line.spans.first().map(|span| span.role).unwrap_or_default();
    Line::default().with(role, shorten(&line.to_string(), columns))
}

/// The columns that a step takes when nothing is wrapped.
fn unwrapped(row: &Row) -> usize {
    let step = row.did.width() + row.reply.as_ref().map_or(0, |reply| 1 + reply.width());
    row.remarks.iter().map(Line::width).max().unwrap_or(0).max(step)
}

fn lane_columns(sheet: &Sheet) -> Vec<Column> {
    let lane = |(at, name): (usize, &String)| {
        let steps = sheet.rows.iter().filter(|row| row.lane == at).map(unwrapped).max().unwrap_or(0);
        let natural = steps.max(width(name));
        Column { title: Line::default().with(Role::Strong, name), natural, least: natural.min(LEAST_LANE) }
    };
    sheet.lanes.iter().enumerate().map(lane).collect()
}

fn list_columns(sheet: &Sheet) -> Vec<Column> {
    let names = sheet.lanes.iter().map(|name| width(name)).max().unwrap_or(0);
    let steps = sheet.rows.iter().map(unwrapped).max().unwrap_or(0);
    vec![
        Column { title: Line::default(), natural: names, least: names.min(LEAST_STATE) },
        Column { title: Line::default(), natural: steps, least: steps.min(LEAST_LANE) },
    ]
}

fn state_column(sheet: &Sheet, key: usize) -> Column {
    let name = &sheet.items[key];
    let values = sheet.rows.iter().filter_map(|row| row.state[key].as_ref()).map(Line::width).max().unwrap_or(0);
    let natural = values.max(width(name));
    Column { title: Line::default().with(Role::Strong, name), natural, least: natural.min(LEAST_STATE) }
}
