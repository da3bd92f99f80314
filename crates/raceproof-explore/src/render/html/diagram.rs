//! A counterexample: its story, its steps as a sequence diagram with the state beside them, the check that breaks, and how
//! to see it again.

use std::fmt::Write;

use super::Case;
use super::markup::{Code, Safe};
use crate::render::sequence::{LaneKind, Message, Sequence, Shown, Text};
use crate::render::{check_name, met};
use crate::report::StepKind;
use crate::state::{Content, Item, Value};

/// Of more keys and rows than this, those that a step did not change are folded away beside it.
const MOST_OPEN: usize = 4;

pub(super) fn write(page: &mut String, case: &Case<'_>) {
    let (id, found) = (Safe(&case.id), case.found);
    let searched = &case.entry.searches[case.search];
    let message = found.message.lines().next().unwrap_or("a check does not hold");
    let _ = writeln!(page, "<section class=\"case\" id=\"{id}\" aria-labelledby=\"{id}:title\">");
    let _ = write!(page, "<h3 id=\"{id}:title\"><a class=\"anchor\" href=\"#{id}\">{}</a> ", Safe(&case.entry.name));
    let _ = writeln!(page, "<span class=\"message\"><b class=\"bad\">✗</b> {}</span></h3>", Safe(message));
    paragraph(page, "about", &case.entry.about);
    if let Some(story) = &found.story {
        story.lines().for_each(|line| paragraph(page, "story", line));
    }
    if let Some(remark) = &case.entry.remark {
        remark.lines().for_each(|line| paragraph(page, "remark", line));
    }
    if !found.steps.is_empty() {
        steps(page, case);
    }
    page.push_str("<dl class=\"facts\">");
    let _ = write!(page, "<div><dt>found</dt><dd>{}</dd></div>", Safe(&met(&searched.report, &searched.strategy)));
    if !case.entry.known_from.is_empty() {
        let _ = write!(page, "<div><dt>known from</dt><dd>{}</dd></div>", Safe(&case.entry.known_from));
    }
    let token = (!found.token.is_empty()).then(|| ("token".to_owned(), found.token.clone()));
    for (label, what) in token.iter().chain(&searched.next) {
        let copy = "<button type=\"button\" class=\"copy with-script\">Copy</button>";
        let (label, what) = (Safe(label), Safe(what));
        let _ = write!(page, "<div><dt>{label}</dt><dd><code class=\"command\">{what}</code>{copy}</dd></div>");
    }
    page.push_str("</dl>\n</section>\n");
}

fn paragraph(page: &mut String, class: &str, text: &str) {
    if !text.is_empty() {
        let _ = writeln!(page, "<p class=\"{class}\">{}</p>", Safe(text));
    }
}

fn steps(page: &mut String, case: &Case<'_>) {
    let sequence = Sequence::of(case.found);
    let name = Safe(&case.entry.name);
    page.push_str("<div class=\"bar with-script\" role=\"group\" aria-label=\"Steps\">");
    for (action, label, sign) in [
        ("first", "To the start", "⇤"),
        ("back", "Step back", "←"),
        ("next", "Next step", "→"),
        ("last", "To the end", "⇥"),
    ] {
        let _ = write!(page, "<button type=\"button\" data-go=\"{action}\" aria-label=\"{label}\">{sign}</button>");
    }
    let count = case.found.steps.len();
    let _ = writeln!(page, "<span class=\"at\">{count} {}</span></div>", if count == 1 { "step" } else { "steps" });
    let _ = writeln!(
        page,
        "<div class=\"diagram\" tabindex=\"0\" role=\"group\" aria-label=\"Steps of {name}\" style=\"--lanes:{}\">",
        widths(&sequence)
    );
    heads(page, &sequence);
    let _ = writeln!(page, "<ol class=\"steps\" role=\"list\" data-steps=\"{count}\">");
    start(page, case, &sequence);
    for (at, message) in sequence.messages.iter().enumerate() {
        step(page, case, &sequence, at, message);
    }
    end(page, case, &sequence);
    page.push_str("</ol></div>\n");
}

/// Two columns for each lane: arrows run from the middle of one lane to the middle of another.
fn widths(sequence: &Sequence<'_>) -> String {
    let width = |kind: LaneKind| match kind {
        LaneKind::Client | LaneKind::Redis | LaneKind::Database | LaneKind::Shared => "minmax(0,1fr) ",
        LaneKind::Clock | LaneKind::Faults => "minmax(0,.7fr) ",
    };
    sequence.lanes.iter().map(|lane| width(lane.kind).repeat(2)).collect::<String>().trim_end().to_owned()
}

fn heads(page: &mut String, sequence: &Sequence<'_>) {
    page.push_str("<div class=\"heads\" aria-hidden=\"true\"><span class=\"n\"></span><div class=\"lanes\">");
    for (at, lane) in sequence.lanes.iter().enumerate() {
        let class = if lane.kind == LaneKind::Client { "head client" } else { "head" };
        let (from, to, name) = (2 * at + 1, 2 * at + 3, Text::value(&lane.name));
        let (full, name) = (Safe(&name.full), Safe(&name.short));
        let _ =
            write!(page, "<span class=\"{class}\" style=\"grid-column:{from}/{to}\" title=\"{full}\">{name}</span>");
    }
    page.push_str("</div><span class=\"head state\">state</span></div>\n");
}

