//! One self-contained page: the matrix of protocols and faults, then each counterexample as a sequence diagram that one
//! can step through.
//!
//! The page is whole without its script: every step is there with the state after it, as a list. The script marks one step
//! at a time. Nothing is fetched, and the policy at the top forbids it: a text of a client that slipped through the
//! escaping could load nothing and run nothing.

mod catalogue;
mod diagram;
pub(super) mod markup;

use std::fmt::Write;

use self::markup::Safe;
use super::entry::{Entry, Unique, safe_name};
use super::text::thousands;
use crate::report::{Counterexample, Verdict};
use crate::sql::sqlite_version;

const STYLE: &str = include_str!("../assets/page.css");
const SCRIPT: &str = include_str!("../assets/page.js");
/// The hash of [`SCRIPT`], the one script that the policy lets run. When the script is edited, the browser test prints the
/// browser's complaint, which names the new one.
const SCRIPT_HASH: &str = "sha256-LD4W2D9rkUrRemMaS2lIiQoYO1FdWr63tSkR+Mq68gM=";

/// A counterexample on the page.
struct Case<'e> {
    /// Its address within the page.
    id: String,
    entry: &'e Entry,
    search: usize,
    found: &'e Counterexample,
}

/// The page, as one HTML document that needs nothing else.
///
/// ```
/// use raceproof_explore::render::{Entry, html};
/// use raceproof_explore::{Check, Fault, Strategy, World};
///
/// fn a_counter(world: &mut World) {
///     world.client("a", |ctx| async move { redis::AsyncCommands::incr::<_, _, i64>(&mut ctx.redis(), "n", 1).await });
/// }
///
/// let mut entry = Entry::new("counter/incr").about("INCR");
/// for check in [Check::new("no fault"), Check::new("one crash").fault(Fault::Crash, 1)] {
///     entry = entry.searched(check.run(a_counter)?, Strategy::Exhaustive, Vec::new());
/// }
/// let page = html(&[entry]);
/// assert!(page.contains("verified under crash, up to 1"));
/// # Ok::<(), raceproof_explore::Error>(())
/// ```
#[must_use]
pub fn html(entries: &[Entry]) -> String {
    let (ids, cases) = addresses(entries);
    let title = title(entries);
    let mut page = String::with_capacity(64 * 1024);
    head(&mut page, &title);
    page.push_str("<header class=\"top\"><p class=\"brand\">raceproof</p>");
    page.push_str("<button type=\"button\" id=\"theme\" class=\"quiet with-script\">Theme: system</button></header>\n");
    let _ = writeln!(page, "<main>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>", Safe(&title), Safe(&summary(entries)));
    catalogue::write(&mut page, entries, &ids, &cases);
    if !cases.is_empty() {
        page.push_str("<section id=\"counterexamples\" aria-labelledby=\"counterexamples-title\">\n");
        let heading = if cases.len() == 1 { "Counterexample" } else { "Counterexamples" };
        let _ = writeln!(page, "<h2 id=\"counterexamples-title\">{heading}</h2>");
        page.push_str("<p class=\"hint with-script\">Step through with <kbd>←</kbd> <kbd>→</kbd> or <kbd>j</kbd> ");
        page.push_str("<kbd>k</kbd>, <kbd>Home</kbd> and <kbd>End</kbd>; <kbd>Esc</kbd> shows all steps.</p>\n");
        cases.iter().for_each(|case| diagram::write(&mut page, case));
        page.push_str("</section>\n");
    }
    page.push_str("</main>\n<p id=\"live\" class=\"unseen\" role=\"status\" aria-live=\"polite\"></p>\n");
    let sqlite = sqlite_version();
    let _ = writeln!(page, "<footer>Embedded engine (Redis 7.0), SQLite {sqlite}.</footer>\n</body>\n</html>");
    page
}

fn head(page: &mut String, title: &str) {
    let policy = format!("default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src '{SCRIPT_HASH}'");
    page.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    let _ = writeln!(page, "<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}; base-uri 'none'\">");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n");
    let _ = writeln!(page, "<title>{} · raceproof</title>", Safe(title));
    let _ = writeln!(page, "<style>\n{STYLE}</style>\n<script>{SCRIPT}</script>\n</head>\n<body>");
}

/// The address of each entry, and the counterexamples.
fn addresses(entries: &[Entry]) -> (Vec<String>, Vec<Case<'_>>) {
    let mut unique = Unique::default();
    // What the page itself uses.
    for id in ["catalogue", "counterexamples", "counterexamples-title", "theme", "live"] {
        unique.name(id.to_owned());
    }
    let (mut ids, mut cases) = (Vec::with_capacity(entries.len()), Vec::new());
    for entry in entries {
        let id = unique.name(safe_name(&entry.name, '/'));
        let mut first = Some(id.clone());
        for (search, searched) in entry.searches.iter().enumerate() {
            if let Some(found) = &searched.report.violation {
                // The first counterexample has the address of its protocol.
                let id = first.take().unwrap_or_else(|| unique.name(safe_name(&entry.name, '/')));
                cases.push(Case { id, entry, search, found });
            }
        }
        ids.push(id);
    }
    (ids, cases)
}

/// What the page says in one line.
fn title(entries: &[Entry]) -> String {
    let holds = entries.iter().filter(|entry| verdict(entry) == Some(Verdict::Verified)).count();
    match entries {
        [] => "No protocols".to_owned(),
        [entry] => entry.name.clone(),
        _ => format!("{holds} of {} protocols hold", entries.len()),
    }
}

fn summary(entries: &[Entry]) -> String {
    let count = |wanted: Option<Verdict>| entries.iter().filter(|entry| verdict(entry) == wanted).count();
    let counts = [
        (count(Some(Verdict::Verified)), "verified"),
        (count(Some(Verdict::Violated)), "violated"),
        (count(Some(Verdict::NoViolationFound)), "without a violation found"),
        (count(None), "not searched"),
        (entries.iter().filter(|entry| entry.remark.is_some()).count(), "not as expected"),
    ];
    let executions: u64 = entries.iter().flat_map(|entry| &entry.searches).map(|one| one.report.executions).sum();
    let mut parts: Vec<String> = match entries {
        [_] => counts.iter().filter(|(count, _)| *count > 0).map(|(_, what)| (*what).to_owned()).collect(),
        _ => counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect(),
    };
    parts.push(format!("{} {}", thousands(executions), if executions == 1 { "execution" } else { "executions" }));
    parts.join(" · ")
}

/// The worst of an entry's verdicts.
fn verdict(entry: &Entry) -> Option<Verdict> {
    let any = |wanted: Verdict| entry.searches.iter().any(|searched| searched.report.verdict == wanted);
    [Verdict::Violated, Verdict::NoViolationFound, Verdict::Verified].into_iter().find(|verdict| any(*verdict))
}
