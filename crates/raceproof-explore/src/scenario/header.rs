//! The header of a scenario file: `scenario { name = …, expect = …, … }`.

use mlua::{Table, Value};

use super::convert::kind;
use super::error::ScenarioError;
use super::source::{self, Layout};
use super::{Expectation, Mutant};
use crate::{Bounds, Fault, Faults, Persistence, UnknownFault, UnknownPersistence, Verdict};

/// What a header says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) known_from: String,
    pub(super) row: Option<String>,
    pub(super) instead: Option<String>,
    pub(super) expect: Option<Expectation>,
    pub(super) bounds: Bounds,
    /// Whether the file itself bounds the steps of a client.
    pub(super) steps_stated: bool,
    pub(super) mutants: Vec<Mutant>,
}

const FIELDS: &str = "name, about, known_from, row, instead, expect, message, pauses, faults, persistence, steps, \
     preemptions, depth, mutants";

/// Reads the fields of a header, and remembers where it stands for the errors.
struct Reader<'a> {
    file: &'a str,
    source: &'a str,
    layout: &'a Layout,
    line: Option<u32>,
}

impl Header {
    pub(super) fn read(
        file: &str,
        source: &str,
        layout: &Layout,
        table: &Table,
        line: Option<u32>,
    ) -> Result<Self, ScenarioError> {
        Reader { file, source, layout, line }.header(table)
    }
}

