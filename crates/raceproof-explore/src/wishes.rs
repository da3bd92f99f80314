//! What the environment asks of a search that runs as a test: `Check::verify` in `cargo test` takes no arguments.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::{Report, Strategy, render};

/// The depth of what PCT looks for unless the environment says otherwise.
const DEPTH: u32 = 3;

/// The environment's wishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    /// `RACEPROOF_REPLAY`: one schedule, by its token. `RACEPROOF_STRATEGY` and `RACEPROOF_SEED`: another strategy.
    pub(crate) strategy: Option<Strategy>,
    /// `RACEPROOF_SECONDS`: the time that a search may take; one that is not done then samples.
    pub(crate) time: Option<Duration>,
    /// `RACEPROOF_SEED`: of every strategy that samples, the one after a search that took too long included.
    seed: u64,
    /// `RACEPROOF_HTML`: the folder for a page of each check.
    pub(crate) html: Option<PathBuf>,
}

impl Wishes {
    /// Reads them from variables by name.
    ///
    /// # Errors
    /// A value that means nothing, in words.
    pub(crate) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let number = |name: &str| match variable(name) {
            None => Ok(None),
            Some(text) => match text.parse::<u64>() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(format!("{name}={text}: give a whole number, as in {name}=7")),
            },
        };
        let seed = number("RACEPROOF_SEED")?.unwrap_or(0);
        let strategy = match (variable("RACEPROOF_REPLAY"), variable("RACEPROOF_STRATEGY").as_deref()) {
            (Some(token), _) => Some(Strategy::Replay { token }),
            (None, None) => None,
            (None, Some("exhaustive")) => Some(Strategy::Exhaustive),
            (None, Some("states")) => Some(Strategy::States),
            (None, Some("random")) => Some(Strategy::Random { seed }),
            (None, Some("pct")) => Some(Strategy::Pct { seed, depth: DEPTH }),
            (None, Some("uniform")) => Some(Strategy::Uniform { seed }),
            (None, Some(other)) => {
                let known = "exhaustive, states, random, pct and uniform";
                return Err(format!("RACEPROOF_STRATEGY={other}: the strategies are {known}"));
            }
        };
        let seconds = number("RACEPROOF_SECONDS")?;
        if seconds == Some(0) {
            return Err("RACEPROOF_SECONDS=0: a search needs more than 0 seconds".to_owned());
        }
        let html = variable("RACEPROOF_HTML").map(PathBuf::from);
        Ok(Self { strategy, time: seconds.map(Duration::from_secs), seed, html })
    }

    /// What a search goes over to that is not done in its time.
    pub(crate) const fn afterwards(&self) -> Strategy {
        Strategy::Pct { seed: self.seed, depth: DEPTH }
    }

    /// Whether it was asked for that schedules are sampled: then no violation found is all that can be had.
    pub(crate) fn sample(&self) -> bool {
        matches!(self.strategy, Some(Strategy::Random { .. } | Strategy::Pct { .. } | Strategy::Uniform { .. }))
            || self.time.is_some()
    }
}

/// Writes the page of one check into a folder, under the check's name.
///
/// # Errors
/// A folder or a file that cannot be written, in words.
pub(crate) fn write_page(folder: &Path, name: &str, report: &Report, strategy: &Strategy) -> Result<(), String> {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let file = folder.join(format!("{}.html", name.chars().map(plain).collect::<String>()));
    let entry = render::Entry::new(name).searched(report.clone(), strategy.clone(), Vec::new());
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, render::html(&[entry])));
    written.map_err(|error| format!("RACEPROOF_HTML: cannot write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Wishes, String> {
        Wishes::read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn nothing_is_wished_for() {
        assert_eq!(read(&[]), Ok(Wishes::default()));
        assert!(!Wishes::default().sample());
    }

    #[test]
    fn strategies_by_name() {
        let strategy = |variables: &[(&str, &str)]| read(variables).expect("it is known").strategy;
        assert_eq!(strategy(&[("RACEPROOF_STRATEGY", "states")]), Some(Strategy::States));
        let pct = strategy(&[("RACEPROOF_STRATEGY", "pct"), ("RACEPROOF_SEED", "7")]);
        assert_eq!(pct, Some(Strategy::Pct { seed: 7, depth: 3 }));
        let timed = read(&[("RACEPROOF_SECONDS", "5"), ("RACEPROOF_SEED", "7")]).expect("it is known");
        assert_eq!((timed.strategy.as_ref(), timed.afterwards()), (None, Strategy::Pct { seed: 7, depth: 3 }));
        let token = strategy(&[("RACEPROOF_STRATEGY", "pct"), ("RACEPROOF_REPLAY", "rp1.ab.0")]);
        assert_eq!(token, Some(Strategy::Replay { token: "rp1.ab.0".to_owned() }), "a token leaves no choice");
    }

    #[test]
    fn values_that_mean_nothing_are_named() {
        let error = |name: &str, value: &str| read(&[(name, value)]).expect_err("it means nothing");
        assert_eq!(
            error("RACEPROOF_STRATEGY", "guess"),
            "RACEPROOF_STRATEGY=guess: the strategies are exhaustive, states, random, pct and uniform"
        );
        assert_eq!(error("RACEPROOF_SEED", "x"), "RACEPROOF_SEED=x: give a whole number, as in RACEPROOF_SEED=7");
        assert_eq!(error("RACEPROOF_SECONDS", "0"), "RACEPROOF_SECONDS=0: a search needs more than 0 seconds");
    }

    #[test]
    fn a_page_has_the_name_of_its_check() {
        let folder = tempfile::tempdir().expect("a folder");
        let report =
            crate::Check::new("cache/two devices").run(|world| world.client("nobody", |_| async {})).expect("it runs");
        write_page(&folder.path().join("pages"), "cache/two devices", &report, &Strategy::Exhaustive).expect("written");
        let page = std::fs::read_to_string(folder.path().join("pages/cache-two-devices.html")).expect("it is there");
        assert!(page.contains("cache/two devices"));
    }
}
