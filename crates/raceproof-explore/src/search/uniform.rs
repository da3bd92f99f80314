//! Sampling of traces, with weights that make every trace count alike.
//!
//! With sleep sets alone (Godefroid 1996) every trace is exactly one path of the tree of choices; the other paths end
//! where everything that could go on sleeps. A walk from the root takes one of the choices that are awake, each with
//! the same probability, and its *weight* is the product of how many there were. So a trace is met with probability
//! 1/weight: counted with their weights all traces are expected equally often, and the mean weight, with 0 for walks
//! that end asleep, is an unbiased estimate of the number of traces (Knuth 1975; Chen 1992 calls it heterogeneous
//! sampling).
//!
//! Whether a choice that was passed over sleeps depends on what it would have touched. It is tried out, on other stores.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::driver::Bench;
use super::random::Generator;
use crate::Error;
use crate::event::{Choice, Event, Footprint, dependent};
use crate::execution::{Cast, Chooser, Enabled};
use crate::report::Traces;

/// How many steps that were tried out are remembered.
const MOST_TRIED: usize = 1 << 16;

/// What the walks so far tell of the number of traces.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weights {
    walks: f64,
    sum: f64,
    squares: f64,
}

impl Weights {
    pub(crate) fn add(&mut self, weight: f64) {
        self.walks += 1.0;
        self.sum += weight;
        self.squares += weight * weight;
    }

    /// The estimated number of traces, with its standard error.
    pub(crate) fn traces(&self) -> Option<Traces> {
        if self.walks < 2.0 {
            return None;
        }
        let mean = self.sum / self.walks;
        let variance = (self.squares - self.walks * mean * mean).max(0.0) / (self.walks - 1.0);
        Some(Traces { number: mean, error: Some((variance / self.walks).sqrt()) })
    }
}

/// Steps that were tried out, by the choices that lead to them.
pub(crate) type Tried = FxHashMap<Vec<Choice>, Option<Arc<Footprint>>>;

/// One walk.
pub(crate) struct Walk<'a, 'b> {
    generator: Generator,
    /// Where steps are tried out.
    beside: &'a mut Bench<'b>,
    tried: &'a mut Tried,
    path: Vec<Choice>,
    asleep: Vec<(Choice, Arc<Footprint>)>,
    /// Awake, and ordered before the choice that was made.
    passed: Vec<Choice>,
    pub(crate) weight: f64,
}

impl<'a, 'b> Walk<'a, 'b> {
    pub(crate) fn new(seed: u64, walk: u64, beside: &'a mut Bench<'b>, tried: &'a mut Tried) -> Self {
        if tried.len() >= MOST_TRIED {
            tried.clear();
        }
        let generator = Generator::new(seed, walk);
        Self { generator, beside, tried, path: Vec::new(), asleep: Vec::new(), passed: Vec::new(), weight: 1.0 }
    }

    /// What a choice that was passed over would have touched.
    fn try_out(&mut self, at: usize, choice: Choice) -> Result<Option<Arc<Footprint>>, Error> {
        let mut choices = self.path[..at].to_vec();
        choices.push(choice);
        if let Some(known) = self.tried.get(&choices) {
            return Ok(known.clone());
        }
        self.beside.worker.learn();
        let footprint = self.beside.probe(&choices)?;
        self.tried.insert(choices, footprint.clone());
        Ok(footprint)
    }
}

impl Chooser for Walk<'_, '_> {
    fn choose(&mut self, _at: usize, enabled: &[Enabled], _cast: &Cast<'_>) -> Option<Choice> {
        // Of the paths of a trace the one counts that is the first in an order of the choices, which must be the same
        // in every state.
        let mut awake: Vec<Choice> = enabled
            .iter()
            .flat_map(|one| one.outcomes.iter().map(|outcome| Choice { process: one.process, outcome: *outcome }))
            .filter(|choice| !self.asleep.iter().any(|(asleep, _)| asleep == choice))
            .collect();
        awake.sort_unstable();
        if awake.is_empty() {
            self.weight = 0.0;
            return None;
        }
        let at = self.generator.below(awake.len());
        let choice = awake[at];
        self.weight *= f64::from(u32::try_from(awake.len()).unwrap_or(u32::MAX));
        awake.truncate(at);
        awake.retain(|passed| passed.process != choice.process);
        self.passed = awake;
        self.path.push(choice);
        Some(choice)
    }