impl Reader<'_> {
    fn error(&self, field: &str, what: impl Into<String>, way_out: impl Into<String>) -> ScenarioError {
        let line = source::line_of_field(self.source, self.layout, field).or(self.line);
        let anchor = if field == "mutants" { "mutants" } else { "header" };
        ScenarioError::new(self.file, line, what, way_out, anchor)
    }

    fn header(&self, table: &Table) -> Result<Header, ScenarioError> {
        let mut header = Header::default();
        let mut message = None;
        let mut expect = None;
        for (field, value) in self.fields(table, "the header")? {
            match field.as_str() {
                "name" => header.name = self.text("name", &value)?,
                "about" => header.about = self.text("about", &value)?,
                "known_from" => header.known_from = self.text("known_from", &value)?,
                "row" => header.row = Some(self.text("row", &value)?),
                "instead" => header.instead = Some(self.text("instead", &value)?),
                "expect" => expect = Some(self.verdict(&value)?),
                "message" => message = Some(self.text("message", &value)?),
                "pauses" => header.bounds.pauses = self.count("pauses", &value)?,
                "steps" => {
                    header.bounds.steps_per_client = self.count("steps", &value)?;
                    header.steps_stated = true;
                }
                "preemptions" => header.bounds.preemptions = Some(self.count("preemptions", &value)?),
                "depth" => header.bounds.depth = Some(self.count("depth", &value)?),
                "faults" => header.bounds.faults = self.faults(&value)?,
                "persistence" => header.bounds.persistence = self.persistence(&value)?,
                "mutants" => header.mutants = self.mutants(&value)?,
                other => {
                    let what = format!("unknown scenario field '{other}'");
                    return Err(self.error(other, what, format!("a header has {FIELDS}")));
                }
            }
        }
        if header.name.is_empty() {
            return Err(self.error("name", "scenario has no name", "scenario { name = \"group/what-it-shows\", … }"));
        }
        header.expect = self.expectation(expect, message)?;
        self.consistent(&header)?;
        Ok(header)
    }

    fn expectation(
        &self,
        verdict: Option<Verdict>,
        message: Option<String>,
    ) -> Result<Option<Expectation>, ScenarioError> {
        match (verdict, message) {
            (Some(verdict), message) if verdict == Verdict::Violated || message.is_none() => {
                Ok(Some(Expectation { verdict, message }))
            }
            (None, None) => Ok(None),
            _ => Err(self.error(
                "message",
                "message is given, but no violation is expected",
                "message = \"…\" goes with expect = \"violated\"",
            )),
        }
    }

    fn consistent(&self, header: &Header) -> Result<(), ScenarioError> {
        let verified = header.expect.as_ref().is_some_and(|expect| expect.verdict == Verdict::Verified);
        if !header.mutants.is_empty() && !verified {
            return Err(self.error(
                "mutants",
                "mutants are given, but verified is not expected",
                "a mutant breaks a protocol that holds: mutants go with expect = \"verified\"",
            ));
        }
        for (at, mutant) in header.mutants.iter().enumerate() {
            if header.mutants[..at].iter().any(|earlier| earlier.name == mutant.name) {
                let what = format!("two mutants are named '{}'", mutant.name);
                return Err(self.error("mutants", what, "give each a name of its own"));
            }
        }
        Ok(())
    }

    fn fields(&self, table: &Table, of: &str) -> Result<Vec<(String, Value)>, ScenarioError> {
        let mut fields = Vec::new();
        for pair in table.pairs::<Value, Value>() {
            let unnamed = || self.error("scenario", format!("{of} has a value without a name"), "write name = value");
            match pair {
                Ok((Value::String(name), value)) => {
                    fields.push((String::from_utf8_lossy(&name.as_bytes()).into_owned(), value));
                }
                Ok(_) | Err(_) => return Err(unnamed()),
            }
        }
        // A table has no order of its own; the first of several errors should not depend on the run.
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(fields)
    }

    fn text(&self, field: &str, value: &Value) -> Result<String, ScenarioError> {
        match value {
            Value::String(text) if !text.as_bytes().is_empty() => {
                Ok(String::from_utf8_lossy(&text.as_bytes()).into_owned())
            }
            Value::String(_) => Err(self.error(field, format!("{field} is empty"), format!("{field} = \"…\""))),
            other => {
                let what = format!("{field} must be a text, not {}", kind(other));
                Err(self.error(field, what, format!("{field} = \"…\"")))
            }
        }
    }

    fn count(&self, field: &str, value: &Value) -> Result<u32, ScenarioError> {
        let (least, most) = if matches!(field, "steps" | "depth") { (1, 1_000_000) } else { (0, 100) };
        match value {
            Value::Integer(n) if (least..=most).contains(n) => Ok(u32::try_from(*n).unwrap_or_default()),
            other => {
                let shown = match other {
                    Value::Integer(n) => n.to_string(),
                    Value::Number(x) => x.to_string(),
                    other => kind(other),
                };
                let what = format!("{field} must be a whole number from {least} to {most}, not {shown}");
                Err(self.error(field, what, format!("{field} = 1")))
            }
        }
    }

    fn verdict(&self, value: &Value) -> Result<Verdict, ScenarioError> {
        let text = self.text("expect", value)?;
        match text.as_str() {
            "violated" => Ok(Verdict::Violated),
            "verified" => Ok(Verdict::Verified),
            other => {
                let what = format!("unknown verdict '{other}' in expect");
                Err(self.error("expect", what, "expect = \"violated\" or expect = \"verified\""))
            }
        }
    }

    fn persistence(&self, value: &Value) -> Result<Persistence, ScenarioError> {
        let text = self.text("persistence", value)?;
        text.parse().map_err(|unknown: UnknownPersistence| {
            self.error("persistence", unknown.to_string(), "persistence = \"everysec\"")
        })
    }

    fn faults(&self, value: &Value) -> Result<Faults, ScenarioError> {
        let Value::Table(table) = value else {
            let what = format!("faults must be a table, not {}", kind(value));
            return Err(self.error("faults", what, "faults = { crash = 1 }"));
        };
        let mut faults = Faults::NONE;
        for (name, value) in self.fields(table, "faults")? {
            // A hyphen is no letter of a name in Lua: lost_reply stands for lost-reply.
            let fault: Fault = name.replace('_', "-").parse().map_err(|unknown: UnknownFault| {
                self.error("faults", unknown.to_string(), "faults = { crash = 1, lost_reply = 1 }")
            })?;
            faults = faults.with(fault, self.count(&name, &value)?);
        }
        Ok(faults)
    }

    fn mutants(&self, value: &Value) -> Result<Vec<Mutant>, ScenarioError> {
        const SHAPE: &str =
            "mutants = { { name = \"…\", from = \"<text of this file>\", to = \"<its replacement>\" } }";
        let Value::Table(list) = value else {
            return Err(self.error("mutants", format!("mutants must be a list, not {}", kind(value)), SHAPE));
        };
        let mut mutants = Vec::new();
        for item in list.sequence_values::<Value>() {
            let Ok(Value::Table(item)) = item else {
                return Err(self.error("mutants", "a mutant must be a table", SHAPE));
            };
            mutants.push(self.mutant(&item, SHAPE)?);
        }
        if list.pairs::<Value, Value>().count() != mutants.len() {
            return Err(self.error("mutants", "mutants must be a list", SHAPE));
        }
        Ok(mutants)
    }

    fn mutant(&self, item: &Table, shape: &str) -> Result<Mutant, ScenarioError> {
        let mut mutant = Mutant { name: String::new(), from: String::new(), to: String::new() };
        for (field, value) in self.fields(item, "a mutant")? {
            match field.as_str() {
                "name" => mutant.name = self.text("name", &value)?,
                "from" => mutant.from = self.text("from", &value)?,
                "to" => {
                    let Value::String(text) = &value else {
                        let what = format!("to must be a text, not {}", kind(&value));
                        return Err(self.error("mutants", what, shape));
                    };
                    mutant.to = String::from_utf8_lossy(&text.as_bytes()).into_owned();
                }
                other => return Err(self.error("mutants", format!("unknown field '{other}' of a mutant"), shape)),
            }
        }
        if mutant.name.is_empty() || mutant.from.is_empty() {
            return Err(self.error("mutants", "a mutant lacks its name or its from", shape));
        }
        self.placed(&mutant)?;
        Ok(mutant)
    }

    /// A mutant edits one place of the protocol: not the header, and never a check.
    fn placed(&self, mutant: &Mutant) -> Result<(), ScenarioError> {
        let found = source::occurrences(self.source, &mutant.from, self.layout);
        let (what, way_out) = match found.as_slice() {
            [place] => {
                if !self.layout.checks.iter().any(|check| source::overlap(check, place)) {
                    return Ok(());
                }
                ("edits a check", "a mutant breaks the protocol and leaves the check as it is")
            }
            [] => ("edits a text that is not in the file", "from = \"…\" must stand in the file, letter for letter"),
            _ => ("edits a text that stands in the file more than once", "give more of the line in from = \"…\""),
        };
        Err(self.error("mutants", format!("the mutant '{}' {what}", mutant.name), way_out))
    }
}
