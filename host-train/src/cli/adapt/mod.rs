//! `undertone-train adapt`: fit a model file to a site's or a speaker's few labelled clips.

mod measure;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::{Args, Subcommand};
use sha2::{Digest, Sha256};
use undertone_model::Model;
use undertone_train::adapt::{AdaptError, Adapted, Score, Way, adapt};
use undertone_train::digest;
use undertone_train::features::{ClipFeatures, Extractor};

use super::output;
use measure::MeasureArgs;

/// Fit the head of a model file to labelled clips; a result that is worse on held-back clips is not written.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct AdaptArgs {
    #[command(subcommand)]
    command: Option<AdaptCommand>,
    /// The model file.
    #[arg(required = true)]
    model: Option<PathBuf>,
    /// Folder with a folder of clips for each label (`angry`, `neutral`...), two or more clips in each, better three; all of them different.
    #[arg(long, value_name = "DIR", required = true)]
    clips: Option<PathBuf>,
    /// File to write.
    #[arg(short, long, value_name = "FILE", required = true)]
    output: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum AdaptCommand {
    /// Measure on a corpus what adaptation brings for speakers that a model never heard
    Measure(MeasureArgs),
}

impl AdaptArgs {
    pub(crate) fn run(self) -> Result<()> {
        if let Some(AdaptCommand::Measure(args)) = self.command {
            return args.run();
        }
        let (Some(model), Some(clips), Some(output)) = (self.model, self.clips, self.output) else {
            bail!("give MODEL, --clips and --output");
        };
        let file = read(&model)?;
        let metadata = Model::from_bytes(&file)
            .with_context(|| model.display().to_string())?
            .metadata()
            .clone();
        let extractor = Extractor {
            frontend: metadata.frontend.clone(),
            features: metadata.features.clone(),
            cache: None,
        };
        let Labelled {
            heard,
            paths,
            content,
        } = labelled(&clips, &metadata.labels, &extractor)?;
        let Adapted {
            bytes,
            way,
            verdict,
        } = adapt(&file, &heard, &content)
            .map_err(|error| match error {
                AdaptError::Short { number } => {
                    let path = paths[number - 1].display();
                    anyhow!("{path}: is too short for an answer: leave it out")
                }
                other => other.into(),
            })
            .with_context(|| format!("{}: adapting to {}", model.display(), clips.display()))?;
        fs::write(&output, bytes).with_context(|| format!("cannot write {}", output.display()))?;
        let say = |score: Score| {
            let percent = 100.0 * score.unweighted_accuracy;
            format!("UA {percent:.1} %, log-loss {:.3}", score.log_loss)
        };
        output::text(&format!(
            "{}: {} {} clips; on held-back ones {}, before {}\n",
            output.display(),
            match way {
                Way::Moved { .. } => "last layer moved toward",
                Way::Regressed => "new head fitted to",
            },
            heard.len(),
            say(verdict.after),
            say(verdict.before)
        ))
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::File::open(file)
        .and_then(undertone_model::read_bounded)
        .with_context(|| format!("cannot read {}", file.display()))
}

/// The files in the label folders.
struct Labelled {
    /// Features and class of each.
    heard: Vec<(ClipFeatures, usize)>,
    /// Where each is.
    paths: Vec<PathBuf>,
    /// Hash of their content.
    content: String,
}

/// Reads every file in the label folders.
fn labelled(dir: &Path, labels: &[String], extractor: &Extractor) -> Result<Labelled> {
    let (mut heard, mut paths) = (Vec::new(), Vec::new());
    let mut hash = Sha256::new();
    let mut known: HashMap<[u8; 32], PathBuf> = HashMap::new();
    let entries = |dir: &Path| -> Result<Vec<PathBuf>> {
        let entries =
            fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))?;
        let mut paths = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>>>()?;
        paths.retain(|path| {
            !path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'))
        });
        paths.sort();
        Ok(paths)
    };
    for folder in entries(dir)?.into_iter().filter(|path| path.is_dir()) {
        let name = folder
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let target = labels.iter().position(|label| Some(label) == name.as_ref());
        let target = target.with_context(|| {
            let all = labels.join(", ");
            format!(
                "{}: is not a label of the model ({all}): rename the folder",
                folder.display()
            )
        })?;
        for file in entries(&folder)? {
            heard.push((extractor.clip(&file)?, target));
            let bytes =
                fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            hash.update(&bytes);
            // Held back, a copy would be scored by a head that was fitted to it.
            if let Some(same) = known.insert(Sha256::digest(&bytes).into(), file.clone()) {
                bail!(
                    "{} and {} are the same recording: leave one out",
                    same.display(),
                    file.display()
                );
            }
            paths.push(file);
        }
    }
    ensure!(
        !heard.is_empty(),
        "{}: holds no clips: make a folder for each label and put audio files there",
        dir.display()
    );
    Ok(Labelled {
        heard,
        paths,
        content: digest::short(hash, 16),
    })
}