    fn executed(&mut self, at: usize, event: &Event) -> Result<(), Error> {
        self.asleep.retain(|(_, footprint)| !dependent(footprint, &event.footprint));
        for choice in std::mem::take(&mut self.passed) {
            if let Some(footprint) = self.try_out(at, choice)?
                && !dependent(&footprint, &event.footprint)
            {
                self.asleep.push((choice, footprint));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use redis::AsyncCommands;

    use super::*;
    use crate::execution::{Mode, Worker};
    use crate::search::driver::{Aside, execute};
    use crate::{Bounds, World};

    fn racing(world: &mut World) {
        for client in ["a", "b"] {
            world.client(client, move |ctx| async move {
                let mut redis = ctx.redis();
                drop(redis.get::<_, Option<String>>("k").await?);
                redis.set::<_, _, ()>("k", client).await
            });
        }
    }

    /// By replies and final state, which tell the four traces apart: how often each was met, and with which weights.
    fn walks(count: u32) -> BTreeMap<u64, (f64, f64)> {
        let (mut worker, bounds) = (Worker::new(), Bounds::default());
        let mut other = Worker::beside(worker.numbers().clone());
        let mut beside =
            Bench { worker: &mut other, body: &racing, bounds, mode: Mode::default(), aside: Aside::Nobody };
        let (mut tried, mut met) = (Tried::default(), BTreeMap::new());
        for number in 0..count {
            let mut walk = Walk::new(5, number.into(), &mut beside, &mut tried);
            let mode = Mode { fingerprint_state: true, ..Mode::default() };
            let run = execute(&mut worker, &racing, bounds, mode, &mut walk).unwrap().unwrap();
            if walk.weight > 0.0 {
                // The steps of each client by itself, with their replies.
                let step = |event: &Event| event.fingerprint.rotate_left(u32::from(event.footprint.choice.process.0));
                let trace = run.events.iter().map(step).fold(run.final_state.unwrap_or_default(), u64::wrapping_add);
                let (times, weight): &mut (f64, f64) = met.entry(trace).or_default();
                *times += 1.0;
                *weight += walk.weight;
            }
        }
        met
    }

    /// Pearson's statistic against equal shares; three degrees of freedom exceed 16.3 once in a thousand.
    fn chi_square(counts: &[f64]) -> f64 {
        let expected = counts.iter().sum::<f64>() / 4.0;
        counts.iter().map(|count| (count - expected).powi(2) / expected).sum()
    }

    #[test]
    fn every_trace_counts_alike_by_its_weights_and_not_without_them() {
        let walked = 8_000;
        let met = walks(walked);
        assert_eq!(met.len(), 4, "each of the four traces is met");
        // Each trace has one path, so all its walks have one weight: what a trace counts is one walk in `weight`.
        let weights: Vec<f64> = met.values().map(|(times, weight)| weight / times).collect();
        assert!(weights.iter().any(|weight| weight.to_bits() != weights[0].to_bits()), "{weights:?}");
        for ((times, weight), one) in met.values().zip(&weights) {
            let share = weight / f64::from(walked);
            let error = ((one - 1.0) / f64::from(walked)).sqrt();
            assert!((share - 1.0).abs() <= 4.0 * error, "{times} walks of weight {one}: {share} ± {error}");
        }
        // A random schedule of a trace with its probability 1/weight, thinned to the largest weight, is uniform.
        let largest = weights.iter().copied().fold(0.0, f64::max);
        let thinned: Vec<f64> = met.values().map(|(_, weight)| weight / largest).collect();
        assert!(chi_square(&thinned) < 16.3, "{thinned:?}");
        let raw: Vec<f64> = met.values().map(|(times, _)| *times).collect();
        assert!(chi_square(&raw) > 16.3, "{raw:?}: the walks themselves are not uniform");
    }
}
