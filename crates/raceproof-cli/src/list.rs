//! `--list`: the scenarios with what is expected of them and what they model.

use raceproof_explore::render::{Line, Role, cut, harmless, width};

use crate::judge::word;
use crate::output::Output;
use crate::select::Selected;

pub(crate) fn print(scenarios: &[Selected], output: &mut Output) {
    let names: Vec<String> = scenarios.iter().map(|selected| harmless(selected.scenario.name())).collect();
    let name_width = names.iter().map(|name| width(name)).max().unwrap_or(0);
    for (selected, name) in scenarios.iter().zip(&names) {
        let expected = selected.scenario.expect().map_or("", |expected| word(expected.verdict));
        let mut line = Line::default().with(Role::Strong, name);
        line.pad_to(name_width + 3);
        line.push(Role::Plain, expected);
        line.pad_to(name_width + 3 + "verified".len() + 3);
        let about = harmless(selected.scenario.about());
        let room = output.terminal_columns().map(|columns| columns.saturating_sub(line.width()).max(20));
        line.push(Role::Faint, room.map_or_else(|| about.clone(), |room| cut(&about, room)));
        line.trim_end();
        output.line(&line);
    }
}
