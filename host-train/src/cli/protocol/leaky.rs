//! The classic network under the leaky protocol and under the honest one.

use anyhow::Result;
use undertone_train::corpora::{Clip, Corpus};
use undertone_train::evaluation::condition::Condition;
use undertone_train::evaluation::leaky::{self, Way};
use undertone_train::evaluation::measure::recipe_hash;
use undertone_train::evaluation::protocol::Protocol;
use undertone_train::evaluation::results::{HeadOf, Origin, Results};
use undertone_train::training::prepare::hash;
use undertone_train::training::recipe::Recipe;

use super::ProtocolArgs;
use crate::cli::output;

impl ProtocolArgs {
    /// Trains and scores the classic network in each [`Way`] that is not measured yet.
    pub(super) fn leaky(&self, clips: &[Clip]) -> Result<()> {
        let device = self.device.device()?;
        let tess = clips.iter().filter(|clip| clip.corpus == Corpus::Tess);
        let tess: Vec<Clip> = tess.cloned().collect();
        anyhow::ensure!(
            !tess.is_empty(),
            "the leaky protocol is about TESS: give its folder too"
        );
        for &seed in &self.seeds {
            let mut recipe = Recipe {
                seed,
                ..Recipe::classic()
            };
            self.recipe.timed(&mut recipe);
            recipe.check()?;
            let origin = Origin {
                recipe: recipe_hash(&recipe),
                clips: hash(&tess),
            };
            for way in Way::ALL {
                let mut results =
                    Results::open(&self.results, &self.name, Protocol::Leaky, &origin)?;
                let name = way.name();
                if results.has((&name, seed, "all"), HeadOf::Run, Condition::Clean) {
                    eprintln!("{name}-seed-{seed}: is measured");
                    continue;
                }
                eprintln!("{name}-seed-{seed}: training the classic network");
                let folder = self.runs.join(format!("classic-{name}-seed-{seed}"));
                let of = (&recipe, None);
                let result = leaky::measure(&tess, way, of, &folder, &device, output::epoch)?;
                eprintln!("{name}: accuracy {:.2} %", 100.0 * result.figures.accuracy);
                results.add(&self.results, result)?;
            }
        }
        Ok(())
    }
}