/// The line of each lane, behind what happens in a step.
fn lifelines(page: &mut String, sequence: &Sequence<'_>, at: usize) {
    for lane in (0..sequence.lanes.len()).filter(|lane| sequence.lives(*lane, at)) {
        let ends = sequence.messages.get(at).is_some_and(|message| message.gone.contains(&lane));
        let class = if ends { "life ends" } else { "life" };
        let _ = write!(page, "<i class=\"{class}\" style=\"grid-column:{}/{}\"></i>", 2 * lane + 1, 2 * lane + 3);
    }
}

fn start(page: &mut String, case: &Case<'_>, sequence: &Sequence<'_>) {
    let id = Safe(&case.id);
    let _ =
        write!(page, "<li class=\"step start\" id=\"{id}:0\"><a class=\"n\" href=\"#{id}:0\" aria-label=\"Start\">");
    page.push_str("<span aria-hidden=\"true\">○</span></a><div class=\"lanes\">");
    lifelines(page, sequence, 0);
    page.push_str("<p class=\"route\">at the start</p></div>");
    state(page, &sequence.start, 0, None);
    page.push_str("</li>\n");
}

fn step(page: &mut String, case: &Case<'_>, sequence: &Sequence<'_>, at: usize, message: &Message<'_>) {
    let (id, n) = (Safe(&case.id), message.step.n);
    let (from, to) = (&sequence.lanes[message.from], &sequence.lanes[message.to]);
    let class = match message.step.kind {
        StepKind::Clock => "clock",
        StepKind::Fault => "fault",
        StepKind::Message => "message",
        StepKind::Redis | StepKind::Sql | StepKind::Shared => "call",
    };
    let _ = write!(page, "<li class=\"step {class}\" id=\"{id}:{n}\">");
    let _ = write!(page, "<a class=\"n\" href=\"#{id}:{n}\" aria-label=\"Step {n}\">{n}</a><div class=\"lanes\">");
    lifelines(page, sequence, at);
    match message.step.kind {
        StepKind::Clock => {
            let place = 2 * message.from + 1;
            let _ = write!(page, "<p class=\"route\">time passes</p><i class=\"across\"></i>");
            let _ = write!(page, "<div class=\"passes\" style=\"grid-column:{place}/{}\">", place + 2);
            let _ = write!(page, "{}</div>", Code(&message.did));
        }
        StepKind::Fault => {
            let (left, right) = (2 * message.to + 2, 2 * message.from + 2);
            let _ = write!(page, "<p class=\"route\">fault: {}</p>", Safe(&message.step.client));
            let _ = write!(
                page,
                "<div class=\"label strikes\" style=\"grid-column:{left}/-1\">{}</div>",
                Code(&message.did)
            );
            let _ = write!(page, "<i class=\"arrow strike\" style=\"grid-column:{left}/{right}\"></i>");
        }
        StepKind::Message => {
            let (left, right) = (2 * message.to + 2, 2 * message.from + 2);
            let _ = write!(page, "<p class=\"route\">{} → {}</p>", Safe(&from.name), Safe(&to.name));
            let told = Code(&message.did);
            let _ = write!(page, "<div class=\"answer\" style=\"grid-column:{left}/{right}\">{told}</div>");
        }
        StepKind::Redis | StepKind::Sql | StepKind::Shared => {
            let (left, right) = (2 * message.from + 2, 2 * message.to + 2);
            let _ = write!(page, "<p class=\"route\">{} → {}</p>", Safe(&from.name), Safe(&to.name));
            let _ = write!(page, "<div class=\"label\" style=\"grid-column:{left}/-1\">{}</div>", Code(&message.did));
            let _ = write!(page, "<i class=\"arrow ask\" style=\"grid-column:{left}/{right}\"></i>");
            answer(page, message, left, right);
        }
    }
    for note in &message.step.notes {
        let left = 2 * if message.step.kind == StepKind::Message { message.to } else { message.from } + 2;
        let _ = write!(page, "<div class=\"note\" style=\"grid-column:{left}/-1\">{}</div>", Code(&Text::value(note)));
    }
    page.push_str("</div>");
    state(page, &message.after, message.step.clock_ms, Some(message.step.kind));
    page.push_str("</li>\n");
}

fn answer(page: &mut String, message: &Message<'_>, left: usize, right: usize) {
    let columns = format!("grid-column:{left}/{right}");
    if message.step.unanswered {
        let never = "<span class=\"lost\"><b class=\"bad\">✗</b> the reply never arrives</span>";
        let _ = write!(page, "<div class=\"answer unanswered\" style=\"{columns}\">{never}</div>");
    } else if !message.reply.full.is_empty() {
        let _ = write!(page, "<div class=\"answer\" style=\"{columns}\">{}</div>", Code(&message.reply));
    }
}

