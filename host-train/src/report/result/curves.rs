//! How a run went.

use undertone_page::chart::{Axis, Ink, Line, Lines, Size};
use undertone_page::{Figure, Html, Mood, Section};

use crate::corpora::Corpus;
use crate::report::{ReportError, palette};
use crate::training::checkpoint::{Plan, State};

pub(super) fn section(run: Option<&(Plan, State)>) -> Result<Section, ReportError> {
    let mut section = Section::new("Learning curves");
    let Some((_, state)) = run.filter(|(_, state)| !state.epochs.is_empty()) else {
        section.findings([(
            Mood::Note,
            Html::text(
                "A model file does not hold how it was trained: give the folder of its run too.",
            ),
        )]);
        return Ok(section);
    };
    let epochs = state.epochs.len();
    let x = || Axis::numbers("epoch", 0.0..epochs as f64 + 1.0);
    let over = |of: &dyn Fn(&crate::training::checkpoint::EpochFigures) -> f64| {
        state
            .epochs
            .iter()
            .enumerate()
            .map(|(index, epoch)| (index as f64 + 1.0, of(epoch)))
            .collect::<Vec<_>>()
    };
    let most = state
        .epochs
        .iter()
        .map(|epoch| f64::from(epoch.loss))
        .fold(0.1, f64::max);
    let loss = Lines::new(
        vec![Line::new(
            "training loss",
            Ink::Series(4),
            over(&|epoch| f64::from(epoch.loss)),
        )],
        x(),
        Axis::numbers("loss", 0.0..most * 1.05),
    );
    let mut corpora: Vec<&str> = state
        .epochs
        .iter()
        .flat_map(|epoch| epoch.corpora.iter().map(|corpus| corpus.0.as_str()))
        .collect();
    corpora.sort_unstable();
    corpora.dedup();
    let mut lines: Vec<Line> = corpora
        .iter()
        .map(|name| {
            let known = Corpus::of_key(name);
            let score = |epoch: &crate::training::checkpoint::EpochFigures| {
                epoch
                    .corpora
                    .iter()
                    .find(|corpus| corpus.0 == *name)
                    .map_or(f64::NAN, |corpus| corpus.1)
            };
            Line::new(
                known.map_or(*name, |corpus| corpus.name()),
                known.map_or(Ink::Muted, palette::corpus),
                over(&score),
            )
        })
        .collect();
    lines.push(Line::new("mean", Ink::Text, over(&|epoch| epoch.score)));
    let mut score = Lines::new(
        lines,
        x(),
        Axis::percent("mean recall, validation speakers", 0.0..1.0),
    );
    if let Some((epoch, best)) = state.best {
        score.marks.push((
            (epoch as f64, best),
            format!("best: epoch {epoch}, {:.1} %", 100.0 * best),
        ));
    }
    let rate = state
        .epochs
        .iter()
        .map(|epoch| epoch.learning_rate)
        .fold(1e-9, f64::max);
    let rates = Lines::new(
        vec![Line::new(
            "learning rate",
            Ink::Series(6),
            over(&|epoch| 1000.0 * epoch.learning_rate),
        )],
        x(),
        Axis::numbers("learning rate in thousandths", 0.0..1050.0 * rate),
    );
    let minutes = state.epochs.iter().map(|epoch| epoch.seconds).sum::<f64>() / 60.0;
    section.text(format!("{epochs} epochs in {minutes:.0} minutes. The best epoch by the validation speakers is the one that is kept; they belong to the training corpora and are not those that the model is tested on."));
    section.figures(&[
        Figure::new(
            "Score",
            score.draw(Size::HALF)?,
            "Mean recall on the validation speakers, corpus by corpus.",
        ),
        Figure::new(
            "Loss",
            loss.draw(Size::HALF)?,
            "On the training clips, as augmented.",
        ),
        Figure::new(
            "Learning rate",
            rates.draw(Size::HALF)?,
            "At the end of each epoch.",
        ),
    ]);
    Ok(section)
}
