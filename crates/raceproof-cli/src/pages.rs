//! `--html` and `--svg`: what was found, as a page and as pictures.

use std::fs;
use std::path::{Path, PathBuf};

use raceproof_explore::Strategy;
use raceproof_explore::render::{self, Entry};

use crate::file::Claimed;
use crate::judge::Judgement;
use crate::run::Finding;
use crate::select::Selected;
use crate::text;

/// The pages that were asked for, while results come in.
#[derive(Debug)]
pub(crate) struct Pages {
    html: Option<Claimed>,
    svg: Option<PathBuf>,
    entries: Vec<Entry>,
}

impl Pages {
    /// Claims the places; `None` if nothing was asked for.
    ///
    /// # Errors
    /// If nothing can be written there; the text names the place.
    pub(crate) fn claim(html: Option<&Path>, svg: Option<&Path>) -> Result<Option<Self>, String> {
        if html.is_none() && svg.is_none() {
            return Ok(None);
        }
        if let Some(folder) = svg {
            fs::create_dir_all(folder)
                .map_err(|error| format!("--svg {}: cannot make the folder: {error}", folder.display()))?;
        }
        let html = html.map(|path| Claimed::new("--html", "page", path)).transpose()?;
        Ok(Some(Self { html, svg: svg.map(Path::to_owned), entries: Vec::new() }))
    }

    pub(crate) fn add(&mut self, selected: &Selected, finding: &Finding, judgement: &Judgement, strategy: &Strategy) {
        let scenario = &selected.scenario;
        let mut entry = Entry::new(scenario.name()).about(scenario.about()).known_from(scenario.known_from());
        entry.remark = judgement.reason().map(str::to_owned);
        self.entries.push(entry.searched(finding.report.clone(), strategy.clone(), text::next(selected, finding)));
    }

    pub(crate) fn add_error(&mut self, name: &str, what: &str) {
        self.entries.push(Entry::new(name).remark(what));
    }

    /// Writes what was asked for.
    ///
    /// # Errors
    /// If it cannot be written; the text names the file.
    pub(crate) fn finish(self) -> Result<(), String> {
        if let Some(html) = self.html {
            html.finish(&render::html(&self.entries))?;
        }
        if let Some(folder) = self.svg {
            for (name, picture) in render::svgs(&self.entries) {
                Claimed::new("--svg", "picture", &folder.join(name))?.finish(&picture)?;
            }
        }
        Ok(())
    }
}
