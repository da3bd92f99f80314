//! `raceproof check`, from the arguments to the exit status.

use std::sync::Arc;
use std::time::{Duration, Instant};

use raceproof_explore::render::{Line, PLAIN_WIDTH, Page, Role, incomplete};
use raceproof_explore::{Progress as Searching, Stopped, Verdict};

use crate::args::{CheckArgs, Format, Plan};
use crate::interrupt::{INTERRUPTED, listen};
use crate::judge::Judgement;
use crate::junit::Junit;
use crate::output::{Output, complain};
use crate::pages::Pages;
use crate::progress::Progress;
use crate::run::{Finding, Watch, run};
use crate::select::{Selected, Selection, select};
use crate::table::Table;
use crate::text::{self, Tally};
use crate::{github, json, list};

/// Every verdict is the expected one.
const EXPECTED: u8 = 0;
/// Some verdict is not.
const UNEXPECTED: u8 = 1;
/// Bad usage or input.
const BAD_INPUT: u8 = 2;

/// Runs the command; the result is the exit status.
pub(crate) fn check(args: &CheckArgs) -> u8 {
    prepared(args).unwrap_or_else(|error| {
        complain(&error);
        BAD_INPUT
    })
}

fn prepared(args: &CheckArgs) -> Result<u8, String> {
    let plan = args.plan()?;
    let mut selection = select(&args.scenarios)?;
    for selected in &mut selection.scenarios {
        let bounds = args.bounds(selected.scenario.bounds());
        selected.scenario = selected.scenario.within(bounds);
    }
    let mut output = Output::stdout();
    if args.list {
        match args.format {
            Format::Text | Format::Github => list::print(&selection.scenarios, &mut output),
            Format::Json => output.text(&json::list(&selection.scenarios)),
        }
        selection.broken.iter().for_each(|error| complain(&error.to_string()));
        return written(output, if selection.broken.is_empty() { EXPECTED } else { BAD_INPUT });
    }
    one_to_replay(args, &selection)?;
    if plan.confirm {
        raceproof_lab::installed_version().map_err(|error| format!("--confirm: {error}"))?;
    }
    let junit = args.junit.as_deref().map(Junit::create).transpose()?;
    let pages = Pages::claim(args.html.as_deref(), args.svg.as_deref())?;
    let session = Session::new(args, &selection, &plan, output);
    Session { junit, pages, ..session }.run()
}

/// A token describes an execution of one scenario.
fn one_to_replay(args: &CheckArgs, selection: &Selection) -> Result<(), String> {
    let count = selection.scenarios.len() + selection.broken.len();
    if args.replay.is_none() || count == 1 {
        return Ok(());
    }
    let way_out = "name it: raceproof check NAME --replay TOKEN";
    Err(format!("--replay needs exactly one scenario, these are {count}\n  └ {way_out}"))
}

fn written(output: Output, status: u8) -> Result<u8, String> {
    match output.into_error() {
        None => Ok(status),
        Some(error) => Err(format!("cannot write to standard output: {error}")),
    }
}

/// One run of the command, while results come in.
struct Session<'s> {
    scenarios: &'s [Selected],
    selection: &'s Selection,
    plan: &'s Plan,
    style: Style,
    output: Output,
    progress: Progress,
    started: Instant,
    table: Table,
    tally: Tally,
    rows: Page,
    entries: Vec<json::Entry>,
    errors: Vec<String>,
    /// The argument of a scenario that is worth looking at.
    see: Option<String>,
    seen_bad: bool,
    /// Some search was asked to stop, and so many scenarios were not begun.
    interrupted: bool,
    skipped: usize,
    junit: Option<Junit>,
    pages: Option<Pages>,
}

/// What is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Json,
    /// Annotations.
    Github,
    /// The whole catalogue: rows as they come.
    Rows,
    /// Scenarios that were asked for: a page of each that breaks, then the rows.
    Pages,
    /// The one scenario that was asked for.
    Page,
}

impl<'s> Session<'s> {
    fn new(args: &CheckArgs, selection: &'s Selection, plan: &'s Plan, output: Output) -> Self {
        let scenarios = &selection.scenarios[..];
        let style = match args.format {
            Format::Json => Style::Json,
            Format::Github => Style::Github,
            Format::Text if scenarios.len() + selection.broken.len() == 1 => Style::Page,
            Format::Text if args.scenarios.is_empty() => Style::Rows,
            Format::Text => Style::Pages,
        };
        let broken = selection.broken.iter().map(|error| error.file.as_str());
        let names = scenarios.iter().map(|selected| selected.scenario.name()).chain(broken);
        let messages = scenarios.iter().filter_map(|selected| selected.scenario.expect()?.message.as_deref());
        Self {
            table: Table::new(names, messages, output.terminal_columns()),
            progress: Progress::new(scenarios.len()),
            started: Instant::now(),
            scenarios,
            selection,
            plan,
            style,
            output,
            tally: Tally::default(),
            rows: Page::default(),
            entries: Vec::new(),
            errors: Vec::new(),
            see: None,
            seen_bad: false,
            interrupted: false,
            skipped: 0,
            junit: None,
            pages: None,
        }
    }

    fn run(mut self) -> Result<u8, String> {
        let (scenarios, plan) = (self.scenarios, self.plan);
        if self.style == Style::Rows || self.style == Style::Pages {
            self.row(self.table.titles());
        }
        let stop = listen()?;
        run(scenarios, plan, &stop, &mut self);
        for error in &self.selection.broken {
            self.failed(&error.file, &error.file, error.to_string());
        }
        self.progress.clear();
        let took = self.started.elapsed();
        self.finish(took)
    }

