//! Pictures for documents, from committed results alone.

use super::evidence::Evidence;
use super::{classes, conditions, confidence, noise, people};
use crate::report::ReportError;

/// Names of files and what is in them: SVG that follows the reader's light or dark theme. What was not measured gives none.
///
/// # Errors
/// [`ReportError::Page`] if a chart cannot be drawn.
pub fn pictures(evidence: &Evidence) -> Result<Vec<(&'static str, String)>, ReportError> {
    let mut pictures = vec![(
        "recall.svg",
        classes::recall(evidence)?.standalone("Recall of each class, speakers never heard"),
    )];
    if evidence
        .corpora
        .iter()
        .any(|corpus| !corpus.people.is_empty())
    {
        pictures.push((
            "speakers.svg",
            people::chart(evidence)?.standalone("Mean recall of each speaker never heard"),
        ));
    }
    if !noise::ratios(evidence).is_empty() {
        pictures.push((
            "noise.svg",
            noise::chart(evidence)?
                .standalone("Mean recall in pink noise (up to 400 clips a corpus)"),
        ));
    }
    if conditions::harder(evidence).next().is_some() {
        pictures.push((
            "conditions.svg",
            conditions::chart(evidence)?.standalone("Mean recall in harder listening"),
        ));
    }
    if evidence
        .corpora
        .iter()
        .any(|corpus| !corpus.reliability.is_empty())
    {
        pictures.push((
            "reliability.svg",
            confidence::reliability(evidence)?
                .standalone("How often it is right when it is so sure"),
        ));
    }
    for corpus in &evidence.corpora {
        if corpus.corpus == "crema-d" {
            pictures.push((
                "confusion.svg",
                classes::matrix(evidence, corpus)?
                    .standalone("CREMA-D: what is taken for what, in %"),
            ));
        }
    }
    Ok(pictures)
}
