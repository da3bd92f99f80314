//! The atlas as a Markdown page: docs/atlas.md.

use std::fmt::Write;

use raceproof_explore::Persistence;
use raceproof_explore::render::thousands;

use super::cell::{Breach, Cell};
use super::column::Column;
use super::rows::{Group, Row};

/// The page. `most`: the executions that a cell may cost.
pub(crate) fn page(groups: &[Group], columns: &[Column], most: u64) -> String {
    let mut text = opening(groups, columns, most);
    for group in groups {
        chapter(group, groups, columns, &mut text);
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Writing to a text does not fail.
macro_rules! put {
    ($text:expr, $($arg:tt)*) => { writeln!($text, $($arg)*).expect("a text takes everything") };
}

fn opening(groups: &[Group], columns: &[Column], most: u64) -> String {
    let run: usize = groups.iter().map(|group| group.rows.len()).sum();
    let mut text = String::from("# The atlas\n\n");
    put!(
        text,
        "Which protocol survives what? {run} ways to keep state in Redis beside a database, as they are used in the \
         field, each run in every order that can make a difference, under each of {} things that go wrong. No cell was \
         filled in by hand: `raceproof atlas` makes this page, and a test keeps it so.\n",
        columns.len() - 1
    );
    put!(text, "| | |\n|---|---|");
    put!(text, "| ✓ | every order was run, and none breaks the promise |");
    put!(text, "| ✗ | the promise is broken; the mark leads to what is lost, and to the command that shows how |");
    put!(text, "| ″ | it is broken already when nothing goes wrong |");
    put!(text, "| – | there is nothing in it that this could strike |");
    put!(text, "| ? | no violation in {} executions, and there are others |\n", thousands(most));
    put!(text, "In each column one thing goes wrong, at most once, in every place where it makes a difference:\n");
    put!(text, "| | | `raceproof check NAME …` |\n|---|---|---|");
    for column in columns {
        let options = column.options();
        let options = if options.is_empty() { options } else { format!("`{options}`") };
        put!(text, "| {} | {} | {options} |", column.title(), column.meaning());
    }
    put!(
        text,
        "\nThe server keeps an append-only file, `appendfsync {}`. A client that gets an error and does not handle it \
         gives up, and what it was about was promised to nobody. What a verdict says, and what it does not, stands in \
         [scenarios.md](scenarios.md).\n",
        Persistence::default()
    );
    findings(groups, &mut text);
    put!(
        text,
        "A ✓ says something of a protocol that is as small as its file: these clients, these checks, one thing that goes wrong.\n"
    );
    for group in groups {
        let title = group.chapter.map_or(group.name.as_str(), |chapter| chapter.title);
        put!(text, "- [{title}](#{})", group.name);
    }
    text.push('\n');
    text
}

/// What a reader in a hurry takes along.
fn findings(groups: &[Group], text: &mut String) {
    let rows = || groups.iter().flat_map(|group| &group.rows);
    let broken = |cell: &Cell| matches!(cell, Cell::Broken(_) | Cell::Already);
    let at_once = rows().filter(|row| row.cells.first().is_some_and(broken)).count();
    let unbroken: Vec<String> = rows()
        .filter(|row| !row.cells.iter().any(broken))
        .map(|row| format!("[{}](#{})", row.title, id(row)))
        .collect();
    put!(text, "{at_once} of them are broken when nothing goes wrong at all: two clients are enough.");
    if !unbroken.is_empty() {
        put!(text, "{} are broken by nothing here: {}.", unbroken.len(), unbroken.join("; "));
    }
    text.push('\n');
}

fn chapter(group: &Group, groups: &[Group], columns: &[Column], text: &mut String) {
    let title = group.chapter.map_or(group.name.as_str(), |chapter| chapter.title);
    put!(text, "## <a id=\"{}\"></a>{title}\n", group.name);
    if let Some(chapter) = group.chapter {
        put!(text, "{}\n", chapter.promise);
    }
    matrix(&group.rows, columns, text);
    for row in &group.rows {
        details(row, groups, columns, text);
    }
}

fn matrix(rows: &[Row], columns: &[Column], text: &mut String) {
    let titles: Vec<&str> = columns.iter().map(|column| column.title()).collect();
    put!(text, "| | {} |", titles.join(" | "));
    put!(text, "|---|{}", ":-:|".repeat(columns.len()));
    for row in rows {
        let id = id(row);
        let marks: Vec<String> =
            columns.iter().zip(&row.cells).map(|(column, cell)| mark(&id, *column, cell)).collect();
        put!(text, "| [{}](#{id}) | {} |", in_table(&row.title), marks.join(" | "));
    }
    text.push('\n');
}

fn mark(id: &str, column: Column, cell: &Cell) -> String {
    match cell {
        Cell::Broken(_) => format!("[✗](#{id}-{column})"),
        other => other.mark().to_owned(),
    }
}

fn details(row: &Row, groups: &[Group], columns: &[Column], text: &mut String) {
    put!(text, "### <a id=\"{}\"></a>{}\n", id(row), row.title);
    let Some(first) = row.first() else { return };
    let scenario = &first.scenario;
    let known = if scenario.known_from().is_empty() {
        String::new()
    } else {
        format!(" Known from {}.", linked(scenario.known_from()))
    };
    put!(text, "{}.{known}\n", sentence(scenario.about()));
    breaches(row, columns, text);
    if let Some(instead) = row.files.iter().find_map(|file| file.scenario.instead()) {
        put!(text, "- Instead: {}", better(instead, groups));
    }
    let files: Vec<String> =
        row.files.iter().map(|file| file_link(file.scenario.name(), file.scenario.file())).collect();
    put!(text, "- {}\n", files.join(", "));
}

/// What is lost, and under which options: a line for each message of each file.
fn breaches(row: &Row, columns: &[Column], text: &mut String) {
    let mut found: Vec<(&Breach, Vec<(Column, &Breach)>)> = Vec::new();
    for (column, cell) in columns.iter().zip(&row.cells) {
        let Cell::Broken(breach) = cell else { continue };
        let same = |known: &Breach| (&known.message, &known.argument) == (&breach.message, &breach.argument);
        match found.iter_mut().find(|(known, _)| same(known)) {
            Some((_, all)) => all.push((*column, breach)),
            None => found.push((breach, vec![(*column, breach)])),
        }
    }
    if found.is_empty() {
        put!(text, "- Nothing here breaks it.");
    }
    for (first, all) in found {
        let anchors: String = all.iter().map(|(column, _)| format!("<a id=\"{}-{column}\"></a>", id(row))).collect();
        let ways: Vec<String> = all.iter().map(|(column, breach)| way(*column, breach)).collect();
        put!(
            text,
            "- {anchors}**{}**: `raceproof check {}` {}",
            in_text(&first.message),
            first.argument,
            ways.join(", ")
        );
    }
}

/// `with --faults crash=1 (3 steps)`.
fn way(column: Column, breach: &Breach) -> String {
    let options = match breach.options.as_str() {
        "" => String::new(),
        options => format!("`{options}` "),
    };
    let named = if column == Column::Calm { "when nothing goes wrong" } else { column.title() };
    format!("{options}({named}, {})", breach.length())
}

fn file_link(name: &str, file: &str) -> String {
    if file.starts_with("scenarios/") { format!("[{name}](../{file})") } else { format!("`{file}`") }
}

/// What to do instead, as a link where it names a scenario.
fn better(instead: &str, groups: &[Group]) -> String {
    match groups.iter().flat_map(|group| &group.rows).find(|row| row.has(instead)) {
        Some(row) => format!("[{}](#{})", row.title, id(row)),
        None => in_text(instead),
    }
}

/// The anchor of a row: the name of its first file, or its title.
fn id(row: &Row) -> String {
    let name = row.first().map_or(row.title.as_str(), |file| file.scenario.name());
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    name.chars().map(plain).collect()
}

/// `Some name (https://…); https://…` with its links.
fn linked(known_from: &str) -> String {
    let parts = known_from.split("; ").map(|part| {
        let (label, rest) = part.rsplit_once(" (https://").unwrap_or((part, ""));
        match rest.split_once(')') {
            Some((address, after)) => format!("[{}](https://{address}){}", in_text(label), in_text(after)),
            None => in_text(part),
        }
    });
    parts.collect::<Vec<_>>().join("; ")
}

fn sentence(text: &str) -> String {
    let mut letters = in_text(text.trim_end_matches('.')).chars().collect::<Vec<_>>();
    if let Some(first) = letters.first_mut() {
        *first = first.to_ascii_uppercase();
    }
    letters.into_iter().collect()
}

fn in_text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('*', "\\*").replace('_', "\\_").replace('<', "&lt;").replace('>', "&gt;")
}

fn in_table(text: &str) -> String {
    in_text(text).replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_becomes_a_link() {
        assert_eq!(linked("redis.io, SET (https://redis.io/set/)"), "[redis.io, SET](https://redis.io/set/)");
        let two = "a (b) (https://x.org/a_b); https://y.org/";
        assert_eq!(linked(two), "[a (b)](https://x.org/a_b); https://y.org/");
        assert_eq!(linked("folklore"), "folklore");
        assert_eq!(linked("c (https://c.org), p. 4"), "[c](https://c.org), p. 4");
    }

    #[test]
    fn text_is_not_markup() {
        assert_eq!(sentence("set k, * of it."), "Set k, \\* of it");
        assert_eq!(in_table("a | b"), "a \\| b");
    }
}