    fn finish(mut self, took: Duration) -> Result<u8, String> {
        match self.style {
            Style::Json => self.output.text(&json::document(std::mem::take(&mut self.entries))),
            Style::Github => self.output.text(&github::summary(&self.tally, took)),
            Style::Page => {
                if self.errors.is_empty() {
                    self.output.gap();
                    self.output.line(&self.tally.summary(took));
                }
            }
            Style::Rows | Style::Pages => {
                self.output.page(&std::mem::take(&mut self.rows));
                self.output.line(&self.tally.summary(took));
                if let (Style::Rows, Some(argument)) = (self.style, &self.see) {
                    let see = format!("  See one: raceproof check {argument}");
                    self.output.line(&Line::default().with(Role::Faint, see));
                }
            }
        }
        if self.skipped > 0 && self.style != Style::Json {
            let left = format!("  interrupted: {} of {} scenarios were not begun", self.skipped, self.scenarios.len());
            self.output.line(&Line::default().with(Role::Bad, left));
        }
        self.errors.iter().for_each(|error| complain(error));
        if let Some(junit) = self.junit.take() {
            junit.finish(took)?;
        }
        if let Some(pages) = self.pages.take() {
            pages.finish()?;
        }
        let status = match (self.errors.is_empty(), self.tally.is_good()) {
            _ if self.interrupted => INTERRUPTED,
            (false, _) => BAD_INPUT,
            (true, true) => EXPECTED,
            (true, false) => UNEXPECTED,
        };
        written(self.output, status)
    }

    /// A row of the table: shown at once, or kept until the pages are through.
    fn row(&mut self, line: Line) {
        if self.style == Style::Rows {
            let Self { progress, output, .. } = self;
            progress.aside(|| output.line(&line));
        } else {
            self.rows.push(line);
        }
    }

    fn found(&mut self, selected: &Selected, finding: &Finding) {
        let judgement = Judgement::of(&selected.scenario, finding);
        self.interrupted |= finding.report.cover.stopped == Some(Stopped::Asked);
        self.tally.add(finding, &judgement);
        if let Some(junit) = &mut self.junit {
            let page = text::page(selected, finding, &self.plan.strategy, PLAIN_WIDTH).to_string();
            junit.add(selected.scenario.name(), finding, &judgement, &page);
        }
        if let Some(pages) = &mut self.pages {
            pages.add(selected, finding, &judgement, &self.plan.strategy);
        }
        match self.style {
            Style::Github => {
                let lines = github::finding(selected, finding, &judgement, &self.plan.strategy);
                let Self { progress, output, .. } = self;
                progress.aside(|| output.text(&lines));
            }
            Style::Json => self.entries.push(json::entry(selected, finding, &self.plan.strategy, self.plan.confirm)),
            Style::Page => self.page(selected, finding, &judgement),
            Style::Rows | Style::Pages => {
                if self.style == Style::Pages && finding.report.verdict == Verdict::Violated {
                    self.page(selected, finding, &judgement);
                }
                self.summed_up(selected, finding, &judgement);
            }
        }
    }

    fn page(&mut self, selected: &Selected, finding: &Finding, judgement: &Judgement) {
        let page = text::page(selected, finding, &self.plan.strategy, self.output.page_columns());
        let Self { progress, output, style, .. } = self;
        progress.aside(|| {
            output.page(&page);
            // What a real server did stands on the page.
            if let Judgement::Wrong(reason) = judgement {
                output.gap();
                output.line(&Line::default().with(Role::Bad, format!("! {reason}")));
            }
            if *style == Style::Pages {
                output.gap();
            }
        });
    }

    fn summed_up(&mut self, selected: &Selected, finding: &Finding, judgement: &Judgement) {
        let good = judgement.is_good();
        self.row(self.table.row(selected.scenario.name(), finding, !good));
        if let Some(reason) = judgement.reason() {
            let why = match finding.report.verdict {
                Verdict::NoViolationFound => format!(": {}", incomplete(&finding.report, &self.plan.strategy)),
                Verdict::Violated | Verdict::Verified => String::new(),
            };
            self.row(Line::default().with(Role::Bad, format!("    {reason}{why}")));
        }
        // Best of all to look at: what is not as it should be.
        let first_bad = !good && !self.seen_bad;
        if first_bad || (self.see.is_none() && finding.report.violation.is_some()) {
            self.see = Some(selected.argument.clone());
        }
        self.seen_bad |= !good;
    }

    fn failed(&mut self, name: &str, file: &str, what: String) {
        self.tally.broken += 1;
        if let Some(junit) = &mut self.junit {
            junit.add_error(name, &what);
        }
        if let Some(pages) = &mut self.pages {
            pages.add_error(name, &what);
        }
        match self.style {
            Style::Rows | Style::Pages => self.row(self.table.broken(name, &what)),
            Style::Github => self.output.text(&github::error(file, &what)),
            Style::Json | Style::Page => {}
        }
        self.errors.push(what);
    }
}

impl Watch for Session<'_> {
    fn done(&mut self, number: usize, result: Result<Finding, String>) {
        let selected = &self.scenarios[number];
        match result {
            Ok(finding) => self.found(selected, &finding),
            Err(error) => self.failed(selected.scenario.name(), selected.scenario.file(), error),
        }
    }

    fn skipped(&mut self) {
        self.skipped += 1;
        self.interrupted = true;
    }

    fn tick(&mut self, done: usize, progress: &[Arc<Searching>]) {
        self.progress.show(done, progress);
    }
}