/// The check that the execution breaks, as the last row.
fn end(page: &mut String, case: &Case<'_>, sequence: &Sequence<'_>) {
    let found = case.found;
    page.push_str("<li class=\"step end\"><span class=\"n bad\" aria-hidden=\"true\">✗</span><div class=\"lanes\">");
    lifelines(page, sequence, sequence.messages.len());
    let _ = write!(page, "<p class=\"verdict\"><b>{}</b> ", Safe(check_name(&found.broken)));
    for (at, line) in found.message.lines().enumerate() {
        let _ = write!(page, "{}{}", if at > 0 { "<br>" } else { "" }, Safe(line));
    }
    if let Some(place) = &found.place {
        let _ = write!(page, "<span class=\"place\">{}:{}</span>", Safe(&place.file), place.line);
    }
    page.push_str("</p></div></li>\n");
}

/// Every key and row after a step: what the step changed stands out, and of many the others can be opened.
fn state(page: &mut String, after: &[Shown<'_>], clock_ms: i64, kind: Option<StepKind>) {
    let (changed, same): (Vec<_>, Vec<_>) = after.iter().partition(|shown| shown.changed.is_some());
    page.push_str("<div class=\"state\"><dl>");
    let folded = kind.is_some() && after.len() > MOST_OPEN && same.len() > 1;
    let open: Vec<&Shown<'_>> = if folded { changed } else { after.iter().collect() };
    open.into_iter().for_each(|shown| one(page, shown, clock_ms, kind));
    page.push_str("</dl>");
    if folded {
        let _ = write!(page, "<details class=\"rest\"><summary>{} unchanged</summary><dl>", same.len());
        same.into_iter().for_each(|shown| one(page, shown, clock_ms, kind));
        page.push_str("</dl></details>");
    }
    page.push_str("</div>");
}

/// A key or a row.
fn one(page: &mut String, shown: &Shown<'_>, clock_ms: i64, kind: Option<StepKind>) {
    let class = if shown.changed.is_some() { "item changed" } else { "item" };
    let item = Text::value(&shown.item.to_string());
    let (full, short) = (Safe(&item.full), Safe(&item.short));
    let of = if matches!(shown.item, Item::Row { .. }) { "row" } else { "key" };
    let _ = write!(page, "<div class=\"{class}\"><dt class=\"{of}\" title=\"{full}\">");
    let mark = if shown.changed.is_some() { "<span class=\"unseen\">changed: </span>" } else { "" };
    let _ = write!(page, "{mark}{short}</dt> <dd>");
    match shown.content {
        Some(content) => held(page, content, shown.changed.flatten(), clock_ms),
        None if kind == Some(StepKind::Clock) && shown.changed.is_some() => {
            page.push_str("<span class=\"absent\">expired</span>");
        }
        None => page.push_str("<span class=\"absent\">not there</span>"),
    }
    if shown.uncommitted {
        page.push_str(" <span class=\"tag\">uncommitted</span>");
    }
    if let Some(before) = shown.changed {
        was(page, before, shown.content);
    }
    page.push_str("</dd></div>");
}

fn held(page: &mut String, content: &Content, before: Option<&Content>, clock_ms: i64) {
    match &content.value {
        Value::Whole(text) => {
            let _ = write!(page, "{}", Code(&Text::value(text)));
        }
        Value::Fields(fields) if fields.is_empty() => page.push_str("<span class=\"faint\">present</span>"),
        Value::Fields(fields) => {
            for (field, value) in fields {
                let class =
                    if before.is_some_and(|old| field_of(old, field) != Some(value)) { " class=\"new\"" } else { "" };
                let _ = write!(page, "<span class=\"field\"><i>{}</i> ", Safe(&Text::value(field).short));
                let _ = write!(page, "<span{class}>{}</span></span> ", Code(&Text::value(value)));
            }
        }
    }
    if let Some(left) = content.left(clock_ms) {
        let _ = write!(page, " <span class=\"ttl\">{left} left</span>");
    }
}

fn field_of<'c>(content: &'c Content, wanted: &str) -> Option<&'c String> {
    let Value::Fields(fields) = &content.value else { return None };
    fields.iter().find(|(field, _)| field == wanted).map(|(_, value)| value)
}

/// What there was before: the value, or of fields those that are different now.
fn was(page: &mut String, before: Option<&Content>, after: Option<&Content>) {
    let Some(before) = before else {
        page.push_str(" <span class=\"tag\">new</span>");
        return;
    };
    let text = match (&before.value, after.map(|after| &after.value)) {
        (old, Some(new)) if old == new => return,
        (Value::Fields(fields), Some(Value::Fields(_))) => {
            let changed =
                fields.iter().filter(|(field, value)| after.is_none_or(|after| field_of(after, field) != Some(value)));
            changed.map(|(field, value)| format!("{field} {value}")).collect::<Vec<_>>().join(", ")
        }
        (old, _) => old.to_string(),
    };
    if !text.is_empty() {
        let _ = write!(page, "<span class=\"was\">was {}</span>", Code(&Text::value(&text)));
    }
}
