//! The matrix as a table, a group of protocols after the other.

use std::fmt::Write;

use super::markup::Safe;
use super::{Case, verdict};
use crate::render::cover::incomplete;
use crate::render::entry::{Entry, Searched};
use crate::render::matrix::{Cell, cell, columns};
use crate::render::text::thousands;
use crate::report::Verdict;

pub(super) fn write(page: &mut String, entries: &[Entry], ids: &[String], cases: &[Case<'_>]) {
    if entries.is_empty() {
        return;
    }
    let faults = columns(entries);
    page.push_str("<section id=\"catalogue\" aria-label=\"Protocols and faults\">\n");
    if entries.len() > 1 {
        legend(page);
    }
    page.push_str("<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Matrix of protocols and faults\">");
    page.push_str("<table class=\"matrix\">\n<thead><tr><th scope=\"col\">protocol</th>");
    page.push_str("<th scope=\"col\" class=\"cell\">no fault</th>");
    for fault in &faults {
        let _ = write!(page, "<th scope=\"col\" class=\"cell\">{}</th>", Safe(fault));
    }
    page.push_str("<th scope=\"col\">finding</th><th scope=\"col\" class=\"number\">executions</th></tr></thead>\n");
    let mut rows: Vec<usize> = (0..entries.len()).collect();
    // Groups in the order in which they first come.
    let group_of = |at: usize| entries[at].group_and_name().0;
    rows.sort_by_key(|at| rows_before(entries, group_of(*at)));
    let mut group = None;
    for at in rows {
        if group != Some(group_of(at)) {
            let end = if group.is_some() { "</tbody>\n" } else { "" };
            let _ = writeln!(page, "{end}<tbody>");
            group = Some(group_of(at));
            // A single protocol has its whole name in the title.
            if entries.len() > 1 && !group_of(at).is_empty() {
                let (columns, group) = (faults.len() + 4, Safe(group_of(at)));
                let _ = writeln!(
                    page,
                    "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"{columns}\">{group}</th></tr>"
                );
            }
        }
        row(page, &entries[at], &ids[at], &faults, cases);
    }
    page.push_str("</tbody>\n</table></div>\n</section>\n");
}

fn rows_before(entries: &[Entry], group: &str) -> usize {
    entries.iter().position(|entry| entry.group_and_name().0 == group).unwrap_or_default()
}

fn legend(page: &mut String) {
    page.push_str("<ul class=\"legend\" aria-label=\"Signs\">");
    for (class, sign, text) in [
        ("good", "✓", "every order within the bound was run, none breaks a check"),
        ("bad", "✗", "broken: see the counterexample"),
        ("", "?", "no violation found, not every order was run"),
        ("faint", "·", "not searched"),
    ] {
        let _ = write!(page, "<li><b class=\"{class}\">{sign}</b> {text}</li>");
    }
    page.push_str("</ul>\n");
}

fn row(page: &mut String, entry: &Entry, id: &str, faults: &[&'static str], cases: &[Case<'_>]) {
    let own: Vec<&Case<'_>> = cases.iter().filter(|case| std::ptr::eq(case.entry, entry)).collect();
    // A protocol with a counterexample is found there; any other here.
    let anchor = if own.is_empty() { format!(" id=\"{}\"", Safe(id)) } else { String::new() };
    let (_, name) = entry.group_and_name();
    let _ = write!(page, "<tr{anchor}><th scope=\"row\"><span class=\"name\">{}</span>", Safe(name));
    if !entry.about.is_empty() {
        let _ = write!(page, "<span class=\"about\">{}</span>", Safe(&entry.about));
    }
    page.push_str("</th>");
    for fault in std::iter::once(None).chain(faults.iter().copied().map(Some)) {
        sign(page, entry, fault, &own);
    }
    finding(page, entry, &own);
    let executions: u64 = entry.searches.iter().map(|searched| searched.report.executions).sum();
    let executions = if entry.searches.is_empty() { String::new() } else { thousands(executions) };
    let _ = writeln!(page, "<td class=\"number\">{executions}</td></tr>");
}

fn sign(page: &mut String, entry: &Entry, fault: Option<&'static str>, own: &[&Case<'_>]) {
    let under = fault.map_or_else(|| "without faults".to_owned(), |fault| format!("under {fault}"));
    page.push_str("<td class=\"cell\">");
    let _ = match cell(entry, fault) {
        Cell::Unknown => write!(page, "<span class=\"faint\" title=\"not searched {under}\">·</span>"),
        Cell::Sampled(executions) => {
            let executions = thousands(executions);
            write!(page, "<span title=\"no violation found {under} in {executions} executions\">?</span>")
        }
        Cell::Holds(0) => write!(page, "<span class=\"good\" title=\"verified {under}\">✓</span>"),
        Cell::Holds(times) => {
            let title = format!("verified {under}, up to {times}");
            write!(page, "<span class=\"good\" title=\"{title}\">✓<small> ≤{times}</small></span>")
        }
        Cell::Broken { search, with } => {
            let with = if with.is_empty() { String::new() } else { format!(", together with {}", with.join(", ")) };
            let plus = if with.is_empty() { "" } else { "<small>+</small>" };
            let id = own.iter().find(|case| case.search == search).map_or("", |case| case.id.as_str());
            let title = format!("broken {under}{with}");
            write!(page, "<a class=\"bad\" href=\"#{}\" title=\"{title}\">✗{plus}</a>", Safe(id))
        }
    };
    page.push_str("</td>");
}

fn finding(page: &mut String, entry: &Entry, own: &[&Case<'_>]) {
    page.push_str("<td class=\"finding\">");
    for case in own {
        let message = case.found.message.lines().next().unwrap_or("a check does not hold");
        let _ = write!(page, "<a href=\"#{}\">{}</a>", Safe(&case.id), Safe(message));
    }
    let word = match verdict(entry) {
        Some(Verdict::Verified) => "<span class=\"faint\">verified</span>",
        Some(Verdict::NoViolationFound) => "<span class=\"faint\">no violation found</span>",
        Some(Verdict::Violated) | None => "",
    };
    page.push_str(word);
    let open = |one: &&Searched| one.report.verdict == Verdict::NoViolationFound;
    if let (Some(Verdict::NoViolationFound), Some(open)) = (verdict(entry), entry.searches.iter().find(open)) {
        let why = incomplete(&open.report, &open.strategy);
        let _ = write!(page, "<span class=\"remark\">{}</span>", Safe(&why));
    }
    if let Some(remark) = &entry.remark {
        let _ = write!(page, "<span class=\"remark\">{}</span>", Safe(remark.lines().next().unwrap_or_default()));
    }
    page.push_str("</td>");
}
