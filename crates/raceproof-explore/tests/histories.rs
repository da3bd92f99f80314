//! The corpus of histories in `tests/histories/`, each with the verdicts that the checks must come to.
//!
//! A history begins with `history:` and what it shows. Its other lines are
//!
//! - `CLIENT START-END DOING [= RESULT]`: an operation from one step to another. `3-` is not over, `3-5x` died at step 5,
//!   `3-?` returned an error, `3-6/4` committed at step 4. `3` alone is a step, of `fenced TOKEN` and `effect KEY`. A
//!   result is a word, `nothing`, or a list in brackets. A step is 100 ms long.
//! - `start VALUE` and `end VALUE`: what the object holds before the first step and after the last.
//! - `fault STEP WHAT`: the server failed.
//! - `CHECK: VERDICT`: what a check must say: `holds`, `violated`, `unknown` or `misuse`, and after it, in quotes, what
//!   its story must contain.

use std::path::Path;

use raceproof_explore::{Datum, FaultSeen, History, HistoryCheck, Judgement, Model, Operation, OperationKind};

/// The object that all histories are about.
const OBJECT: &str = "x";
const STEP_MS: i64 = 100;

struct Case {
    file: String,
    line: usize,
    title: String,
    history: History,
    end: Option<Option<Datum>>,
    verdicts: Vec<(String, String)>,
}

impl Case {
    fn place(&self) -> String {
        format!("{}:{}: {}", self.file, self.line, self.title)
    }

    /// The history with the read at the end.
    fn whole(&self) -> History {
        let mut whole = self.history.clone();
        if let Some(value) = &self.end {
            let step = whole.operations.iter().filter_map(|done| done.ended.or(done.started)).max().unwrap_or(0) + 1;
            let mut read = operation("the read at the end", OperationKind::Read);
            span(&mut read, &format!("{step}-{step}"));
            read.value.clone_from(value);
            whole.operations.push(read);
        }
        whole
    }
}

fn operation(client: &str, kind: OperationKind) -> Operation {
    Operation {
        client: client.to_owned(),
        object: OBJECT.to_owned(),
        kind,
        started: None,
        committed: None,
        ended: None,
        crashed: None,
        value: None,
        failed: false,
        started_ms: 0,
        committed_ms: 0,
        ended_ms: 0,
    }
}

fn ms(step: usize) -> i64 {
    i64::try_from(step).unwrap() * STEP_MS
}

fn span(operation: &mut Operation, text: &str) {
    let number = |text: &str| text.parse::<usize>().unwrap_or_else(|_| panic!("a step, not {text:?}"));
    let (text, commit) = text.split_once('/').map_or((text, None), |(text, commit)| (text, Some(commit)));
    let (start, end) = text.split_once('-').unwrap_or((text, text));
    operation.started = Some(number(start));
    operation.started_ms = ms(number(start));
    match end {
        "" => {}
        "?" => operation.failed = true,
        end => match end.strip_suffix('x') {
            Some(end) => operation.crashed = Some(number(end)),
            None => {
                operation.ended = Some(number(end));
                operation.ended_ms = ms(number(end));
            }
        },
    }
    if let Some(commit) = commit {
        operation.committed = Some(number(commit));
        operation.committed_ms = ms(number(commit));
    }
}

fn datum(text: &str) -> Option<Datum> {
    match text.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
        Some(list) => Some(Datum::List(list.split_whitespace().map(str::to_owned).collect())),
        None if text == "nothing" => None,
        None => Some(Datum::Text(text.to_owned())),
    }
}

fn parse_operation(line: &str) -> Operation {
    let (line, result) = line.split_once(" = ").map_or((line, None), |(line, result)| (line, Some(result)));
    let mut words = line.split_whitespace();
    let mut next = || words.next().unwrap_or_else(|| panic!("not an operation: {line}"));
    let (client, steps, name) = (next(), next(), next());
    let args: Vec<String> = words.map(str::to_owned).collect();
    let kind = match name {
        "read" => OperationKind::Read,
        "write" => OperationKind::Write(args[0].clone()),
        "inside" => OperationKind::Inside,
        "fenced" => OperationKind::Fenced(args[0].parse().unwrap()),
        "effect" => OperationKind::Effect(args[0].clone()),
        name => OperationKind::Call { name: name.to_owned(), args },
    };
    let mut done = operation(client, kind);
    span(&mut done, steps);
    done.value = result.and_then(datum);
    done
}

