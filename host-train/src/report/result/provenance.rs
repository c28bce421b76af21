//! Where the model comes from, how large it is, and what it costs to run.

use std::time::Instant;

use undertone_model::SelfTest;
use undertone_page::{Cell, Html, Mood, Section, Table};

use super::Opened;
use super::evidence::Evidence;
use crate::report::ReportError;
use crate::training::checkpoint::{Plan, State};
use crate::training::kept_out::KeptOut;

/// Frames that the cost is measured on.
const FRAMES: usize = 2000;

pub(super) fn section(
    model: Option<&Opened>,
    run: Option<&(Plan, State)>,
    evidence: Option<&Evidence>,
) -> Result<Section, ReportError> {
    let mut section = Section::new("Size, cost and provenance");
    let mut table = Table::new("What is known of it", &["what", "value"]);
    let mut row = |what: &str, value: String| table.row(vec![what.into(), Cell::from(value)]);
    if let Some(opened) = model {
        let metadata = opened.model.metadata();
        let provenance = &metadata.provenance;
        row("file", format!("{} bytes", opened.bytes));
        row("content hash", metadata.content_hash.clone());
        row("classes", metadata.labels.join(", "));
        row(
            "reads",
            format!(
                "{} values a frame, {} samples every {} at {} Hz",
                metadata.rows(),
                metadata.frontend.frame_length,
                metadata.frontend.hop_length,
                metadata.frontend.sample_rate
            ),
        );
        row(
            "floor",
            metadata.floor.map_or("none".into(), |floor| {
                format!(
                    "{} dB below the loudest band at the lowest, {} dB at the highest, after {} frames that are held back",
                    floor.low_db, floor.high_db, floor.hold
                )
            }),
        );
        row(
            "answers every",
            format!(
                "{:.1} s",
                metadata.update_hop as f64 * metadata.frontend.hop_length as f64
                    / f64::from(metadata.frontend.sample_rate)
            ),
        );
        row("temperature", format!("{:.3}", metadata.temperature));
        row(
            "unknown below",
            format!("{:.1} %", 100.0 * metadata.unknown_threshold),
        );
        row("trained on", provenance.corpora.join(", "));
        row(
            "licence class",
            format!("{:?}", provenance.licence).to_lowercase(),
        );
        row(
            "kept out",
            match KeptOut::of(provenance) {
                Ok(KeptOut::Fold(fold)) => format!("the speakers of fold {fold} of each corpus"),
                Ok(other) => other.to_string(),
                Err(error) => error.to_string(),
            },
        );
        row(
            "seed, epoch",
            format!("{}, {}", provenance.seed, provenance.epoch),
        );
        row(
            "validation",
            format!("{:.1} % mean recall", 100.0 * provenance.validation),
        );
        row("trainer", provenance.trainer.clone());
        let share = cost(opened).map_err(|source| ReportError::Model {
            path: opened.path.clone(),
            source,
        })?;
        row(
            "network, one channel",
            format!(
                "{:.2} % of one core, {:.0} times as fast as speech (measured while this page was made, on a machine that may have had other work; features not counted)",
                100.0 * share,
                1.0 / share.max(1e-9)
            ),
        );
    }
    if let Some(evidence) = evidence {
        row(
            "tested on",
            format!(
                "fold {} of its corpora, {} speakers, by the file itself in the box's inference",
                evidence.fold,
                evidence
                    .corpora
                    .iter()
                    .map(super::CorpusEvidence::speaker_count)
                    .sum::<usize>()
            ),
        );
    }
    if let Some((plan, state)) = run {
        row("run: clips", plan.clips.join(", "));
        row(
            "run: epochs",
            format!("{} of {}", state.epochs.len(), plan.recipe.epochs),
        );
        row(
            "run: recipe",
            serde_json::to_string(&plan.recipe).unwrap_or_default(),
        );
    }
    section.table(&table);
    section.findings([(Mood::Note, Html::text("A label is how a voice sounds, in the way actors perform an emotion; not what a person feels. The corpora are acted, in English, by adults in quiet rooms."))]);
    Ok(section)
}

/// Seconds of one core for each second of speech, network alone.
fn cost(opened: &Opened) -> Result<f64, undertone_model::ModelError> {
    let metadata = opened.model.metadata();
    let rows = metadata.rows();
    let input = SelfTest::input(FRAMES, rows);
    let mut stream = opened.model.stream()?;
    let mut scores = vec![0.0; metadata.labels.len()];
    let started = Instant::now();
    for (index, frame) in input.chunks_exact(rows.max(1)).enumerate() {
        stream.push(frame)?;
        if (index + 1) % metadata.update_hop.max(1) == 0 {
            stream.probabilities(&mut scores)?;
        }
    }
    let seconds = FRAMES as f64 * metadata.frontend.hop_length as f64
        / f64::from(metadata.frontend.sample_rate.max(1));
    Ok(started.elapsed().as_secs_f64() / seconds)
}