fn parse(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if let Some(title) = line.strip_prefix("history:") {
            cases.push(Case {
                file: file.to_owned(),
                line: number + 1,
                title: title.trim().to_owned(),
                history: History::default(),
                end: None,
                verdicts: Vec::new(),
            });
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("{file}: no history yet: {line}"));
        if let Some(value) = line.strip_prefix("start ") {
            case.history.initial.push((OBJECT.to_owned(), datum(value)));
        } else if let Some(value) = line.strip_prefix("end ") {
            case.end = Some(datum(value));
        } else if let Some(fault) = line.strip_prefix("fault ") {
            let (step, what) = fault.split_once(' ').unwrap();
            let step = step.parse().unwrap();
            case.history.faults.push(FaultSeen { step, what: what.to_owned(), at_ms: ms(step) });
        } else if let Some((check, verdict)) = line.split_once(": ") {
            case.verdicts.push((check.to_owned(), verdict.trim().to_owned()));
        } else {
            case.history.operations.push(parse_operation(line));
        }
    }
    cases
}

fn check(text: &str) -> HistoryCheck {
    let words: Vec<&str> = text.split_whitespace().collect();
    match &words[..] {
        ["fresh"] => HistoryCheck::fresh(OBJECT),
        ["fresh", "commit"] => HistoryCheck::fresh_since_commit(OBJECT),
        ["exclusion"] => HistoryCheck::exclusion(OBJECT),
        ["linearizable", model] => {
            HistoryCheck::linearizable(OBJECT, Model::named(model).unwrap_or_else(|| panic!("no model {model}")))
        }
        ["staleness", ms] => HistoryCheck::staleness(OBJECT, ms.parse().unwrap()),
        ["staleness", ms, "commit"] => HistoryCheck::staleness_since_commit(OBJECT, ms.parse().unwrap()),
        ["no_lost_update"] => HistoryCheck::no_lost_update(OBJECT),
        ["monotonic_reads"] => HistoryCheck::monotonic_reads(OBJECT),
        ["read_your_writes"] => HistoryCheck::read_your_writes(OBJECT),
        ["fencing"] => HistoryCheck::fencing(OBJECT),
        ["survival"] => HistoryCheck::survival(OBJECT),
        ["survival", ms] => HistoryCheck::survival_but_for(OBJECT, ms.parse().unwrap()),
        ["at_most_once"] => HistoryCheck::at_most_once(OBJECT),
        _ => panic!("no check {text:?}"),
    }
}

fn corpus() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    files.iter().flat_map(|path| parse(&name(path), &std::fs::read_to_string(path).unwrap())).collect()
}

/// The verdict in the words of the corpus, and what the check says.
fn verdict(judgement: &Judgement) -> (&'static str, String) {
    match judgement {
        Judgement::Holds => ("holds", String::new()),
        Judgement::Broken(finding) => ("violated", format!("{}: {}", finding.message, finding.story)),
        Judgement::Unknown(what) => ("unknown", what.clone()),
        Judgement::Misuse(what) => ("misuse", what.clone()),
    }
}

#[test]
fn every_verdict_of_the_corpus() {
    let corpus = corpus();
    let mut wrong = Vec::new();
    for case in &corpus {
        assert!(!case.verdicts.is_empty(), "{}: no verdict", case.place());
        for (name, expected) in &case.verdicts {
            let (found, said) = verdict(&check(name).judge(&case.whole()));
            let (expected, words) = expected.split_once(' ').unwrap_or((expected, ""));
            if found != expected || !said.contains(words.trim_matches('"')) {
                wrong.push(format!("{}\n    {name}: {found}, not {expected} {words} ({said})", case.place()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong verdicts:\n{}", wrong.len(), wrong.join("\n"));
}

/// A violation stays one whatever comes after it, so a search may stop at the first step that shows it.
#[test]
fn what_is_violated_stays_violated() {
    for case in corpus() {
        let whole = case.history.clone();
        let last = whole.operations.iter().filter_map(|done| done.ended.or(done.started)).max().unwrap_or(0);
        for (name, _) in &case.verdicts {
            let violated = |until| matches!(check(name).judge(&cut(&whole, until)), Judgement::Broken(_));
            let verdicts: Vec<bool> = (0..=last).map(violated).collect();
            let first = verdicts.iter().position(|violated| *violated).unwrap_or(verdicts.len());
            assert!(verdicts[first..].iter().all(|violated| *violated), "{}: {name}: {verdicts:?}", case.place());
        }
    }
}

/// The history as it was after a step.
fn cut(history: &History, until: usize) -> History {
    let mut cut = history.clone();
    cut.operations.retain(|done| done.started.is_some_and(|started| started <= until));
    cut.faults.retain(|fault| fault.step <= until);
    for done in &mut cut.operations {
        if done.ended.is_some_and(|ended| ended > until) {
            (done.ended, done.value) = (None, None);
        }
        done.committed = done.committed.filter(|step| *step <= until);
        done.crashed = done.crashed.filter(|step| *step <= until);
    }
    cut
}
